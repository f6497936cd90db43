"""Many skip sets against one baseline: intervals that hold together, and p corrected for looking at all of them.

Shapes:
    set       the skip sets of the family, K
    image     clusters, G
    draw      bootstrap draws
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skipit_nb.backend.evaluation.statistics.clusters import NOTHING, TWO, Numbers, by_cluster
from skipit_nb.backend.evaluation.statistics.interval import LEVEL, Interval, two_sided_z
from skipit_nb.backend.evaluation.statistics.paired import Paired

DRAWS = 4999
AT_ONCE = 2**22
"""Signs drawn at once."""


@dataclass(frozen=True, slots=True)
class Together:
    """What a family of differences says when all of it is looked at."""

    critical: float
    """Standard errors that every interval reaches to either side; about 2 for one set, about 3 for fifty."""
    intervals: tuple[Interval, ...]
    """One per set; at 95 % *all* of them hold the truth at once."""
    p: tuple[float, ...]
    """One per set, corrected: at 0.05 the chance of even one false alarm is 5 %."""


def max_t(
    full: Sequence[Sequence[float]],
    arms: Sequence[Sequence[float]],
    clusters: Sequence[str],
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> Together:
    """Simultaneous intervals of many differences, by a wild bootstrap of images that keeps how sets hang together.

        t_k = d̄_k / SE_k;   in each draw an image's residual sums keep or change their sign, in all sets alike:
        M = max over k of |t*_k|, SE* found anew;   d̄_k ± q SE_k, q the 95 % quantile of M;   p_k = P(M ≥ |t_k|)

    Sets that answer alike cost little, which Bonferroni or Holm cannot know. Sets with few flips take Tango's score in
    place of d̄ / SE, and Bonferroni's reach if that is wider. No interval is narrower than that of `Paired`.

    Args:
        full: set x question: scores under the baseline, 0 to 1, as that set was scored.
        arms: set x question: scores under each set.
        clusters: The image of each question.
        level: How often all intervals hold at once.
        draws: Bootstrap draws.
        seed: Of the draws.

    Source:
        Romano and Wolf 2005, Econometrica 73:1237-1282 (max-t); Cameron, Gelbach and Miller 2008, Review of Economics
        and Statistics 90:414-427 (wild cluster bootstrap). Tango's score where few flip is ours.
    """
    pairs = [Paired.of(a, b, clusters) for a, b in zip(full, arms, strict=True)]
    differences = np.asarray(arms, dtype=float) - np.asarray(full, dtype=float)
    largest = np.sort(_largest(differences, clusters, draws, seed))
    critical = max(_quantile(largest, level), _alone(pairs, level))
    few = max(critical, two_sided_z(1 - (1 - level) / len(pairs)))
    return Together(
        critical,
        tuple(pair.reaching(few if pair.has_few_flips else critical) for pair in pairs),
        tuple(_p(pair, largest, len(pairs)) for pair in pairs),
    )


def _alone(pairs: Sequence[Paired], level: float) -> float:
    """What one set alone would need: Student's t."""
    freedom = pairs[0].mean.degrees_of_freedom
    return float(stats.t.ppf((1 + level) / 2, freedom)) if freedom else two_sided_z(level)


def _quantile(largest: Numbers, level: float) -> float:
    rank = math.ceil(level * (len(largest) + 1))
    return float(largest[min(rank, len(largest)) - 1]) if len(largest) else 0.0


def _p(pair: Paired, largest: Numbers, sets: int) -> float:
    t = abs(pair.statistic(0.0))
    found = len(largest) - int(np.searchsorted(largest, t - NOTHING, side="left"))
    drawn = (1 + found) / (len(largest) + 1)
    alone = 2 * min(pair.p_above(0.0), pair.p_below(0.0))
    return min(1.0, max(drawn, alone * (sets if pair.has_few_flips else 1)))


def _largest(differences: Numbers, clusters: Sequence[str], draws: int, seed: int) -> Numbers:
    """draw: the largest |t*| of the family; empty if there is one image, or no set varies."""
    means = differences.mean(axis=1, keepdims=True)
    residuals, sizes = by_cluster(differences - means, clusters)
    varying = residuals[(residuals**2).sum(axis=1) > NOTHING]
    if len(sizes) < TWO or not len(varying):
        return np.empty(0)
    rng = np.random.default_rng(seed)
    return np.concatenate([_t(signs, varying, sizes) for signs in _signs(rng, draws, len(sizes))])


def _signs(rng: np.random.Generator, draws: int, images: int) -> Iterator[NDArray[np.float64]]:
    """Draw -1 or 1 for each draw x image, a few draws at once."""
    rows = max(1, AT_ONCE // images)
    for start in range(0, draws, rows):
        yield 2 * rng.integers(0, 2, (min(rows, draws - start), images)).astype(np.float64) - 1


def _t(signs: Numbers, residuals: Numbers, sizes: Numbers) -> Numbers:
    """draw: max over sets of |mean*| / SE*, with the clustered standard error found anew in each draw."""
    n, images = sizes.sum(), len(sizes)
    mean = signs @ residuals.T / n
    crossed = signs @ (residuals * sizes).T
    squares = (residuals**2).sum(axis=1) - 2 * mean * crossed + mean**2 * (sizes**2).sum()
    error = np.sqrt(images / (images - 1) * np.maximum(squares, 0.0)) / n
    t = np.divide(np.abs(mean), error, out=np.zeros_like(mean), where=error > NOTHING)
    return np.asarray(t.max(axis=1))
