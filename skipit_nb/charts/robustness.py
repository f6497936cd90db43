"""Robustness as a picture: a column per perturbation, and what it does to accuracy, to distances, and why perhaps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from skipit_nb.charts.log_axis import LOG_FLOOR
from skipit_nb.charts.marks import A_LOOK, B_LOOK, DISTANCE_UNIT, Look, numbered_looks
from skipit_nb.charts.paper import FAINT, INK, Row, finished, layered, measured_on, panel, rows, series_looks, stacked
from skipit_nb.errors import SettingError
from skipit_nb.results import OUTCOMES, Robustness, RobustnessRow
from skipit_nb.results.robustness import CLEAN

COLUMN, HEIGHT = 150, 150
Y_EXTENT = 44
"""Pixels for the numbers of the leftmost axes: so the panels of all rows stand in columns."""

FULL, FULL_LOOK = "full model", Look(INK, "circle", (1, 0))
MOST_NAMED = 5
"""More skip sets than these are thin lines alike, and the lowest is named."""
LEAST_GAP = 0.05
"""Accuracy by which it must lie below the full model for that."""
LOG_FROM = 20
"""Where the largest distance is so many times the smallest, or more, their axis is logarithmic."""

BEFORE, AFTER = "clean image", "strongest perturbation"

HEADINGS = {"noise": "Noise", "blur": "Blur", "occlusion": "Occlusion", "fgsm": "FGSM attack", "pgd": "PGD attack"}
SCALES = {
    "noise": ("σ (values 0 to 1)", 1),
    "blur": ("radius (px)", 1),
    "occlusion": ("share of area covered", 1),
    "fgsm": ("ε (of 255)", 255),
    "pgd": ("ε (of 255)", 255),
}
"""What the axis of severities counts, and how many of these a severity is."""


def robustness_chart(result: Robustness, outcome: str = "accuracy") -> alt.VConcatChart:
    """A column per perturbation, three panels each.

    Above: accuracy against severity, of the full model and of each skip set. In the middle: how far each layer turns
    the vision tokens, on clean images and under the strongest perturbation; low = redundant. Below: for each layer
    the rank correlation, across questions, of the distance on the clean image and of what the strongest perturbation
    costs the full model: above 0, questions for which the layer is less redundant lose more.

    Args:
        result: What was measured.
        outcome: What the lowest panels correlate with: "accuracy" lost, or "log_likelihood" of the right answer lost.

    Raises:
        SettingError: If the outcome is neither.
    """
    if outcome not in OUTCOMES:
        raise SettingError("outcome", outcome, f"one of {', '.join(OUTCOMES)}")
    kinds = list(result.perturbations)
    title = "What perturbed images do to accuracy and redundancy"
    accuracies = _row(kinds, [_accuracies(result, kind, is_first=not at) for at, kind in enumerate(kinds)])
    distances = _row([], [_distances(result, kind, is_first=not at) for at, kind in enumerate(kinds)])
    ranks = _row([], [_correlations(result, kind, outcome, is_first=not at) for at, kind in enumerate(kinds)])
    own: dict[str, Any] = dict.fromkeys(("color", "shape", "strokeDash", "strokeWidth"), "independent")
    picture = stacked(accuracies, distances, ranks, spacing=14, **own)
    return finished(picture, title, _subtitle(result), f"{title}. {_described(result, outcome)}")


def _subtitle(result: Robustness) -> list[str]:
    lines = [
        measured_on(result.provenance),
        "bars: 95 % intervals by image, not corrected for their number; above, of the full model's difference to clean",
        "open circles: fewer than 10 answers changed, too few for an interval",
    ]
    return (
        [*lines, "attacks are made against the full model and transferred to the skip sets"] if result.attack else lines
    )


def _described(result: Robustness, outcome: str) -> str:
    clean, *_ = result.rows
    sentences = [f"The full model answers {clean.accuracy:.1%} of clean images right."]
    for kind, severities in result.perturbations.items():
        full, *others = _of(result, kind, severities[-1])
        words = f"Under {HEADINGS[kind]} at its strongest, {severities[-1]:.3g}, {full.accuracy:.1%}"
        worst = min(others, key=lambda row: row.accuracy, default=None)
        sentences.append(f"{words}; lowest with '{worst.skipset}', {worst.accuracy:.1%}." if worst else f"{words}.")
        told = [row for row in correlation_rows(result, kind, outcome) if row["low"] is not None]
        clear = [str(row["layer"]) for row in told if row["low"] > 0 or row["high"] < 0]
        where = f"layers {', '.join(clear)}" if clear else "no layer"
        sentences.append(f"The interval of ρ leaves out 0 at {where}.")
    return " ".join(sentences)


def _of(result: Robustness, kind: str, severity: float) -> list[RobustnessRow]:
    """All arms under one perturbation."""
    return [row for row in result.rows if (row.perturbation, row.severity) == (kind, severity)]


def _row(headings: Sequence[str], panels: Sequence[alt.LayerChart]) -> alt.HConcatChart:
    named = [panel(one, HEADINGS[kind], HEIGHT, COLUMN) for one, kind in zip(panels, headings, strict=bool(headings))]
    return alt.hconcat(*(named or panels), spacing=12, bounds="flush")


def _y(
    field: str, title: list[str], domain: tuple[float, float], numbers: str, *, is_first: bool, is_log: bool = False
) -> alt.Y:
    """One axis a row, on its left; the others have its grid only."""
    lines: dict[str, Any] = {"values": [10.0**n for n in range(-6, 1)]} if is_log else {"tickCount": 4}
    shown = alt.Axis(format=numbers, minExtent=Y_EXTENT, maxExtent=Y_EXTENT, **lines)
    grid = alt.Axis(labels=False, ticks=False, domain=False, **lines)
    kind: dict[str, Any] = {"type": "log"} if is_log else {"zero": False}
    scale = alt.Scale(domain=list(domain), nice=False, **kind)
    return alt.Y(f"{field}:Q", title=title if is_first else None, axis=shown if is_first else grid, scale=scale)


# -- accuracy -----------------------------------------------------------------------------------------------------


def accuracy_rows(result: Robustness, kind: str) -> list[Row]:
    """One row per severity, 0 = clean first, and arm: arm, series (its name in the legend), severity as the axis
    counts it, accuracy, and the interval's ends low and high, in accuracy.
    """
    _, times = SCALES[kind]
    is_named = len(result.skipsets) - 1 <= MOST_NAMED
    clean = {row.skipset: row for row in _of(result, CLEAN, 0.0)}
    found = [*clean.values(), *(row for value in result.perturbations[kind] for row in _of(result, kind, value))]
    return [
        {
            "arm": FULL if row.skipset.is_empty else str(row.skipset),
            "series": _series(row, is_named=is_named, count=len(result.skipsets) - 1),
            "severity": row.severity * times,
            "accuracy": row.accuracy,
            "low": max(clean[row.skipset].accuracy + row.low, 0.0),
            "high": min(clean[row.skipset].accuracy + row.high, 1.0),
        }
        for row in found
    ]


def _series(row: RobustnessRow, *, is_named: bool, count: int) -> str:
    if row.skipset.is_empty:
        return FULL
    return str(row.skipset) if is_named else f"each of {count} skip sets"


def _accuracies(result: Robustness, kind: str, *, is_first: bool) -> alt.LayerChart:
    values = accuracy_rows(result, kind)
    name, times = SCALES[kind]
    ticks = [0, *(severity * times for severity in result.perturbations[kind])]
    scale = alt.Scale(domain=[-0.04 * ticks[-1], 1.08 * ticks[-1]], nice=False)
    axis = alt.Axis(values=ticks, format=".2~g", grid=False)
    x = alt.X("severity:Q", title=name, scale=scale, axis=axis)
    title, lowest = ["accuracy", "(high = better)"], min(row.accuracy for row in result.rows)
    domain = (lowest - 0.13 * (1.04 - lowest), 1.04)  # room for a name beneath the lowest, and for 100 %
    y = _y("accuracy", title, domain, ".0%", is_first=is_first)
    looks = series_looks("series", _looks(list(dict.fromkeys(row["series"] for row in values))))
    others = rows([row for row in values if row["arm"] != FULL]).encode(x=x, y=y, detail="arm:N", **_dashed(looks))
    full = rows([row for row in values if row["arm"] == FULL]).encode(x=x, color=looks["color"])
    low = _y("low", title, domain, ".0%", is_first=is_first)
    tooltip = ["arm:N", "severity:Q", alt.Tooltip("accuracy:Q", format=".1%")]
    marks = [
        others.mark_line(strokeWidth=1.2, opacity=0.75),
        full.mark_rule(strokeWidth=1.5).encode(y=low, y2="high:Q"),
        full.mark_line(strokeWidth=2.5).encode(y=y, strokeDash=looks["strokeDash"]),
        full.mark_point(filled=True, size=40, opacity=1).encode(y=y, shape=looks["shape"], tooltip=tooltip),
    ]
    is_named = len(result.skipsets) - 1 <= MOST_NAMED
    marks.insert(
        1,
        others.mark_point(filled=True, size=35 if is_named else 10, opacity=1).encode(
            shape=looks["shape"], tooltip=tooltip
        ),
    )
    named = [] if is_named else [mark.encode(x=x, y=y, text="arm:N") for mark in _lowest(values)]
    return layered(*marks, *named, width=COLUMN, height=HEIGHT)


def _dashed(looks: dict[str, Any]) -> dict[str, Any]:
    return {name: looks[name] for name in ("color", "strokeDash")}


def _looks(series: list[str]) -> dict[str, Look]:
    """The full model is dark and solid; one look for many sets, else one for each."""
    others = series[1:]
    if len(others) == 1 and others[0].startswith("each of"):
        return {FULL: FULL_LOOK, others[0]: Look("#8C8C8C", "square", (1, 0))}
    return {FULL: FULL_LOOK} | numbered_looks(others)


def _lowest(values: list[Row]) -> list[alt.Chart]:
    """The name of the set that is lowest at the strongest severity, beneath its end; none where it hardly is."""
    strongest = max(row["severity"] for row in values)
    full, *others = [row for row in values if row["severity"] == strongest]
    worst = min(others, key=lambda row: row["accuracy"], default=full)
    if full["accuracy"] - worst["accuracy"] < LEAST_GAP:
        return []
    return [rows([worst]).mark_text(align="right", baseline="top", dy=5, fontSize=10, color=FAINT)]


# -- distances and correlations -----------------------------------------------------------------------------------


def _layer(num_layers: int) -> alt.X:
    """Five labels or so: the panels are narrow."""
    step = max(1, round(num_layers / 5))
    axis = alt.Axis(values=list(range(0, num_layers, step)), format="d", grid=False)
    return alt.X("layer:Q", title="layer", axis=axis, scale=alt.Scale(domain=[-0.5, num_layers - 0.5], nice=False))


def distance_rows(result: Robustness, kind: str) -> list[Row]:
    """One row per layer, on clean images and under the strongest perturbation of a kind: layer, image, distance.

    Distances of a logarithmic axis: what lies below 2e-6 is drawn there.
    """
    strongest = result.perturbations[kind][-1]
    found = {BEFORE: result.distances(), AFTER: result.distances(kind, strongest)}
    return [
        {"layer": layer, "image": image, "distance": max(distance, LOG_FLOOR)}
        for image, distances in found.items()
        for layer, distance in enumerate(distances)
    ]


def _distances(result: Robustness, kind: str, *, is_first: bool) -> alt.LayerChart:
    every = [row["distance"] for other in result.perturbations for row in distance_rows(result, other)]
    is_log = max(every) >= LOG_FROM * min(every)
    domain = (min(every) / 1.5, max(every) * 1.5) if is_log else (0.0, 1.08 * max(every))
    title = [f"distance d = {DISTANCE_UNIT}", "(low = redundant)"]
    y = _y("distance", title, domain, "~g", is_first=is_first, is_log=is_log)
    looks = series_looks("image", {BEFORE: A_LOOK, AFTER: B_LOOK})
    x, values = _layer(result.provenance.num_layers), distance_rows(result, kind)
    base = rows(values).encode(x=x, y=y, color=looks["color"])
    line = base.mark_line(strokeWidth=1.8).encode(strokeDash=looks["strokeDash"])
    tooltip = ["layer:Q", "image:N", alt.Tooltip("distance:Q", format=".4g")]
    points = base.mark_point(filled=True, size=30, opacity=1).encode(shape=looks["shape"], tooltip=tooltip)
    return layered(line, points, width=COLUMN, height=HEIGHT)


def correlation_rows(result: Robustness, kind: str, outcome: str) -> list[Row]:
    """One row per layer under the strongest perturbation, the full model's answers: layer, rho, low, high, changed."""
    strongest = result.perturbations[kind][-1]
    return [
        {"layer": row.layer, "rho": row.rho, "low": row.low, "high": row.high, "changed": row.changed}
        for row in result.by_layer
        if (row.perturbation, row.severity, row.outcome) == (kind, strongest, outcome)
        and row.skipset.is_empty
        and row.rho is not None
    ]


def _correlations(result: Robustness, kind: str, outcome: str, *, is_first: bool) -> alt.LayerChart:
    every = [row for other in result.perturbations for row in correlation_rows(result, other, outcome)]
    ends = [abs(row[name]) for row in every for name in ("rho", "low", "high") if row[name] is not None]
    most = min(1.0, 1.08 * max([0.3, *ends]))
    title = ["ρ of distance and", f"{outcome.replace('_', '-')} lost"]
    found, x = correlation_rows(result, kind, outcome), _layer(result.provenance.num_layers)
    y, low = (_y(name, title, (-most, most), ".1~f", is_first=is_first) for name in ("rho", "low"))
    told, untold = ([row for row in found if (row["low"] is None) == is_open] for is_open in (False, True))
    tooltip = ["layer:Q", *(alt.Tooltip(f"{name}:Q", format="+.2f") for name in ("rho", "low", "high")), "changed:Q"]
    zero = rows([{"rho": 0}]).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(y=y)
    bars = rows(told).mark_rule(color=B_LOOK.color, strokeWidth=1.5).encode(x=x, y=low, y2="high:Q")
    points = rows(told).mark_point(filled=True, size=35, opacity=1, color=B_LOOK.color)
    opened = rows(untold).mark_point(filled=False, size=30, opacity=1, color=FAINT)
    circles = [mark.encode(x=x, y=y, tooltip=tooltip) for mark in (points, opened)]
    return layered(zero, bars, *circles, width=COLUMN, height=HEIGHT)
