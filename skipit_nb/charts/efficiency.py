"""Where the time of an answer goes, A above B: stage after stage, from the image to the last token."""

from __future__ import annotations

from typing import Any

import altair as alt

from skipit_nb.charts.marks import Look
from skipit_nb.charts.paper import INK, Row, finished, layered, rows
from skipit_nb.errors import SettingError
from skipit_nb.results import Efficiency

ROW_HEIGHT = 58
STAGES = {
    "preprocess": Look("#B8B8B8", "circle", (1, 0)),
    "vision tower": Look("#E69F00", "square", (1, 0)),
    "prefill": Look("#56B4E9", "triangle-up", (1, 0)),
    "rest of the first token": Look("#D9D9D9", "diamond", (1, 0)),
    "further tokens": Look("#009E73", "cross", (1, 0)),
}
"""In the order in which they happen."""

LABELLED = 0.04
"""Share of the longer bar from which on a stage has room for its number."""


def efficiency_chart(efficiency: Efficiency) -> alt.LayerChart:
    """Two bars, A and B, for an answer of fixed length: medians of its stages, in milliseconds.

    Skipping can shorten the prefill and the further tokens; what it cannot touch stands beside them.

    Raises:
        SettingError: If no times were measured.
    """
    values = stage_rows(efficiency)
    total = efficiency.row("total time")
    title = "Where the time of an answer goes"
    interval = f"total A / B {total.ratio:.2f} [{total.low:.2f}, {total.high:.2f}], above 1: B is faster"
    made, about = efficiency.provenance, efficiency.conditions
    subtitle = [
        f"A: {efficiency.a} · B: {efficiency.b}",
        f"{interval}; medians of {len(made.samples)} prompts",
        f"{made.model} · {made.dtype} on {made.device} · {about}",
    ]
    words = f"{title}. A: {_told(values, 'A')}. B: {_told(values, 'B')}. {interval}."
    return finished(_bars(values), title, subtitle, words)


def stage_rows(efficiency: Efficiency) -> list[Row]:
    """One row per arm and stage: arm, stage, start and stop in ms, ms, share (of the longer bar)."""
    found: list[Row] = []
    for arm in ("a", "b"):
        stop = 0.0
        for stage, ms in _stages(efficiency, arm).items():
            found.append({"arm": arm.upper(), "stage": stage, "start": stop, "stop": stop + ms, "ms": ms})
            stop += ms
    longest = max(row["stop"] for row in found)
    return [row | {"middle": (row["start"] + row["stop"]) / 2, "share": row["ms"] / longest} for row in found]


def _stages(efficiency: Efficiency, arm: str) -> dict[str, float]:
    """Milliseconds of each stage; medians need not add up, so what is left of a part is never below 0."""

    def median(name: str) -> float:
        try:
            return float(getattr(efficiency.row(name), arm) or 0)
        except SettingError:
            if name in ("vision time", "time per token"):  # no image, or one token
                return 0.0
            raise

    before, vision, prefill = median("preprocess time"), median("vision time"), median("prefill time")
    first, total = median("time to first token"), median("total time")
    rest, further = max(first - before - vision - prefill, 0.0), max(total - first, 0.0)
    return dict(zip(STAGES, (before, vision, prefill, rest, further), strict=True))


def _bars(values: list[Row]) -> alt.LayerChart:
    title = "ms (short = fast)"
    x = alt.X("start:Q", title=title, axis=alt.Axis(format="~f"))
    y = alt.Y("arm:N", title=None, sort=None, scale=alt.Scale(domain=["A", "B"]))
    tooltip = ["arm:N", "stage:N", alt.Tooltip("ms:Q", format=".2f")]
    bars = rows(values).mark_bar(size=26, stroke="#FFFFFF", strokeWidth=1)
    wide = [row for row in values if row["share"] >= LABELLED]
    middle = alt.X("middle:Q", title=title)
    signs = rows(wide).mark_point(filled=True, color=INK, size=34, opacity=1)
    numbers = rows(wide).mark_text(color=INK, fontSize=10, dy=22)
    looks = _looks()
    return layered(
        bars.encode(x=x, x2="stop:Q", y=y, color=looks["color"], tooltip=tooltip),
        signs.encode(x=middle, y=y, shape=looks["shape"], tooltip=tooltip),
        numbers.encode(x=middle, y=y, text=alt.Text("ms:Q", format=".3~g")),
        height=2 * ROW_HEIGHT,
    )


def _looks() -> dict[str, Any]:
    """Each stage has a colour, and a sign in the middle of its bar."""

    def scale(values: list[str]) -> alt.Scale:
        return alt.Scale(domain=list(STAGES), range=values)

    legend = alt.Legend(title=None, symbolSize=80, columns=3)
    return {
        "color": alt.Color("stage:N", legend=legend, scale=scale([look.color for look in STAGES.values()])),
        "shape": alt.Shape("stage:N", legend=legend, scale=scale([look.shape for look in STAGES.values()])),
    }


def _told(values: list[Row], arm: str) -> str:
    return ", ".join(f"{row['stage']} {row['ms']:.3g} ms" for row in values if row["arm"] == arm)
