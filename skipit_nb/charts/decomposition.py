"""A decomposition of information (PID) as a picture: what two sources tell together and apart, beside chance."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.boundaries import boundary_axis
from skipit_nb.charts.information import VIEWS
from skipit_nb.charts.marks import COLORS
from skipit_nb.charts.paper import Row, finished, layered, measured_on, panel, rows
from skipit_nb.errors import SettingError
from skipit_nb.results import Information
from skipit_nb.results.information import PARTS

SIZE = (165, 80)
NAMES = {
    "redundant": "both tell it",
    "unique_first": "only the first",
    "unique_second": "only the second",
    "synergistic": "only both together",
}
CHANCE = "#9A9A9A"


def decomposition_chart(information: Information) -> alt.VConcatChart:
    """A column per pair of sources, a row per part: what both tell of the answer, only one, or only both together.

    Points are nats as counted, which is too high, most of all for "only both together"; the grey area is what 95 % of
    shuffled answers stay below, and a point inside it is nothing. An informationally redundant layer is one of which
    "only the second" (after it) has nothing to tell.

    Raises:
        SettingError: If the result holds no decomposition.

    Source:
        Bertschinger et al. 2014, arXiv:1311.2852 (BROJA).
    """
    if not information.pid:
        raise SettingError("information", information, "one with a decomposition; measure it again with pid=True")
    pairs = list(dict.fromkeys((row.sources, row.view) for row in information.pid))
    lines = [
        alt.hconcat(*(_panel(information, pair, part, has_title=pair == pairs[0]) for pair in pairs), spacing=10)
        for part in PARTS
    ]
    title = "How two sources share what they tell about the answer"
    sizes = " or ".join(f"{k} codes" for k in sorted({row.k for row in information.pid}))
    subtitle = [measured_on(information.provenance), f"{sizes}; grey: what 95 % of shuffled answers stay below"]
    words = f"{title}: redundant, unique and synergistic parts at each boundary, in nats. {_words(information)}"
    return finished(alt.vconcat(*lines, spacing=10), title, subtitle, words)


def decomposition_rows(information: Information, sources: str, view: str, part: str) -> list[Row]:
    """One row per boundary: boundary, value, and null, the top of the grey area, both in nats."""
    return [
        {"boundary": row.boundary, "value": row.value, "null": max(row.null_high or 0.0, 0.0), "none": 0.0}
        for row in information.pid
        if (row.sources, row.view, row.part) == (sources, view, part)
    ]


def _panel(information: Information, pair: tuple[str, str], part: str, *, has_title: bool) -> alt.LayerChart:
    """One cell of the grid: all share a scale, so that parts can be compared by eye."""
    title = [NAMES[part], "nats"] if has_title else None
    most = max(max(row.value, row.null_high or 0.0) for row in information.pid)
    scale, ticks = alt.Scale(domain=[0, 1.1 * most or 1.0]), alt.Axis(tickCount=4)
    x = boundary_axis(information.provenance.num_layers, is_narrow=True)
    if part != PARTS[-1]:
        x = x.title(None)
    base = rows(decomposition_rows(information, *pair, part)).encode(x=x)
    chance = base.mark_area(color=CHANCE, opacity=0.35).encode(y=alt.Y("null:Q", title=title, scale=scale), y2="none:Q")
    y = alt.Y("value:Q", title=title, axis=ticks, scale=scale)
    line = base.mark_line(strokeWidth=2, color=COLORS[0]).encode(y=y)
    tooltip = ["boundary:Q", alt.Tooltip("value:Q", title="nats", format=".3f"), alt.Tooltip("null:Q", format=".3f")]
    points = base.mark_point(filled=True, size=35, opacity=1, color=COLORS[0]).encode(y=y, tooltip=tooltip)
    heading = _heading(*pair) if part == PARTS[0] else ""
    return panel(layered(chance, line, points), heading, SIZE[1], SIZE[0])


def _heading(sources: str, view: str) -> str:
    return f"{sources} layer, {VIEWS[view].split(' ')[0]}" if view else sources


def _words(information: Information) -> str:
    above = [row for row in information.pid if row.null_high is not None and row.value > row.null_high]
    measured = [row for row in information.pid if row.null_high is not None]
    return f"{len(above)} of {len(measured)} parts are above what 95 % of shuffled answers stay below."
