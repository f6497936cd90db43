"""Tango's score test and interval of a paired difference of proportions: good at few flips, and at none."""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy import optimize

from skipit_nb.backend.evaluation.statistics.interval import two_sided_z


def tango_interval(worse: float, better: float, n: float, z: float | None = None) -> tuple[float, float]:
    """Tango's score interval of a paired difference of proportions, (better - worse) / n.

        { δ : |better - worse - nδ| ≤ z √( n (2q + δ(1 - δ)) ) },   q the likeliest share of `worse` under δ

    Good at few flips, where others fail: with none at all it still has a width. It takes questions for independent;
    where they are not, give counts divided by the design effect.

    Args:
        worse: Questions right under A, wrong under B. Scores between 0 and 1 give parts of a question.
        better: Questions wrong under A, right under B.
        n: All questions.
        z: How many standard errors it reaches; by default those of a two-sided 95 % interval.

    Source:
        Tango 1998, Statistics in Medicine 17:891-908.
    """
    reach = two_sided_z() if z is None else z
    estimate = (better - worse) / n

    def excess(delta: float) -> float:
        return abs(tango_statistic(worse, better, n, delta)) - reach

    return _root_or_end(excess, estimate, -1.0), _root_or_end(excess, estimate, 1.0)


def tango_statistic(worse: float, better: float, n: float, delta: float) -> float:
    """Standard errors by which the difference lies above `delta`; at 0 it is (better - worse) / √(better + worse)."""
    a = 2 * n
    b = -worse - better + (2 * n - better + worse) * delta
    c = -worse * delta * (1 - delta)
    q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * q + delta * (1 - delta))
    gap = better - worse - n * delta
    if variance <= 0:
        return 0.0 if abs(gap) < 1e-12 else math.copysign(math.inf, gap)  # noqa: PLR2004
    return gap / math.sqrt(variance)


def _root_or_end(excess: Callable[[float], float], estimate: float, end: float) -> float:
    """Where `excess` turns positive on the way from the estimate to an end of the scale; the end if nowhere."""
    last = end * (1 - 1e-12)
    if abs(estimate - end) < 1e-12 or excess(last) <= 0:  # noqa: PLR2004
        return end
    return float(optimize.brentq(excess, estimate, last, xtol=1e-10))
