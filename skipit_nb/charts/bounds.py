"""The implications of the theory as a picture: what was measured on each layer beside what each of them allows."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.log_axis import decades
from skipit_nb.charts.marks import Look
from skipit_nb.charts.paper import FAINT, Row, finished, layer_axis, layered, measured_on, panel, rows, series_looks
from skipit_nb.results import BoundRow, BoundsReport

SIZE = (300, 95)
COLUMNS = 2
FLOOR = 1e-4
"""A log axis has no zero: what lies below is drawn here."""

MARKS = {
    "measured": Look("#0072B2", "circle", (1, 0)),
    "allowed": Look("#8A6D00", "triangle-down", (1, 0)),
    "allowed, says nothing": Look("#6B6B6B", "cross", (1, 0)),
    "allowed, broken": Look("#D55E00", "square", (1, 0)),
}


def bounds_chart(report: BoundsReport) -> alt.VConcatChart:
    """A panel per implication: on each layer what was measured, and above it what the bound allows, on a log axis.

    The grey line between them is how loose the bound is. A cross is a bound that allows as much as the quantity could
    be anyway (the dashed line), so that it says nothing of this layer. That a bound on counted information holds is
    mathematics and no evidence; only those with α, a sampled Lipschitz constant, can break.
    """
    names = list(dict.fromkeys(row.implication for row in report.rows))
    told = sum(not row.is_vacuous for row in report.rows)
    broken = sum(not row.holds for row in report.rows)
    looks = _looks(report)
    panels = [_panel(report, name, looks, is_low=name in names[-COLUMNS:]) for name in names]
    grid = [alt.hconcat(*panels[at : at + COLUMNS], spacing=24) for at in range(0, len(panels), COLUMNS)]
    title = "What each implication allows, beside what was measured"
    setting = f"view {report.view}, {report.k} codes, ε = {report.epsilon:g}; dashed: what is so anyway"
    subtitle = [measured_on(report.provenance), f"{setting}; below {FLOOR:g} drawn at {FLOOR:g}"]
    subtitle += [f"left out: {report.left_out}"] if report.left_out else []
    words = f"{title}, per layer, on a log axis. {told} of {len(report.rows)} bounds say something; broken: {broken}."
    return finished(alt.vconcat(*grid, spacing=12), title, subtitle, words)


def bounds_rows(report: BoundsReport, implication: str) -> list[Row]:
    """Two rows per layer, what was measured and what is allowed: layer, mark, and value, not below the axis' floor."""
    found: list[Row] = []
    for row in report.rows:
        if row.implication == implication:
            about = {"layer": row.layer, "premise": row.premise, "conclusion": row.conclusion}
            found.append(about | {"mark": "measured", "value": max(row.measured, FLOOR)})
            found.append(about | {"mark": _mark(row), "value": max(row.bound, FLOOR)})
    return found


def _mark(row: BoundRow) -> str:
    if not row.holds:
        return "allowed, broken"
    return "allowed, says nothing" if row.is_vacuous else "allowed"


def _looks(report: BoundsReport) -> dict[str, Look]:
    present = {"measured", *map(_mark, report.rows)}
    return {name: look for name, look in MARKS.items() if name in present}


def _panel(report: BoundsReport, implication: str, look: dict[str, Look], *, is_low: bool) -> alt.LayerChart:
    """One implication; only the lowest panels have numbers and a title below."""
    values, found = bounds_rows(report, implication), [r for r in report.rows if r.implication == implication]
    y = _y(values, found)
    x = layer_axis(report.provenance.num_layers, has_ticks=False)
    x = x if is_low else x.title(None).axis(alt.Axis(labels=False, ticks=False, grid=False))
    gaps = [{"layer": row.layer, "value": max(row.measured, FLOOR), "bound": max(row.bound, FLOOR)} for row in found]
    slack = rows(gaps).mark_rule(color="#BDBDBD").encode(x=x, y=y, y2="bound:Q")
    limits = [{"layer": row.layer, "value": max(row.trivial, FLOOR)} for row in found]
    limit = rows(limits).mark_line(strokeDash=[5, 4], color=FAINT, strokeWidth=1.2).encode(x=x, y=y)
    points = [
        _points([row for row in values if (row["mark"] == "measured") == is_on_top], x, y, look, is_on_top)
        for is_on_top in (False, True)
    ]
    return panel(layered(limit, slack, *points), implication, SIZE[1], SIZE[0])


def _points(values: list[Row], x: alt.X, y: alt.Y, look: dict[str, Look], is_small: bool) -> alt.Chart:
    """What was measured is small and lies on top, so that a bound as tight as can be is seen behind it."""
    looks = series_looks("mark", look)
    tooltip = ["layer:Q", "mark:N", alt.Tooltip("value:Q", format=".4g"), "premise:N", "conclusion:N"]
    marks = rows(values).mark_point(filled=True, size=22 if is_small else 60, opacity=1)
    points: alt.Chart = marks.encode(x=x, y=y, color=looks["color"], shape=looks["shape"], tooltip=tooltip)
    return points


def _y(values: list[Row], found: list[BoundRow]) -> alt.Y:
    """A log axis for what was measured, what is allowed, and what is so anyway."""
    everything = [*(row["value"] for row in values), *(max(row.trivial, FLOOR) for row in found)]
    title = found[0].unit.replace("-", "\N{MINUS SIGN}")
    return alt.Y("value:Q", title=title, **decades(everything, ticks=False))
