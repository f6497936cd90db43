"""The strip's Python side: what it shows of a skip set, and what it takes from the page."""

import pytest

from skipit_nb.errors import SettingError
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.layer_strip import LayerStrip, Paint


def drawn(text: str, num_layers: int = 5) -> LayerStrip:
    strip = LayerStrip()
    strip.draw(SkipSet.parse(text, num_layers=num_layers))
    return strip


def test_each_cell_shows_the_strongest_action_that_covers_it() -> None:
    assert drawn("vision absent 0; text frozen 1; whole 2; attn 3; mlp 4").cells == {
        "vision": ["absent", "run", "whole", "attn", "mlp"],
        "text": ["run", "frozen", "whole", "attn", "mlp"],
        "layer": ["run", "run", "whole", "attn", "mlp"],
    }


def test_a_layer_without_any_tokens_shows_as_skipped_whole() -> None:
    assert drawn("vision absent 1; text frozen 1").cells["layer"] == ["run", "whole", "run", "run", "run"]


def test_a_click_goes_through_every_action_of_its_row_and_back_to_run() -> None:
    assert drawn("none").cycles == {
        "vision": ["run", "absent", "frozen"],
        "text": ["run", "absent", "frozen"],
        "layer": ["run", "whole", "attn", "mlp"],
    }


def test_a_gesture_is_handed_on_as_it_came_and_answered_by_its_name() -> None:
    strip, heard = drawn("none"), []
    strip.on_paint(heard.append)
    gesture = {"row": "vision", "layers": [1, 2], "action": "absent", "id": "view-1"}
    strip._handle_custom_msg(gesture, [])
    assert heard == [gesture]
    assert strip.answered == "view-1"


def test_undo_and_redo_are_handed_on_apart_from_gestures() -> None:
    strip, painted, travelled = drawn("none"), [], []
    strip.on_paint(painted.append)
    strip.on_travel(travelled.append)
    for content in ({"travel": "undo"}, {"travel": "redo"}, {"travel": "close"}, "undo", None):
        strip._handle_custom_msg(content, [])
    assert travelled == ["undo", "redo"]
    assert painted == ["undo", None]  # whatever else the page says is for `Paint.read` to refuse


@pytest.mark.parametrize(
    "row, layers, action, expected",
    [
        ("vision", [0, 1], "absent", "vision absent 0-1; whole 4"),
        ("text", [3], "frozen", "text frozen 3; whole 4"),
        ("layer", [1], "mlp", "mlp 1; whole 4"),
        ("layer", [4], "run", "none"),
        ("vision", [4], "run", "none"),
        ("vision", [4], "absent", "vision absent 4"),
    ],
)
def test_a_gesture_changes_the_cells_it_covers_and_no_others(
    row: str, layers: list[int], action: str, expected: str
) -> None:
    before = SkipSet.parse("whole 4", num_layers=5)
    paint = Paint.read({"row": row, "layers": layers, "action": action}, num_layers=5)
    assert str(paint.on(before)) == expected


@pytest.mark.parametrize(
    "content, words",
    [
        (
            {"row": "audio", "layers": [0], "action": "absent"},
            "row is 'audio', but should be one of vision, text, layer",
        ),
        (
            {"row": "vision", "layers": [0], "action": "whole"},
            "action is 'whole', but should be one of run, frozen, absent",
        ),
        ({"row": "layer", "layers": [0], "action": "absent"}, "one of run, attn, mlp, whole in the row 'layer'"),
        (
            {"row": "vision", "layers": [5], "action": "absent"},
            r"layers is \[5\], but should be a list of layers from 0 to 4",
        ),
        ({"row": "vision", "layers": [-1], "action": "absent"}, "a list of layers from 0 to 4"),
        ({"row": "vision", "layers": [True], "action": "absent"}, "a list of layers from 0 to 4"),
        ({"row": "vision", "layers": "0", "action": "absent"}, "a list of layers from 0 to 4"),
        ({}, "row is 'None'"),
        ("absent", "row is 'None'"),
    ],
)
def test_what_the_page_sends_is_checked(content: object, words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Paint.read(content, num_layers=5)
