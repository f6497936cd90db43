"""The difference of accuracy of two arms on the same questions: its interval, and the test that goes with it.

Shapes: question. Scores are 0 to 1; differences are B - A, so below 0 B is worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from skipit_nb.backend.evaluation.statistics.clusters import NOTHING, ClusteredMean, clustered_mean
from skipit_nb.backend.evaluation.statistics.interval import LEVEL, Interval, two_sided_z
from skipit_nb.backend.evaluation.statistics.tango import tango_interval, tango_statistic

FEWEST_FLIPS = 10
"""With fewer flips than this the clustered interval is not to be trusted; Tango's is used instead."""


@dataclass(frozen=True, slots=True)
class Paired:
    """What the difference of two arms rests on.

    Two methods, one rule between them. Where at least 10 questions, counted by image, differ from the commonest
    difference: the mean with its clustered standard error, Student's t with images - 1 degrees of freedom. Else
    Tango's score, with every count divided by the design effect; with one image all questions count as one.

    A score between 0 and 1 counts in Tango's as a part of a flip. That keeps the mean and can only widen the interval,
    since no difference varies more than one that is -1, 0 or 1 with the same mean loss and gain.
    Without any flip nothing tells how questions about one image go together: they count as independent.
    """

    n: int
    worse: float
    """Sum of the losses: with scores 0 and 1, questions right under A and wrong under B."""
    better: float
    exceptions: int
    """Questions whose difference is not the commonest one; mostly, the flips."""
    mean: ClusteredMean

    @classmethod
    def of(cls, a: Sequence[float], b: Sequence[float], clusters: Sequence[str]) -> Paired:
        """The differences B - A.

        Args:
            a: Scores under A.
            b: Scores under B.
            clusters: The image of each question.
        """
        d = np.asarray(b, dtype=float) - np.asarray(a, dtype=float)
        _, counts = np.unique(d, return_counts=True)
        losses, gains = float(-d[d < 0].sum()), float(d[d > 0].sum())
        return cls(len(d), losses, gains, len(d) - int(counts.max()), clustered_mean(d, clusters))

    @property
    def has_few_flips(self) -> bool:
        """Whether Tango's score is used."""
        is_flat = self.mean.standard_error < NOTHING or self.mean.degrees_of_freedom == 0
        return is_flat or self.exceptions / self.divisor < FEWEST_FLIPS

    @property
    def divisor(self) -> float:
        """How many questions count as one: the design effect, at least 1."""
        return max(self.mean.design_effect, 1.0)

    def interval(self, level: float = LEVEL) -> Interval:
        """The mean difference with its two-sided interval; it has a width even if nothing flips."""
        if self.has_few_flips:
            return self.reaching(two_sided_z(level))
        return self.reaching(float(stats.t.ppf((1 + level) / 2, self.mean.degrees_of_freedom)))

    def reaching(self, critical: float) -> Interval:
        """The interval of so many standard errors to either side, within -1 to 1."""
        if self.has_few_flips:
            low, high = tango_interval(*self._counts, critical)
            return Interval(self.mean.value, low, high, "Tango score interval")
        reach = critical * self.mean.standard_error
        low, high = max(self.mean.value - reach, -1.0), min(self.mean.value + reach, 1.0)  # scores lie in 0..1
        return Interval(self.mean.value, low, high, "cluster-robust t by image")

    def statistic(self, delta: float) -> float:
        """Standard errors by which the mean difference lies above `delta`."""
        if self.has_few_flips:
            return tango_statistic(*self._counts, delta)
        return (self.mean.value - delta) / self.mean.standard_error

    def p_above(self, delta: float) -> float:
        """One-sided p of "the true difference is `delta` or lower"; small speaks for a higher one."""
        t = self.statistic(delta)
        return float(stats.norm.sf(t) if self.has_few_flips else stats.t.sf(t, self.mean.degrees_of_freedom))

    def p_below(self, delta: float) -> float:
        """One-sided p of "the true difference is `delta` or higher"; small speaks for a lower one."""
        t = -self.statistic(delta)
        return float(stats.norm.sf(t) if self.has_few_flips else stats.t.sf(t, self.mean.degrees_of_freedom))

    @property
    def _counts(self) -> tuple[float, float, float]:
        return self.worse / self.divisor, self.better / self.divisor, self.n / self.divisor


def delta_interval(a: Sequence[float], b: Sequence[float], clusters: Sequence[str]) -> tuple[Interval, ClusteredMean]:
    """The accuracy difference B - A with the interval that decides the verdict.

    Cluster-robust t over images; Tango's score interval where there are fewer than 10 flips or one image. The rule is
    that of `Paired`.
    """
    paired = Paired.of(a, b, clusters)
    return paired.interval(), paired.mean


def flips(a: Sequence[float], b: Sequence[float]) -> tuple[int, int]:
    """How many questions got worse, how many better."""
    pairs = list(zip(a, b, strict=True))
    return sum(y < x for x, y in pairs), sum(y > x for x, y in pairs)
