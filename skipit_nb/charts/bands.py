"""Bands of layers as a picture: how far each one turns a token."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import DISTANCE_UNIT, RAMP, tick_step
from skipit_nb.charts.paper import Row, finished, layered, measured_on, rows
from skipit_nb.results import BandDistances
from skipit_nb.results.bands import BandMetric, check_metric

SIZE = 380
UNITS = {"angle": "arccos(cos) / π, 0 to 1", "distance": f"{DISTANCE_UNIT}, 0 to 2"}


def band_map(
    bands: BandDistances, tokens: str = "last", metric: BandMetric = "angle", layers: int | None = None
) -> alt.LayerChart:
    """A square per band of layers, the darker the further it turns a token. Pale = redundant.

    Read along a diagonal to compare bands of equal length; the lowest one is the single layers.

    Args:
        bands: What was measured.
        tokens: One kind: "vision", "text", "first", "last" or "all".
        metric: "angle" as a share of π, or "distance" = 1 - cos.
        layers: Mark the best band of so many layers, by angle; None marks none.

    Raises:
        SettingError: If that kind of token did not occur, the metric is neither, or no band has so many layers.
    """
    check_metric(metric)
    values = band_map_rows(bands, tokens, metric)
    title = f"How far every band of layers turns {_named(tokens)}"
    most = max(row["value"] for row in values)
    words = f"{title}, in {UNITS[metric]}, low is redundant; at most {most:.4g}."
    marks, subtitle = [_squares(values, metric, bands.num_layers, most)], [measured_on(bands.provenance)]
    if layers is not None:
        best = bands.best(layers, tokens)
        span = f"best band of {layers}: layers {best.start} to {best.stop - 1} ({getattr(best, metric):.4g})"
        words, subtitle = f"{words} The {span}.", [*subtitle, f"outlined: {span}"]
        marks.append(_outline([row for row in values if (row["start"], row["last"]) == (best.start, best.stop - 1)]))
    return finished(layered(*marks, width=SIZE, height=SIZE), title, subtitle, words)


def band_map_rows(bands: BandDistances, tokens: str, metric: BandMetric) -> list[Row]:
    """One row per band: start and last, both layers of it, and value; x, y and their ends x2, y2 are its square."""
    return [
        {
            "start": band.start,
            "last": band.stop - 1,
            "value": getattr(band, metric),
            "x": band.start - 0.5,
            "x2": band.start + 0.5,
            "y": band.stop - 1.5,
            "y2": band.stop - 0.5,
        }
        for band in bands.of(tokens)
    ]


def _named(tokens: str) -> str:
    return {"first": "the first token", "last": "the last token", "all": "tokens"}.get(tokens, f"{tokens} tokens")


def _squares(values: list[Row], metric: str, num_layers: int, most: float) -> alt.Chart:
    ticks = list(range(0, num_layers, tick_step(num_layers)))
    axis = alt.Axis(values=ticks, format="d", grid=False)
    scale = alt.Scale(domain=[-0.5, num_layers - 0.5], nice=False)
    color = alt.Color(
        "value:Q",
        title=[metric, UNITS[metric], "(low = redundant)"],
        scale=alt.Scale(range=list(RAMP), domain=[0, most or 1.0]),
        legend=alt.Legend(orient="right", format="~g"),
    )
    squares: alt.Chart = (
        rows(values)
        .mark_rect(stroke="#FFFFFF", strokeWidth=0.5)
        .encode(
            x=alt.X("x:Q", title="first layer of the band", axis=axis, scale=scale),
            y=alt.Y("y:Q", title="last layer of the band", axis=axis, scale=scale),
            x2="x2:Q",
            y2="y2:Q",
            color=color,
            tooltip=["start:Q", "last:Q", alt.Tooltip("value:Q", title=metric, format=".4g")],
        )
    )
    return squares


def _outline(values: list[Row]) -> alt.Chart:
    mark = rows(values).mark_rect(filled=False, stroke="#D55E00", strokeWidth=2.5)
    outline: alt.Chart = mark.encode(x="x:Q", x2="x2:Q", y="y:Q", y2="y2:Q")
    return outline
