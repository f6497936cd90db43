"""The paper's two conditions as a picture: redundancy against cross-modal flow, layer by layer."""

from __future__ import annotations

import math

import altair as alt

from skipit_nb.charts.log_axis import LOG_FLOOR, below_floor
from skipit_nb.charts.marks import DISTANCE_UNIT, GOOD
from skipit_nb.charts.paper import FAINT, INK, Row, finished, layered, measured_on, rows
from skipit_nb.results import Recommendation
from skipit_nb.skipset import SkipSet

SIZE = 380
ROOM = (20, 12)
"""Pixels that a label needs to the right and upward."""
MARGINS = (0.05, 0.09)
"""Shares of the distances' span that are left free at either end, on the right for a label."""
FEW_DECADES = 1000
"""Up to this ratio of the largest to the smallest distance, the axis tells 2 and 5 between powers of ten too."""

MEETS = {
    (True, True): ("both conditions", GOOD, "circle"),
    (True, False): ("redundant, but read by the text", "#D55E00", "triangle-up"),
    (False, True): ("not read, but moved", "#0072B2", "square"),
    (False, False): ("neither", "#6B6B6B", "cross"),
}
"""(is redundant, is flow low) → words, colour, shape."""


def conditions_chart(recommendation: Recommendation) -> alt.LayerChart:
    """Each layer as a numbered point: how far it moves the vision tokens against how much the text reads them.

    Distances differ by orders of magnitude, so their axis is logarithmic; what lies below 2e-6 is drawn there.

    The shaded corner, left of the threshold on distance and below that on VAR, holds the layers that meet both
    conditions. Where every layer has its own threshold on VAR, a tick above or below its point shows it instead.
    A layer right of the line may still count as redundant by its tail probability: its shape says so. A layer whose
    flow was not measured has no point. The thresholds are parameters of ours, not the paper's.
    """
    met = [reason.layer for reason in recommendation.reasons if reason.is_redundant and reason.is_flow_low]
    title = "Which layers meet both conditions"
    words = f"{title}: {', '.join(map(str, met)) or 'none'}. Distance of vision tokens against attention on them."
    below = below_floor(reason.distance for reason in recommendation.reasons)
    subtitle = [measured_on(recommendation.provenance), f"recommended: {recommendation.skipset}{below}"]
    base = rows(_rows(recommendation)).encode(x=_x(recommendation), y=_y())
    named = rows(_labels(recommendation)).encode(x=_x(recommendation), y=_y())
    labels = named.mark_text(align="left", dx=7, dy=-6, fontSize=11, color=INK).encode(text="layers:N")
    behind = (*_corner(recommendation), *_thresholds(recommendation))
    picture = layered(*behind, _points(base), labels, width=SIZE, height=SIZE)
    return finished(picture, title, subtitle, words)


def _rows(recommendation: Recommendation) -> list[Row]:
    return [
        {
            "layer": reason.layer,
            "distance": reason.distance,
            "drawn": _drawn(reason.distance),
            "var": reason.var,
            "limit": limit,
            "tail": reason.tail,
            "meets": MEETS[reason.is_redundant, reason.is_flow_low][0],
            "why": reason.why,
        }
        for reason, limit in zip(recommendation.reasons, recommendation.max_vars, strict=True)
        if reason.var is not None
    ]


def _labels(recommendation: Recommendation) -> list[Row]:
    """One label for each cluster of points that stand too close for a label each, such as "2+7-9"."""
    clusters: list[Row] = []
    first, last = _ends(recommendation)
    for reason in recommendation.reasons:
        if reason.var is None:
            continue
        for cluster in clusters:
            right = abs(math.log(_drawn(reason.distance) / cluster["drawn"]) / math.log(last / first)) * SIZE
            up = abs(reason.var - cluster["var"]) * SIZE
            if right < ROOM[0] and up < ROOM[1]:
                cluster["members"].append(reason.layer)
                break
        else:
            clusters.append({"drawn": _drawn(reason.distance), "var": reason.var, "members": [reason.layer]})
    return [cluster | {"layers": _spans(cluster["members"])} for cluster in clusters]


def _spans(layers: list[int]) -> str:
    """Layers as a skip set writes them."""
    return str(SkipSet.whole(layers)).removeprefix("whole ")


def _drawn(distance: float) -> float:
    """Where a distance stands on an axis that has no zero."""
    return max(distance, LOG_FLOOR)


def _ends(recommendation: Recommendation) -> tuple[float, float]:
    """The ends of the axis of distances: all of them, and the threshold, with room at both sides."""
    everything = [_drawn(recommendation.max_distance), *(_drawn(reason.distance) for reason in recommendation.reasons)]
    low, high = min(everything), max(everything)
    span = max(high / low, 10.0)
    return low / span ** MARGINS[0], high * span ** MARGINS[1]


def _x(recommendation: Recommendation) -> alt.X:
    low, high = _ends(recommendation)
    steps = (1, 2, 5) if high / low < FEW_DECADES else (1,)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)))
    axis = alt.Axis(
        values=[at for n in decades for step in steps if low <= (at := step * 10.0**n) <= high], format="~g"
    )
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    title = f"distance of vision tokens, {DISTANCE_UNIT} (low = redundant)"
    return alt.X("drawn:Q", title=title, scale=scale, axis=axis)


def _y() -> alt.Y:
    return alt.Y("var:Q", title="VAR: attention on vision tokens (low = not read)", scale=alt.Scale(domain=[0, 1]))


def _corner(recommendation: Recommendation) -> list[alt.Chart]:
    if recommendation.max_var is None:
        return []
    row = {
        "drawn": _ends(recommendation)[0],
        "right": _drawn(recommendation.max_distance),
        "var": 0,
        "top": recommendation.max_var,
    }
    mark = rows([row]).mark_rect(color=GOOD, opacity=0.12)
    corner: alt.Chart = mark.encode(x=_x(recommendation), x2="right:Q", y=_y(), y2="top:Q")
    return [corner]


def _thresholds(recommendation: Recommendation) -> list[alt.Chart]:
    vertical = rows([{"drawn": _drawn(recommendation.max_distance)}]).mark_rule(strokeDash=[5, 4], color=FAINT)
    if recommendation.max_var is None:
        own = [row for row in _rows(recommendation) if row["limit"] is not None]
        ticks = rows(own).mark_tick(orient="horizontal", size=14, thickness=2, color=FAINT)
        var = alt.Y("limit:Q", scale=alt.Scale(domain=[0, 1]))
        return [vertical.encode(x=_x(recommendation)), ticks.encode(x=_x(recommendation), y=var)]
    level = rows([{"var": recommendation.max_var}]).mark_rule(strokeDash=[5, 4], color=FAINT)
    return [vertical.encode(x=_x(recommendation)), level.encode(y=_y())]


def _points(base: alt.Chart) -> alt.Chart:
    names, colors, shapes = zip(*MEETS.values(), strict=True)
    legend = alt.Legend(columns=2, title=None)
    color = alt.Color("meets:N", scale=alt.Scale(domain=names, range=colors), legend=legend)
    shape = alt.Shape("meets:N", scale=alt.Scale(domain=names, range=shapes), legend=legend)
    tooltip = ["layer:O", alt.Tooltip("distance:Q", format=".4g"), alt.Tooltip("tail:Q", format=".3f")]
    tooltip += [alt.Tooltip("var:Q", format=".3f"), "why:N"]
    marks = base.mark_point(filled=True, size=70, opacity=1)
    points: alt.Chart = marks.encode(color=color, shape=shape, tooltip=tooltip)
    return points
