"""Methods at one cost as a picture: what each loses in answers, beside random sets that save the same."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import COLORS
from skipit_nb.charts.paper import FAINT, INK, Row, finished, layered, measured_on, rows
from skipit_nb.results import EqualCost, EqualCostRow
from skipit_nb.results.equal_cost import CONTROL

ROW_HEIGHT = 26
DELTA = "accuracy minus the full model's, points (0 = nothing lost)"
KINDS = {"skips layers": ("circle", COLORS[0]), "drops tokens": ("diamond", COLORS[2]), CONTROL: ("cross", FAINT)}


def equal_cost_chart(result: EqualCost) -> alt.LayerChart:
    """The points each method loses, with simultaneous intervals, best first; the dashed line is the full model.

    A method is worth its name where it stands right of the random sets of its kind.
    """
    values = equal_cost_rows(result)
    names = [row["row"] for row in values]
    y = alt.Y("row:N", sort=None, scale=alt.Scale(domain=names), axis=alt.Axis(title=None, labelLimit=420))
    x = alt.X("points:Q", title=DELTA, axis=alt.Axis(format="+.0f"))
    legend = alt.Legend(title=None, symbolStrokeWidth=0, symbolSize=80)
    domain, marks = list(KINDS), list(KINDS.values())
    color = alt.Color("kind:N", legend=legend, scale=alt.Scale(domain=domain, range=[mark for _, mark in marks]))
    shape = alt.Shape("kind:N", legend=legend, scale=alt.Scale(domain=domain, range=[mark for mark, _ in marks]))
    base = rows(values).encode(y=y)
    interval = base.mark_rule(color=INK, strokeWidth=1.5).encode(x=alt.X("low:Q", title=DELTA), x2="high:Q")
    tooltip = ["row:N", alt.Tooltip("points:Q", format="+.1f"), alt.Tooltip("speedup:Q", format=".2f")]
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, color=color, shape=shape, tooltip=tooltip)
    full = rows([{"points": 0.0}]).mark_rule(strokeDash=[5, 4], color=FAINT).encode(x=x)
    title = f"Methods that all save a factor of {result.speedup:g}"
    subtitle = [measured_on(result.provenance), "bars: 95 % intervals that hold together (max-T, by image)"]
    best, worst = values[0], values[-1]
    words = (
        f"{title}: best is {best['row']}, {best['points']:+.1f} points; worst {worst['row']}, {worst['points']:+.1f}."
    )
    picture = layered(full, interval, points, height=ROW_HEIGHT * len(values))
    return finished(picture, title, subtitle, words)


def equal_cost_rows(result: EqualCost) -> list[Row]:
    """One row per method, best first: its words, its kind, points lost, the interval's ends, and its speed-up."""
    ordered = sorted(result.rows, key=lambda row: -row.delta)
    return [_row(place, row) for place, row in enumerate(ordered, start=1)]


def _row(place: int, row: EqualCostRow) -> Row:
    drops = row.drop is not None
    return {
        "row": f"{place}. {row.method}: {_short(row) if drops else row.action}",
        "kind": CONTROL if row.method.startswith(CONTROL) else "drops tokens" if drops else "skips layers",
        "points": 100 * row.delta,
        "low": 100 * row.low,
        "high": 100 * row.high,
        "speedup": row.flops_ratio,
    }


def _short(row: EqualCostRow) -> str:
    stages = row.drop.stages if row.drop else ()
    return ", ".join(f"{100 * share:.0f} % left from {layer}" for layer, share in stages)
