"""The five checks: each a statement of the paper's, a statistic of ours, and a threshold fixed beforehand.

A check passes where the interval of its statistic lies above the threshold, fails where it lies below, and is left
undecided in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from skipit_nb.backend.reproduction.curves import Curves, Values, interval
from skipit_nb.results import AgreementRow, BandAccuracy, Check

OUTER_SHARE = 4
"""The first and the last quarter of the layers are early and late, the half between them is the middle."""
FLOOR = 1e-9
"""Stands for the distance of an identity layer in a geometric mean."""
FEWEST_LAYERS = 3
"""An early, a middle and a late one."""
FEWEST_BANDS = 5
"""Fewer orders than these could all come by chance."""
MOST_P = 0.05

STATEMENTS = {
    1: "Vision tokens move little early and late, more in the middle",
    2: "Text reads the image most in the middle",
    3: "Without vision tokens in the predicted layers accuracy is kept",
    4: "Without them in as many layers around the middle it is not",
    5: "What is foretold of a band ranks with what it costs",
}
"""What is claimed."""
STATISTICS = {
    1: "distance of vision tokens, middle half of the layers / the larger of first and last quarter, geometric means",
    2: "largest VAR in the middle half of the layers less the largest in the first and last quarters",
    3: "accuracy under the predicted set less that of the full model, as a share",
    4: "accuracy of the full model less that under the middle band, as a share",
    5: "Spearman's correlation of foretold score and accuracy lost, over bands of equal length",
}
"""What the number is; ours."""


@dataclass(frozen=True, slots=True)
class Unable:
    """Why accuracy has nothing to say to a check."""

    why: str
    """A sentence."""
    passed: bool | None = None
    """False if that itself is a failure: nothing was predicted."""


def distance_check(curves: Curves) -> Check:
    """Check 1, without labels: the middle half moves vision tokens further than either outer quarter does."""
    depth = len(curves.distance)
    if depth < FEWEST_LAYERS:
        return _unmeasured(1, 1.0, Unable(f"{depth} layers are too few for an early, a middle and a late one."))
    early, middle, late = (float(np.exp(logs)) for logs in _typical_logs(curves.distance))
    why = (
        f"The typical layer of the middle half turns vision tokens by {middle:.3g} (1 - cos), "
        f"of the first quarter by {early:.3g}, of the last by {late:.3g}."
    )
    value = float(distance_contrast(curves.distance))
    return _check(1, value, interval(distance_contrast(curves.distances)), 1.0, why)


def flow_check(curves: Curves, excepted: int) -> Check:
    """Check 2, without labels: VAR has its peak in the middle half.

    Args:
        curves: What was measured.
        excepted: So many first layers are left out.
    """
    depth = len(curves.var)
    middle = range(depth)[parts(depth)[1]]
    measured = [layer for layer in range(excepted, depth) if np.isfinite(curves.var[layer])]
    inner = [layer for layer in measured if layer in middle]
    outer = [layer for layer in measured if layer not in middle]
    if not inner or not outer:
        return _unmeasured(2, 0.0, Unable("VAR cannot be measured both in the middle half and in the outer quarters."))
    peak, rival = (max(part, key=lambda layer: curves.var[layer]) for part in (inner, outer))
    left_out = f"; layers 0 to {excepted - 1} are left out" if excepted else ""
    why = (
        f"VAR reaches {curves.var[peak]:.3f} in the middle half (layer {peak}) "
        f"and {curves.var[rival]:.3f} in the outer quarters (layer {rival}){left_out}."
    )
    value = float(_peak_contrast(curves.var, inner, outer))
    return _check(2, value, interval(_peak_contrast(curves.vars, inner, outer)), 0.0, why)


def predicted_check(arm: BandAccuracy | Unable, margin: float) -> Check:
    """Check 3: under the predicted set no more than `margin` of the accuracy, as a share, is lost."""
    if isinstance(arm, Unable):
        return _unmeasured(3, -margin, arm)
    return _check(3, arm.delta, (arm.low, arm.high), -margin, f"{_lost(arm)}, and {100 * margin:g} may be lost.")


def middle_check(arm: BandAccuracy | Unable, margin: float, aside: str = "") -> Check:
    """Check 4: under the middle band more than `margin` of the accuracy, as a share, is lost.

    Args:
        arm: The middle band.
        margin: What may be lost.
        aside: A sentence to add to the reason.
    """
    if isinstance(arm, Unable):
        return _unmeasured(4, margin, arm)
    why = f"{_lost(arm)}, and more than {100 * margin:g} would be a clear loss. {aside}".strip()
    return _check(4, -arm.delta, (-arm.high, -arm.low), margin, why)


def ranking_check(row: AgreementRow | Unable, aside: str = "") -> Check:
    """Check 5: a correlation whose interval is above 0, and which chance gives less than once in twenty.

    Args:
        row: Of the score "both" and accuracy lost.
        aside: A sentence to add to the reason.
    """
    if isinstance(row, Unable):
        return _unmeasured(5, 0.0, row)
    if row.rho is None or row.p is None or row.sets < FEWEST_BANDS:
        needed = f"at least {FEWEST_BANDS}, of different scores and costs, are needed"
        return _unmeasured(5, 0.0, Unable(f"There are {row.sets} bands, but {needed}."))
    why = f"Over {row.sets} bands rho is {row.rho:.2f}; random orders of the layers reach it with p = {row.p:.3f}."
    found = _check(5, row.rho, (row.low, row.high), 0.0, f"{why} {aside}".strip())
    return replace(found, passed=None) if found.passed and row.p > MOST_P else found


def parts(depth: int) -> tuple[slice, slice, slice]:
    """First quarter, middle half and last quarter of the layers; quarters rounded down, at least one layer."""
    outer = max(1, depth // OUTER_SHARE)
    return slice(0, outer), slice(outer, depth - outer), slice(depth - outer, depth)


def distance_contrast(distance: Values) -> Values:
    """[...] middle half / larger outer quarter of distances [..., layer]; above 1 the middle moves tokens furthest."""
    early, middle, late = _typical_logs(distance)
    contrast: Values = np.exp(middle - np.maximum(early, late))
    return contrast


def _typical_logs(distance: Values) -> list[Values]:
    """Logarithms of the geometric mean distance of each part: distances span orders of magnitude."""
    logs = np.log(np.maximum(distance, FLOOR))
    return [logs[..., part].mean(-1) for part in parts(distance.shape[-1])]


def _peak_contrast(var: Values, inner: Sequence[int], outer: Sequence[int]) -> Values:
    contrast: Values = var[..., inner].max(-1) - var[..., outer].max(-1)
    return contrast


def _lost(arm: BandAccuracy) -> str:
    return (
        f"Accuracy is {arm.accuracy:.1%} under '{arm.skipset}', {100 * arm.delta:+.1f} points "
        f"[{100 * arm.low:+.1f}, {100 * arm.high:+.1f}] against the full model"
    )


def _check(number: int, value: float, ends: tuple[float | None, float | None], threshold: float, why: str) -> Check:
    low, high = ends
    passed = None
    if low is None or high is None:
        why = f"{why} There are too few images for an interval."
    elif low > threshold or high < threshold:
        passed = low > threshold
    return Check(number, STATEMENTS[number], STATISTICS[number], value, low, high, threshold, passed, why)


def _unmeasured(number: int, threshold: float, unable: Unable) -> Check:
    return Check(number, STATEMENTS[number], STATISTICS[number], None, None, None, threshold, unable.passed, unable.why)
