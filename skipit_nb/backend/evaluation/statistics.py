"""Statistics of a paired comparison: the same questions answered under A and under B.

Shapes: question. Scores are 0 to 1; differences are B - A; intervals are two-sided at 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

LEVEL = 0.95
FEWEST_FLIPS = 10
"""With fewer flips than this the clustered interval is not to be trusted; Tango's is used instead."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval and how it was found."""

    value: float
    low: float
    high: float
    method: str


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """The mean of differences whose clusters are not independent inside."""

    value: float
    standard_error: float
    degrees_of_freedom: int
    design_effect: float
    """(clustered standard error / naive standard error)²; 1 where nothing varies."""


def clustered_mean(differences: Sequence[float], clusters: Sequence[str]) -> ClusteredMean:
    """The mean difference with a standard error that knows that questions about one image belong together.

        SE = √( G / (G - 1) · Σ over clusters (Σ inside (d - mean))² ) / n

    With one cluster there is no variance to see: the standard error is infinite.

    Source:
        Miller 2024, "Adding Error Bars to Evals", arXiv:2411.00640.
    """
    d = np.asarray(differences, dtype=float)
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    groups, n = int(codes.max()) + 1, len(d)
    mean = float(d.mean())
    if groups < 2:  # noqa: PLR2004
        return ClusteredMean(mean, math.inf, 0, 1.0)
    sums = np.bincount(codes, weights=d - mean)
    error = math.sqrt(groups / (groups - 1) * float((sums**2).sum())) / n
    naive = float(d.std(ddof=1)) / math.sqrt(n)
    return ClusteredMean(mean, error, groups - 1, (error / naive) ** 2 if naive else 1.0)


def tango_interval(worse: int, better: int, n: int) -> tuple[float, float]:
    """Tango's score interval of a paired difference of proportions, (better - worse) / n.

    Good at few flips, where others fail: with none at all it still has a width.

    Args:
        worse: Questions right under A, wrong under B.
        better: Questions wrong under A, right under B.
        n: All questions.

    Source:
        Tango 1998, Statistics in Medicine 17:891-908.
    """
    z = float(stats.norm.ppf((1 + LEVEL) / 2))
    estimate = (better - worse) / n

    def excess(delta: float) -> float:
        return abs(_tango_statistic(worse, better, n, delta)) - z

    return _root_or_end(excess, estimate, -1.0), _root_or_end(excess, estimate, 1.0)


def _root_or_end(excess: Callable[[float], float], estimate: float, end: float) -> float:
    """Where `excess` turns positive on the way from the estimate to an end of the scale; the end if nowhere."""
    last = end * (1 - 1e-12)
    if estimate == end or excess(last) <= 0:
        return end
    return float(optimize.brentq(excess, estimate, last, xtol=1e-10))


def _tango_statistic(worse: int, better: int, n: int, delta: float) -> float:
    a = 2 * n
    b = -worse - better + (2 * n - better + worse) * delta
    c = -worse * delta * (1 - delta)
    q = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * q + delta * (1 - delta))
    gap = better - worse - n * delta
    if variance <= 0:
        return 0.0 if abs(gap) < 1e-12 else math.copysign(math.inf, gap)  # noqa: PLR2004
    return gap / math.sqrt(variance)


def delta_interval(a: Sequence[float], b: Sequence[float], clusters: Sequence[str]) -> tuple[Interval, ClusteredMean]:
    """The accuracy difference B - A with the interval that decides the verdict.

    Cluster-robust t over images; Tango's score interval where there are fewer than 10 flips or one image.
    """
    differences = [y - x for x, y in zip(a, b, strict=True)]
    mean = clustered_mean(differences, clusters)
    worse, better = sum(d < 0 for d in differences), sum(d > 0 for d in differences)
    if worse + better < FEWEST_FLIPS or mean.degrees_of_freedom == 0:
        low, high = tango_interval(worse, better, len(differences))
        return Interval(mean.value, low, high, "Tango score interval"), mean
    reach = float(stats.t.ppf((1 + LEVEL) / 2, mean.degrees_of_freedom)) * mean.standard_error
    low, high = max(mean.value - reach, -1.0), min(mean.value + reach, 1.0)  # scores lie in 0..1
    return Interval(mean.value, low, high, "cluster-robust t by image"), mean


def exact_mcnemar(worse: int, better: int) -> float:
    """Two-sided exact McNemar p of "as many got better as got worse"; 1 if nothing flipped. Ignores clusters."""
    return float(stats.binomtest(better, worse + better, 0.5).pvalue) if worse + better else 1.0


def minimal_detectable_effect(worse: int, better: int, n: int, design_effect: float) -> float:
    """The smallest true difference that such a run would find 4 times in 5, as a share.

    MDE = z √ψ / √(n / deff + z²),   z = z(0.975) + z(0.8),   ψ = share of flips (at least 1 / n)
    """
    z = float(stats.norm.ppf((1 + LEVEL) / 2) + stats.norm.ppf(0.8))
    flips = max(worse + better, 1) / n
    return z * math.sqrt(flips) / math.sqrt(n / max(design_effect, 1.0) + z * z)


def ratio_interval(log_ratios: Sequence[float]) -> Interval:
    """The geometric mean of paired ratios with its 95 % t interval.

    Args:
        log_ratios: log(time of A / time of B) of each pair.
    """
    x = np.asarray(log_ratios, dtype=float)
    centre = float(x.mean())
    if len(x) < 2:  # noqa: PLR2004
        return Interval(math.exp(centre), 0.0, math.inf, "one pair")
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(x) - 1)) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Interval(math.exp(centre), math.exp(centre - reach), math.exp(centre + reach), "paired log-ratio t")
