"""`Scoreboard`: what a comparison comes to, at one glance: a few quantities, each with A and B as bars."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from skipit_nb.results import Comparison, Metric
from skipit_nb.widgets.evaluator.words import interval, lengths, points, value
from skipit_nb.widgets.parts.assets import script, style

SHOWN = {
    "accuracy": ("", ""),
    "prefill time": ("faster", "slower"),
    "time per token": ("faster", "slower"),
    "prefill FLOPs": ("fewer", "more"),
    "KV cache": ("smaller", "larger"),
}
"""The quantities that get a tile, and what B is where A / B is above 1, and below."""
PREDICTED = "predicted"


class Scoreboard(anywidget.AnyWidget):
    """A tile a quantity: the effect of B in large figures, both values as bars, and how sure it is."""

    _esm = script("scoreboard")
    _css = style("scoreboard")

    tiles: traitlets.List[dict[str, Any]] = traitlets.List(traitlets.Dict()).tag(sync=True)
    """In order: `name`, `effect`, `note`, the texts `a` and `b`, and `lengths` of their bars as shares."""

    def draw(self, comparison: Comparison) -> None:
        """Show what was found."""
        self.tiles = [_tile(metric) for metric in comparison.metrics if metric.name in SHOWN]

    def __repr__(self) -> str:
        return f"Scoreboard({', '.join(tile['effect'] for tile in self.tiles)})"


def _tile(metric: Metric) -> dict[str, Any]:
    effect, sure = _points(metric) if metric.effect == "B - A" else _times(metric)
    return {
        "name": metric.name,
        "effect": effect,
        "note": sure,
        "a": value(metric.a, metric.unit),
        "b": value(metric.b, metric.unit),
        "lengths": lengths(metric),
    }


def _points(metric: Metric) -> tuple[str, str]:
    return points(metric.value), f"95 %: {interval(metric)}" if interval(metric) else PREDICTED


def _times(metric: Metric) -> tuple[str, str]:
    """How many times better or worse B is, and the interval the same way round."""
    better, worse = SHOWN[metric.name]
    ratio, low, high = metric.value, metric.low, metric.high
    if low == high:
        sure = PREDICTED
    elif low <= 1 <= high:
        return "no clear change", f"95 %: {interval(metric)}"
    elif ratio >= 1:
        sure = f"95 %: {low:.2f}× to {high:.2f}×"
    else:
        sure = f"95 %: {1 / high:.2f}× to {1 / low:.2f}×"
    if round(ratio, 2) == 1:
        return "the same", sure
    return (f"{ratio:.2f}× {better}" if ratio > 1 else f"{1 / ratio:.2f}× {worse}"), sure
