"""The paper a chart is drawn on: fonts, grid, sizes, and the axis of layers that every picture shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import altair as alt

from skipit_nb.charts.marks import Look, tick_step, token_look
from skipit_nb.charts.skipped import skipped_bands
from skipit_nb.results import Provenance
from skipit_nb.skipset import SkipSet

Row: TypeAlias = dict[str, Any]
Resolved: TypeAlias = Literal["shared", "independent"]
Picture = TypeVar("Picture", alt.Chart, alt.LayerChart, alt.HConcatChart, alt.VConcatChart)

WIDTH, HEIGHT = 560, 220
PANEL_HEIGHT = 160
LETTER = 6.5
"""Pixels of a letter of ten, roughly."""

INK, FAINT, GRID = "#333333", "#767676", "#E6E6E6"

# Plain hex: vl-convert loses CSS variables, and axis lines with them.
CONFIG: dict[str, Any] = {
    "background": "#FFFFFF",
    "font": "DejaVu Sans, Helvetica, Arial, sans-serif",
    "view": {"stroke": None},
    # The limit: a model id of thousands of letters would make a picture of gigabytes.
    "title": {
        "anchor": "start",
        "color": INK,
        "fontSize": 14,
        "limit": 1200,
        "subtitleColor": FAINT,
        "subtitleFontSize": 11,
    },
    "axis": {
        "domainColor": FAINT,
        "gridColor": GRID,
        "labelColor": INK,
        "labelFlush": False,  # else the outermost labels are pushed inward, into their neighbours
        "labelFontSize": 11,
        "tickColor": FAINT,
        "titleColor": INK,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "legend": {
        "labelColor": INK,
        "orient": "top",
        "symbolOpacity": 1,
        "titleColor": INK,
        "titleFontWeight": "normal",
    },
}


class SharedRows(alt.InlineData):
    """Rows that all copies of a chart share: Altair copies a chart at every step, and nobody changes its rows."""

    def __deepcopy__(self, _: object) -> SharedRows:
        return self


def rows(values: Sequence[Row]) -> alt.Chart:
    """A chart over plain rows, without marks yet."""
    return alt.Chart(SharedRows(values=list(values)))


def finished(chart: Picture, title: str, subtitle: Sequence[str], description: str) -> Picture:
    """Give a chart that was just made its words and its paper: it is ready to be shown or saved."""
    # A title is a list of plain strings: nothing that comes from data is read as an expression.
    chart.title = alt.TitleParams(text=title, subtitle=list(subtitle), offset=12)
    # In place: each of Altair's own methods would copy the whole picture first.
    chart.description, chart.config = description, alt.Config(**CONFIG)
    return chart


def layered(*charts: alt.Chart, width: int = WIDTH, height: int = HEIGHT) -> alt.LayerChart:
    """Marks on top of each other, the first at the bottom."""
    return alt.LayerChart(layer=list(charts), width=width, height=height)


def layer_axis(num_layers: int, field: str = "layer", *, has_ticks: bool = True) -> alt.X:
    """The x axis of layers 0 to the last, with whole numbers at its ticks."""
    ticks = list(range(0, num_layers, tick_step(num_layers)))
    axis = alt.Axis(values=ticks, format="d", grid=False, ticks=has_ticks)
    return alt.X(f"{field}:Q", title="layer", axis=axis, scale=alt.Scale(domain=[-0.5, num_layers - 0.5], nice=False))


def token_looks(tokens: Sequence[str]) -> dict[str, Any]:
    """Colour, shape and dash of kinds of tokens: three encodings that share one legend."""
    return series_looks("tokens", {kind: token_look(kind, tokens) for kind in tokens})


def series_looks(field: str, looks: Mapping[str, Look]) -> dict[str, Any]:
    """Colour, shape and dash of any series, by the values of one field: three encodings that share one legend."""

    def scale(values: list[Any]) -> alt.Scale:
        return alt.Scale(domain=list(looks), range=values)

    # Without an outline: it would be drawn in dashes around the legend's symbols.
    legend = alt.Legend(title=None, symbolStrokeWidth=0, symbolSize=80)
    return {
        "color": alt.Color(f"{field}:N", legend=legend, scale=scale([look.color for look in looks.values()])),
        "shape": alt.Shape(f"{field}:N", legend=legend, scale=scale([look.shape for look in looks.values()])),
        "strokeDash": alt.StrokeDash(
            f"{field}:N", legend=legend, scale=scale([list(look.dash) for look in looks.values()])
        ),
    }


def panel(chart: alt.LayerChart, title: str, height: int = PANEL_HEIGHT, width: int = WIDTH) -> alt.LayerChart:
    """Make a chart one of several pictures that stand together, with a small heading."""
    chart.title = alt.TitleParams(text=title, fontSize=11, fontWeight="normal", offset=6, frame="group")
    chart.width, chart.height = width, height
    return chart


def stacked(*charts: alt.LayerChart | alt.HConcatChart, spacing: int = 18, **scales: Resolved) -> alt.VConcatChart:
    """Pictures below each other; for each channel named, whether they have its scale "shared" or "independent"."""
    resolved = alt.Resolve(scale=alt.ScaleResolveMap(**scales))
    return alt.VConcatChart(vconcat=list(charts), spacing=spacing, resolve=resolved)


def shaded(skipset: SkipSet | str | None, num_layers: int) -> list[alt.Chart]:
    """Grey bands behind the skipped layers, each with its action in words; no marks if nothing is skipped."""
    bands: list[Row] = [
        {"layer": band.start - 0.5, "stop": band.stop - 0.5, "skipped": band.label}
        for band in skipped_bands(skipset, num_layers)
    ]
    if not bands:
        return []
    base = rows(bands).encode(x=layer_axis(num_layers))
    rectangles = base.mark_rect(color="#000000", opacity=0.08, stroke="#FFFFFF", strokeWidth=2)
    return [rectangles.encode(x2="stop:Q", tooltip="skipped:N"), *_labels(bands, num_layers)]


def _labels(bands: list[Row], num_layers: int) -> list[alt.Chart]:
    """The bands' words at the top: level where they fit, else turned."""

    def fits(band: Row) -> bool:
        pixels: float = (band["stop"] - band["layer"]) * WIDTH / num_layers
        return pixels > len(band["skipped"]) * LETTER

    def named(some: list[Row], **turn: Any) -> list[alt.Chart]:
        words = rows(some).mark_text(color=INK, fontSize=10, baseline="top", dy=4, **turn)
        return [words.encode(x=layer_axis(num_layers), y=alt.value(0), text="skipped:N")] if some else []

    level = named([band for band in bands if fits(band)], align="left", dx=4)
    return level + named([band for band in bands if not fits(band)], align="right", dx=-4, angle=270)


def measured_on(provenance: Provenance) -> str:
    """One line that says what the numbers of a chart were measured on; a prompt of the user's own has no number."""
    count = len(provenance.samples)
    questions = f"{count} question{'s' * (count != 1)}" if count else ""
    parts = [provenance.model, provenance.task, questions, provenance.dtype]
    return " · ".join(part for part in parts if part)
