"""A against B as a picture: accuracy per question type, and how sure the difference is."""

from __future__ import annotations

from typing import Any

import altair as alt

from skipit_nb.charts.marks import A_LOOK, B_LOOK
from skipit_nb.charts.paper import FAINT, INK, Row, finished, layered, measured_on, rows
from skipit_nb.results import Comparison

ROW_HEIGHT = 30
ALL = "all questions"
MINUS = "\N{MINUS SIGN}"


def comparison_chart(comparison: Comparison) -> alt.HConcatChart:
    """Two panels with a row per question type: the accuracies of A and B, and their difference B - A.

    The interval of "all questions" is the comparison's own (95 %, questions about one image kept together). A question
    type has an interval only where the comparison gives one.
    """
    values = comparison_rows(comparison)
    words = f"{comparison.verdict.sentence} A is '{comparison.a}', B is '{comparison.b}'."
    subtitle = [f"A: {comparison.a}", f"B: {comparison.b}", measured_on(comparison.provenance)]
    picture = alt.hconcat(_accuracies(values), _differences(values), spacing=16)
    return finished(picture, comparison.verdict.sentence, subtitle, words)


def comparison_rows(comparison: Comparison) -> list[Row]:
    """One row per question type, then one for all: row, n, a, b, delta, low, high."""
    kinds: list[Row] = [
        {
            "row": f"{kind.kind} (n = {kind.n})",
            "n": kind.n,
            "a": kind.accuracy_a,
            "b": kind.accuracy_b,
            "delta": kind.delta,
            "low": kind.low,
            "high": kind.high,
        }
        for kind in comparison.kinds
    ]
    total, n = comparison.metric("accuracy"), comparison.num_questions
    whole = {"row": f"{ALL} (n = {n})", "n": n, "a": total.a, "b": total.b, "delta": total.value}
    return [*kinds, whole | {"low": total.low, "high": total.high}]


def _y(values: list[Row], *, is_labelled: bool) -> alt.Y:
    # The order is a domain of plain strings: a sort would be compiled into an expression.
    scale = alt.Scale(domain=[row["row"] for row in values])
    axis = alt.Axis(title=None, labelLimit=240) if is_labelled else None
    return alt.Y("row:N", scale=scale, sort=None, axis=axis)


def _accuracies(values: list[Row]) -> alt.LayerChart:
    title = "accuracy (high = better)"
    x = alt.X("accuracy:Q", title=title, scale=alt.Scale(domain=[0, 1]), axis=alt.Axis(format=".0%", tickCount=5))
    long = [row | {"arm": arm, "accuracy": row[arm.lower()]} for row in values for arm in ("A", "B")]
    y = _y(values, is_labelled=True)
    link = rows(values).mark_rule(color=FAINT, strokeWidth=2).encode(x=alt.X("a:Q", title=title), x2="b:Q", y=y)
    tooltip = ["row:N", "arm:N", alt.Tooltip("accuracy:Q", format=".1%")]
    points = rows(long).mark_point(filled=True, opacity=1).encode(x=x, y=y, tooltip=tooltip, **_arm_looks())
    return layered(link, points, width=300, height=ROW_HEIGHT * len(values))


def _arm_looks() -> dict[str, Any]:
    """A is a large grey disc, B a small blue diamond: both are seen where they agree."""

    def scale(values: list[Any]) -> alt.Scale:
        return alt.Scale(domain=["A", "B"], range=values)

    return {
        "color": alt.Color("arm:N", title=None, scale=scale([A_LOOK.color, B_LOOK.color])),
        "shape": alt.Shape("arm:N", title=None, scale=scale([A_LOOK.shape, B_LOOK.shape])),
        "size": alt.Size("arm:N", title=None, scale=scale([170, 60])),
    }


def _differences(values: list[Row]) -> alt.LayerChart:
    title = "B − A in points (right of 0: B is better)"
    x = alt.X("delta:Q", title=title, axis=alt.Axis(format="+~f", tickCount=5), scale=_symmetric(values))
    y = _y(values, is_labelled=False)
    base = rows([_in_points(row) for row in values])
    zero = rows([{"delta": 0}]).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(x=x)
    interval = base.mark_rule(color=INK, strokeWidth=2).encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y)
    tooltip = ["row:N", alt.Tooltip("words:N", title="B − A in points")]
    points = base.mark_point(filled=True, shape="diamond", size=90, opacity=1, color=B_LOOK.color)
    label = base.mark_text(align="left", color=INK, fontSize=10).encode(text="words:N", x=alt.value(222), y=y)
    diamonds = points.encode(x=x, y=y, tooltip=tooltip)
    return layered(zero, interval, diamonds, label, width=210, height=ROW_HEIGHT * len(values))


def _in_points(row: Row) -> Row:
    """The difference and its interval in points, and in words."""
    points = {name: 100 * row[name] for name in ("delta", "low", "high")}
    words = f"{points['delta']:+.1f} [{points['low']:+.1f}, {points['high']:+.1f}]"
    return row | points | {"words": words.replace("-", MINUS)}


def _symmetric(values: list[Row]) -> alt.Scale:
    """As far to the left of 0 as to the right, with room for the marks."""
    ends = [row[name] for row in values for name in ("delta", "low", "high")]
    most = max([0.01, *map(abs, ends)]) * 110
    return alt.Scale(domain=[-most, most])
