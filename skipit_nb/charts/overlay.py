"""One layer's distances laid over the image: which patches it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from skipit_nb.charts.marks import DISTANCE_UNIT, RAMP
from skipit_nb.charts.paper import Row, finished, layered, measured_on, rows
from skipit_nb.charts.pixels import image_url
from skipit_nb.errors import LayerIndexError, SettingError
from skipit_nb.results import TokenDistances

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = 320


def overlay_chart(
    distances: TokenDistances, layer: int, image: Any = None, *, number: int = 0, view: int = 0
) -> alt.LayerChart:
    """The vision tokens over their image, each where it lies; the darker a patch, the further the layer moves it.

    Args:
        distances: One question, token by token.
        layer: The layer, from 0.
        image: The question's image, of PIL, to be laid beneath; None shows the patches alone.
        number: Which of the question's images, from 0.
        view: 0 for the image as a whole, 1 for its tiles, in families that look twice.

    Raises:
        LayerIndexError: If the layer is not there.
        SettingError: If it is not known where the vision tokens lie, or there is no such image or view.
        ImageError: If `image` is not a PIL image.
    """
    values = overlay_rows(distances, layer, number=number, view=view)
    title = f"How far layer {layer} moves each vision token"
    words = f"{title}, from {min(_of(values)):.4g} to {max(_of(values)):.4g} in {DISTANCE_UNIT}; low is redundant."
    height = round(SIZE * _height(distances, image))
    patches = _patches(values, opacity=1.0 if image is None else 0.62)
    beneath = [] if image is None else [_picture(image, height)]
    picture = layered(*beneath, patches, width=SIZE, height=height)
    return finished(picture, title, [measured_on(distances.provenance)], words)


def overlay_rows(distances: TokenDistances, layer: int, *, number: int = 0, view: int = 0) -> list[Row]:
    """One row per vision token of this image and view: row, column, its edges in fractions of the image, distance."""
    if not 0 <= layer < len(distances.distance):
        raise LayerIndexError(layer, len(distances.distance))
    values, places = distances.vision(layer), distances.patches
    if not places:
        raise SettingError("grid", distances.grid, f"rows and columns of the {len(values)} vision tokens")
    placed = [(place, value) for place, value in zip(places, values, strict=True) if place is not None]
    here = [(place, value) for place, value in placed if (place.image, place.view) == (number, view)]
    if not here:
        known = sorted({(place.image, place.view) for place, _ in placed})
        raise SettingError("image and view", (number, view), f"one of {', '.join(map(str, known))}")
    tops, lefts = (sorted({getattr(place, edge) for place, _ in here}) for edge in ("top", "left"))
    return [
        {
            "row": tops.index(place.top),
            "column": lefts.index(place.left),
            "left": place.left,
            "top": place.top,
            "right": place.right,
            "bottom": place.bottom,
            "distance": value,
        }
        for place, value in here
    ]


def _height(distances: TokenDistances, image: Image | None) -> float:
    """Height of the picture for a width of 1: that of the image, else of its grid."""
    if image is not None and hasattr(image, "size"):
        return float(image.height / max(image.width, 1))
    height, width = distances.grid
    return height / width if width else 1.0


def _of(values: list[Row]) -> list[float]:
    return [row["distance"] for row in values]


def _patches(values: list[Row], opacity: float) -> alt.Chart:
    color = alt.Color(
        "distance:Q",
        title=f"distance, {DISTANCE_UNIT}",
        scale=alt.Scale(range=list(RAMP), domain=[0, max(_of(values)) or 1.0]),
        legend=alt.Legend(orient="right", format="~g"),
    )
    whole = alt.Scale(domain=[0, 1], nice=False)
    place = {
        "x": alt.X("left:Q", title="share of the image's width", axis=None, scale=whole),
        "x2": "right:Q",
        "y": alt.Y("top:Q", title="share of the image's height", axis=None, scale=alt.Scale(domain=[1, 0], nice=False)),
        "y2": "bottom:Q",
    }
    tooltip = ["row:O", "column:O", alt.Tooltip("distance:Q", format=".4g")]
    patches: alt.Chart = rows(values).mark_rect(opacity=opacity).encode(color=color, tooltip=tooltip, **place)
    return patches


def _picture(image: Image, height: int) -> alt.Chart:
    mark = rows([{"url": image_url(image)}]).mark_image(
        align="left", baseline="top", aspect=False, width=SIZE, height=height
    )
    picture: alt.Chart = mark.encode(url="url:N", x=alt.value(0), y=alt.value(0))
    return picture
