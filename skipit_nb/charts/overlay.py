"""One layer's distances laid over the image: which patches it moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import altair as alt

from skipit_nb.charts.marks import DISTANCE_UNIT, RAMP
from skipit_nb.charts.paper import Row, finished, layered, measured_on, rows
from skipit_nb.charts.pixels import image_url
from skipit_nb.errors import LayerIndexError, SettingError
from skipit_nb.results import TokenDistances

if TYPE_CHECKING:
    from PIL.Image import Image

SIZE = 320


def overlay_chart(distances: TokenDistances, layer: int, image: Image | None = None) -> alt.LayerChart:
    """The grid of vision tokens over the image; the darker a patch, the further the layer moves it.

    Args:
        distances: One question, token by token.
        layer: The layer, from 0.
        image: The question's image, to be laid beneath; None shows the grid alone.

    Raises:
        LayerIndexError: If the layer is not there.
        SettingError: If the vision tokens form no single grid.
        ImageError: If `image` is not a PIL image.
    """
    values = overlay_rows(distances, layer)
    title = f"How far layer {layer} moves each vision token"
    words = f"{title}, from {min(_of(values)):.4g} to {max(_of(values)):.4g} in {DISTANCE_UNIT}; low is redundant."
    height, width = distances.grid
    grid = _grid(values, opacity=1.0 if image is None else 0.62)
    beneath = [] if image is None else [_picture(image, width, height)]
    picture = layered(*beneath, grid, width=SIZE, height=round(SIZE * height / width))
    return finished(picture, title, [measured_on(distances.provenance)], words)


def overlay_rows(distances: TokenDistances, layer: int) -> list[Row]:
    """One row per vision token: row, column, and distance."""
    if not 0 <= layer < len(distances.distance):
        raise LayerIndexError(layer, len(distances.distance))
    height, width = distances.grid
    values = distances.vision(layer)
    if height * width == 0 or height * width != len(values):
        raise SettingError("grid", distances.grid, f"rows and columns of the {len(values)} vision tokens")
    return [{"row": i // width, "column": i % width, "distance": value} for i, value in enumerate(values)]


def _of(values: list[Row]) -> list[float]:
    return [row["distance"] for row in values]


def _grid(values: list[Row], opacity: float) -> alt.Chart:
    color = alt.Color(
        "distance:Q",
        title=f"distance, {DISTANCE_UNIT}",
        scale=alt.Scale(range=list(RAMP), domain=[0, max(_of(values)) or 1.0]),
        legend=alt.Legend(orient="right", format="~g"),
    )
    tooltip = ["row:O", "column:O", alt.Tooltip("distance:Q", format=".4g")]
    place = {"x": alt.X("column:O", axis=None), "y": alt.Y("row:O", axis=None)}
    grid: alt.Chart = rows(values).mark_rect(opacity=opacity).encode(color=color, tooltip=tooltip, **place)
    return grid


def _picture(image: Image, width: int, height: int) -> alt.Chart:
    mark = rows([{"url": image_url(image)}]).mark_image(
        align="left", baseline="top", aspect=False, width=SIZE, height=round(SIZE * height / width)
    )
    picture: alt.Chart = mark.encode(url="url:N", x=alt.value(0), y=alt.value(0))
    return picture
