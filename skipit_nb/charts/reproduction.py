"""A reproduction as a picture: what was measured of the layers, and what labels say of the bands that follow."""

from __future__ import annotations

from typing import Any

import altair as alt

from skipit_nb.charts.log_axis import LOG_FLOOR
from skipit_nb.charts.marks import DISTANCE_UNIT, FLOW_LOOK, LOOKS, Look
from skipit_nb.charts.paper import FAINT, INK, Row, finished, layer_axis, layered, measured_on, panel, rows, shaded
from skipit_nb.results import BandAccuracy, Reproduction

PANEL_HEIGHT, ROW_HEIGHT = 150, 26
NAMES = {
    "full": "full model",
    "predicted": "predicted",
    "late entry": "its late entry",
    "early exit": "its early exit",
    "middle": "middle band",
}


def reproduction_chart(reproduction: Reproduction) -> alt.VConcatChart:
    """Three panels: distance of the vision tokens and VAR by layer, without labels; below, accuracy with labels.

    The predicted layers are shaded, the middle band is framed; distance has a log axis. Bars in the upper panels are
    95 % intervals over images; those of accuracy belong to the difference to the full model, and the dashed line is the
    accuracy that may be lost. Small marks are the bands that were ranked.
    """
    counts = ", ".join(f"{count} {word}" for word, count in reproduction.counts.items())
    title = f"Five checks of the paper's claims: {counts}"
    outcomes = "; ".join(f"{check.number} {check.outcome}" for check in reproduction.checks)
    words = f"{title}. Distance of vision tokens and VAR at each layer; accuracy of the bands. {outcomes}."
    subtitle = [measured_on(reproduction.provenance), f"checks: {outcomes}"]
    return finished(alt.vconcat(*_panels(reproduction), spacing=16), title, subtitle, words)


def accuracy_rows(reproduction: Reproduction) -> list[Row]:
    """One row per set of layers that has a role of its own: row, skipset, accuracy, and the bar's ends low and high."""
    (full,) = reproduction.of("full")
    return [_accuracy_row(arm, full) for arm in reproduction.arms if arm.role in NAMES]


def _accuracy_row(arm: BandAccuracy, full: BandAccuracy) -> Row:
    ends = (full.accuracy + arm.low, full.accuracy + arm.high)
    low, high = (arm.accuracy_low, arm.accuracy_high) if arm is full else ends
    named = NAMES[arm.role] if arm is full else f"{NAMES[arm.role]}: {arm.skipset}"
    return {
        "row": named,
        "skipset": str(arm.skipset),
        "accuracy": arm.accuracy,
        "low": max(low, 0.0),
        "high": min(high, 1.0),
    }


def _panels(reproduction: Reproduction) -> list[alt.LayerChart]:
    distance = [f"distance d = {DISTANCE_UNIT}", "(low = redundant)"]
    curves = [_curve(reproduction, "distance", distance, LOOKS["vision"])]
    headings = ["How far each layer moves the vision tokens, and which layers follow from it"]
    if any(row.var is not None for row in reproduction.layers):
        curves.append(_curve(reproduction, "var", ["VAR", "(high = text reads image)"], FLOW_LOOK))
        headings.append("How much the last prompt token attends to them")
    judged = _accuracies(reproduction)
    drawn = [panel(curve, heading, PANEL_HEIGHT) for curve, heading in zip(curves, headings, strict=True)]
    return [*drawn, panel(judged, "Accuracy without vision tokens in some layers", judged.height)]


def _curve(reproduction: Reproduction, field: str, title: list[str], look: Look) -> alt.LayerChart:
    """One quantity by layer, with its interval, over the predicted and the middle layers."""
    depth = reproduction.provenance.num_layers
    values = _layer_rows(reproduction, field)
    # Distances span orders of magnitude, and the check takes geometric means of them.
    is_log = field == "distance"
    scale = alt.Scale(type="log") if is_log else alt.Scale(zero=True)
    axis = alt.Axis(values=[10.0**n for n in range(-6, 1)], format="~g") if is_log else alt.Axis()
    y = alt.Y(f"{field}:Q", title=title, scale=scale, axis=axis)
    base = rows(values).encode(x=layer_axis(depth))
    bars = rows([row for row in values if row["low"] is not None]).encode(x=layer_axis(depth))
    ends = alt.Y("low:Q", title=title, scale=scale, axis=axis)
    interval = bars.mark_rule(color=look.color, strokeWidth=2).encode(y=ends, y2="high:Q")
    line = base.mark_line(color=look.color, strokeWidth=2).encode(y=y)
    points = base.mark_point(filled=True, size=45, opacity=1, color=look.color, shape=look.shape)
    dots = points.encode(y=y, tooltip=["layer:Q", alt.Tooltip(f"{field}:Q", format=".4g")])
    below = [*shaded(reproduction.predicted, depth), *_outlined(reproduction)]
    return layered(*below, interval, line, dots)


def _layer_rows(reproduction: Reproduction, field: str) -> list[Row]:
    """Layers where the quantity was measured; a log axis has no zero, so a distance below its floor is drawn there."""
    floor = LOG_FLOOR if field == "distance" else 0.0
    names = {field: field, "low": f"{field}_low", "high": f"{field}_high"}
    found = [(row.layer, {name: getattr(row, own) for name, own in names.items()}) for row in reproduction.layers]
    return [
        {"layer": layer} | {name: None if value is None else max(value, floor) for name, value in measured.items()}
        for layer, measured in found
        if measured[field] is not None
    ]


def _outlined(reproduction: Reproduction) -> list[alt.Chart]:
    """A dashed frame around the middle band, with its name; nothing where it was not judged."""
    found = reproduction.of("middle")
    if not found:
        return []
    layers = found[0].skipset.layers("absent")
    base = rows([{"layer": layers[0] - 0.5, "stop": layers[-1] + 0.5, "words": "middle band"}])
    x = layer_axis(reproduction.provenance.num_layers)
    frame = base.mark_rect(filled=False, stroke=FAINT, strokeDash=[4, 3]).encode(x=x, x2="stop:Q")
    label = base.mark_text(align="left", baseline="bottom", dx=4, dy=-3, color=FAINT, fontSize=10)
    return [frame, label.encode(x=x, y=alt.value(PANEL_HEIGHT), text="words:N")]


def _accuracies(reproduction: Reproduction) -> alt.LayerChart:
    values = accuracy_rows(reproduction)
    others = f"every band of {reproduction.span} layers"
    bands = [{"row": others, "skipset": str(arm.skipset), "accuracy": arm.accuracy} for arm in reproduction.of("band")]
    names = [row["row"] for row in values] + [others] * bool(bands)
    title = "accuracy (high = better)"
    x = alt.X("accuracy:Q", title=title, axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False, nice=True))
    # The order is a domain of plain strings: a sort would be compiled into an expression.
    y = alt.Y("row:N", scale=alt.Scale(domain=names), sort=None, axis=alt.Axis(title=None, labelLimit=300))
    base = rows(values).encode(y=y)
    bars = base.mark_rule(color=INK, strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q")
    tooltip: list[Any] = ["skipset:N", alt.Tooltip("accuracy:Q", format=".1%")]
    points = base.mark_point(filled=True, size=70, opacity=1, color=LOOKS["vision"].color)
    ticks = rows(bands).mark_point(shape="stroke", angle=90, size=90, color=FAINT, strokeWidth=1.5)
    may_lose = rows([{"accuracy": values[0]["accuracy"] - reproduction.margin}])
    line = may_lose.mark_rule(strokeDash=[5, 4], color=FAINT).encode(x=x)
    drawn = [line, bars, points.encode(x=x, tooltip=tooltip), ticks.encode(x=x, y=y, tooltip=tooltip)]
    return layered(*drawn, height=ROW_HEIGHT * len(names))
