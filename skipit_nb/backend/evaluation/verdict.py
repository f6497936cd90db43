"""One rule that turns an interval into a sentence."""

from __future__ import annotations

from skipit_nb.backend.evaluation.statistics import Interval
from skipit_nb.results import Verdict


def verdict(delta: Interval, margin: float, mde: float) -> Verdict:
    """Judge the accuracy difference B - A by its interval [l, u] and the margin m fixed before the run.

        l > 0 better · l > -m not worse by more than m (u < 0: slightly worse, within m) · u < 0 worse · inconclusive

    Args:
        delta: The difference, with its interval.
        margin: The loss one would accept, as a share (0.01 = 1 point).
        mde: Minimal detectable effect of the run, for the inconclusive case.
    """
    points = f"{_points(delta.value)} points, 95 % interval {_points(delta.low)} to {_points(delta.high)}"
    m = "1 point" if 100 * margin == 1 else f"{100 * margin:g} points"
    if delta.low > 0:
        return Verdict("better", f"B is better than A ({points}).", margin)
    if delta.low > -margin and delta.high < 0:
        return Verdict("slightly worse", f"B is slightly worse than A, but by less than {m} ({points}).", margin)
    if delta.low > -margin:
        return Verdict("not worse", f"B is not worse than A by more than {m} ({points}).", margin)
    if delta.high < 0:
        return Verdict("worse", f"B is worse than A ({points}).", margin)
    found = f"a run of this size finds differences from {100 * mde:.1f} points"
    return Verdict("inconclusive", f"Inconclusive: {points}; {found}.", margin)


def _points(share: float) -> str:
    """A share as signed percentage points; no minus before a zero."""
    rounded = round(100 * share, 2)
    return f"{rounded + 0.0:+.2f}" if rounded else "0.00"
