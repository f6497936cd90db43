"""`ParetoPlot`: many skip sets, accuracy against predicted FLOPs; a point can be taken as B."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import anywidget
import traitlets

from skipit_nb.results import Sweep, SweepRow
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.parts.assets import script, style


class ParetoPlot(anywidget.AnyWidget):
    """Predicted prefill FLOPs to the right, accuracy upwards; a line joins the sets that no other one beats in both.

    Click or arrow keys choose a point and print what it is; its button, or Enter, sends "take" and its place.
    """

    _esm = script("plot_scale", "explorer_marks", "pareto_plot")
    _css = style("pareto_plot")

    points: traitlets.List[dict[str, Any]] = traitlets.List(traitlets.Dict()).tag(sync=True)
    """One dict a skip set, by FLOPs: name, flops (share of the full model's), accuracy, low, high (shares), front
    (whether no other one beats it), words."""
    baseline = traitlets.Float(0.0).tag(sync=True)
    """Accuracy of the full model, a share."""
    taken = traitlets.Unicode("").tag(sync=True)
    """The skip set that is B now."""
    title = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    """How to read the bars."""

    def draw(self, swept: Sweep, b: SkipSet) -> None:
        """Show a sweep, in one message to the page."""
        best = set(front(swept.rows))
        made = swept.provenance
        is_all = all(row.low_all is not None for row in swept.rows)
        incomplete = "" if swept.is_complete else "Incomplete, interrupted. "
        with self.hold_sync():
            self.points = [_point(row, row in best, swept.baseline) for row in by_flops(swept.rows)]
            self.baseline, self.taken = swept.baseline, str(b)
            self.title = f"{incomplete}{len(swept.rows)} skip sets on {len(made.samples):,} questions of {made.task}"
            self.note = (
                f"Bars: 95 % interval of the difference to the full model{', for all sets at once' if is_all else ''}. "
                "It ranks; Run judges. FLOPs are predicted."
            )

    def on_take(self, take: Callable[[str], object]) -> None:
        """Call `take(skip set)` when the user wants a point as B."""

        def hear(_: object, content: Any, __: object) -> None:
            place = content.get("take") if isinstance(content, dict) else None
            if isinstance(place, int) and 0 <= place < len(self.points):
                take(str(self.points[place]["name"]))

        self.on_msg(hear)

    def __repr__(self) -> str:
        return f"ParetoPlot({len(self.points)} skip sets)"


def by_flops(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """Cheapest first; of equally cheap ones the more accurate last."""
    return sorted(rows, key=lambda row: (1 / row.flops_ratio, row.accuracy))


def front(rows: Sequence[SweepRow]) -> list[SweepRow]:
    """The rows that no other row beats, cheapest first: none is as cheap and more accurate, or cheaper and as good."""
    found: list[SweepRow] = []
    for row in by_flops(rows):
        if found and 1 / row.flops_ratio == 1 / found[-1].flops_ratio and row.accuracy > found[-1].accuracy:
            found.pop()
        if not found or row.accuracy > found[-1].accuracy:
            found.append(row)
    return found


def _point(row: SweepRow, is_front: bool, baseline: float) -> dict[str, Any]:
    low = row.low if row.low_all is None else row.low_all
    high = row.high if row.high_all is None else row.high_all
    delta = f"{100 * row.delta:+.1f} points, {100 * low:+.1f} to {100 * high:+.1f}".replace("-", "−")
    share = 1 / row.flops_ratio
    return {
        "name": str(row.skipset),
        "flops": round(share, 5),
        "accuracy": round(row.accuracy, 5),
        "low": round(max(0.0, baseline + low), 5),
        "high": round(min(1.0, baseline + high), 5),
        "front": is_front,
        "words": f"accuracy {100 * row.accuracy:.1f} % ({delta}), {100 * share:.0f} % of the FLOPs",
    }
