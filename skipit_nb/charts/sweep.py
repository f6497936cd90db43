"""A sweep as a picture: accuracy of many skip sets against the full model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from skipit_nb.charts.families import Place, places
from skipit_nb.charts.marks import COLORS, DASHES, SHAPES
from skipit_nb.charts.paper import FAINT, INK, WIDTH, Row, finished, layered, measured_on, rows
from skipit_nb.results import Sweep

ROW_HEIGHT = 22
ACCURACY = "accuracy (high = better)"
INTERVAL = "bars: 95 % interval of the difference to the full model, not corrected for the number of sets"


def sweep_chart(sweep: Sweep) -> alt.LayerChart:
    """Accuracy with its interval for every skip set, in order; the dashed line is the full model.

    Where all sets are late entries, early exits or single layers you see curves over k, one per family; else a list.
    """
    where = places([row.skipset for row in sweep.rows])
    title = "Accuracy as layers are skipped"
    worst = min(sweep.rows, key=lambda row: row.accuracy, default=None)
    words = f"{title}: full model {sweep.baseline:.1%}"
    words += f", lowest {worst.accuracy:.1%} with '{worst.skipset}'." if worst else "."
    subtitle = [measured_on(sweep.provenance), f"{INTERVAL}; dashed: full model, {sweep.baseline:.1%}"]
    picture = _list(sweep) if where is None else _curves(sweep, where)
    return finished(picture, title, subtitle, words)


def sweep_rows(sweep: Sweep) -> list[Row]:
    """One row per skip set: skipset, accuracy, the interval's ends low and high, in accuracy, and delta."""
    return [
        {
            "skipset": str(row.skipset),
            "accuracy": row.accuracy,
            "low": max(sweep.baseline + row.low, 0.0),
            "high": min(sweep.baseline + row.high, 1.0),
            "delta": row.delta,
        }
        for row in sweep.rows
    ]


def _tooltip() -> list[Any]:
    return ["skipset:N", alt.Tooltip("accuracy:Q", format=".1%"), alt.Tooltip("delta:Q", format="+.1%")]


def _curves(sweep: Sweep, where: list[Place]) -> alt.LayerChart:
    values = [row | {"family": place.family, "k": place.k} for row, place in zip(sweep_rows(sweep), where, strict=True)]
    families = list(dict.fromkeys(place.family for place in where))
    looks = _looks(families)
    last = max(place.k for place in where)
    ticks = alt.Axis(tickMinStep=1, format="d", grid=False)
    x = alt.X("k:Q", title=_k_title(families), axis=ticks, scale=alt.Scale(domain=[-0.5, last + 0.5], nice=False))
    y = alt.Y("accuracy:Q", title=ACCURACY, axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False))
    base = rows(values).encode(x=x, color=looks["color"])
    interval = base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=ACCURACY), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=y, strokeDash=looks["strokeDash"])
    points = base.mark_point(filled=True, size=50, opacity=1).encode(y=y, shape=looks["shape"], tooltip=_tooltip())
    base_row = rows([{"accuracy": sweep.baseline, "words": f"full model {sweep.baseline:.1%}"}]).encode(y=y)
    full = base_row.mark_rule(strokeDash=[5, 4], color=FAINT)
    named = base_row.mark_text(align="left", dx=4, color=INK, fontSize=10).encode(x=alt.value(WIDTH), text="words:N")
    return layered(full, named, interval, line, points)


def _k_title(families: list[str]) -> str:
    """What k counts, for the families that are there."""
    meanings = {"late entry": "vision enters before layer k", "early exit": "vision leaves before layer k"}
    if not meanings.keys() & families:
        return "layer"
    return "k · " + " · ".join(f"{family}: {meanings.get(family, 'k is the layer')}" for family in families)


def _looks(families: list[str]) -> dict[str, Any]:
    def scale(values: Sequence[Any]) -> alt.Scale:
        return alt.Scale(domain=families, range=[values[i % len(values)] for i in range(len(families))])

    legend = alt.Legend(title=None, symbolStrokeWidth=0, symbolSize=80)
    return {
        "color": alt.Color("family:N", legend=legend, scale=scale(COLORS)),
        "shape": alt.Shape("family:N", legend=legend, scale=scale(SHAPES)),
        "strokeDash": alt.StrokeDash("family:N", legend=legend, scale=scale(DASHES)),
    }


def _list(sweep: Sweep) -> alt.LayerChart:
    values = [row | {"row": f"{place}. {row['skipset']}"} for place, row in enumerate(sweep_rows(sweep), start=1)]
    scale = alt.Scale(domain=[row["row"] for row in values])
    y = alt.Y("row:N", scale=scale, sort=None, axis=alt.Axis(title=None, labelLimit=320))
    x = alt.X("accuracy:Q", title=ACCURACY, axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=False))
    base = rows(values).encode(y=y)
    interval = base.mark_rule(color=INK, strokeWidth=2).encode(x=alt.X("low:Q", title=ACCURACY), x2="high:Q")
    points = base.mark_point(filled=True, size=60, opacity=1, color=COLORS[0]).encode(x=x, tooltip=_tooltip())
    full = rows([{"accuracy": sweep.baseline}]).mark_rule(strokeDash=[5, 4], color=FAINT).encode(x=x)
    return layered(full, interval, points, height=ROW_HEIGHT * max(len(values), 1))
