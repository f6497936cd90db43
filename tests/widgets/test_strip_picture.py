"""The still picture of the strip: what a notebook shows without a kernel."""

import io

import pytest
from PIL import Image, ImageColor

from skipit_nb.charts.action_looks import ACTION_LOOKS
from skipit_nb.errors import UnboundSkipSetError
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.layer_strip import Measure
from skipit_nb.widgets.builder.strip_picture import HEAD, MEASURED, TOP, strip_png
from skipit_nb.widgets.display import MOST_THUMBNAIL_BYTES


def pixels(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def near(color: object, named: str) -> bool:
    wanted = ImageColor.getrgb(named)
    return all(abs(one - other) < 8 for one, other in zip(color, wanted, strict=True))  # type: ignore[call-overload]


def test_each_cell_has_the_colour_of_its_action() -> None:
    picture = pixels(strip_png(SkipSet.parse("vision absent 0; whole 2", num_layers=4)))
    seen = [picture.getpixel((HEAD + 40 * layer + 3, TOP + 3)) for layer in range(4)]
    for color, action in zip(seen, ("absent", "run", "whole", "run"), strict=True):
        assert near(color, ACTION_LOOKS[action][1])


def test_a_bar_stands_behind_a_cell_as_high_as_it_says() -> None:
    measure = Measure(label="", hint="", heights=[0.0, 0.4, 1.0, 0.0], line=None, texts=[""] * 4)
    picture = pixels(strip_png(SkipSet.none(num_layers=4), {"vision": measure}))
    bottom = TOP + MEASURED - 4
    for layer, is_dark in [(0, (False, False)), (1, (True, False)), (2, (True, True))]:
        x = HEAD + 40 * layer + 3
        low, high = picture.getpixel((x, bottom - 4)), picture.getpixel((x, TOP + 4))
        assert tuple(not near(color, ACTION_LOOKS["run"][1]) for color in (low, high)) == is_dark


@pytest.mark.parametrize("num_layers", [1, 12, 80, 200])
def test_it_is_small_enough_for_a_notebook(num_layers: int) -> None:
    png = strip_png(SkipSet.parse("vision absent 0-", num_layers=num_layers))
    assert len(png) < MOST_THUMBNAIL_BYTES
    assert pixels(png).width <= max(908, HEAD + 8 * num_layers + 8)


def test_an_open_set_has_no_picture() -> None:
    with pytest.raises(UnboundSkipSetError):
        strip_png(SkipSet.late_entry(3))
