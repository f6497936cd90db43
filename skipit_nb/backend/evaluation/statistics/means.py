"""The mean of any number a question has, such as a margin in nats, with an interval."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats

from skipit_nb.backend.evaluation.statistics.clusters import clustered_mean
from skipit_nb.backend.evaluation.statistics.interval import LEVEL, Interval


def mean_interval(values: Sequence[float], clusters: Sequence[str]) -> Interval | None:
    """The mean with its 95 % interval: its clustered standard error, Student's t with images - 1 degrees of freedom.

    Unlike scores, the values have no bounds; with a few huge ones among many small ones, and few images, the interval
    is too narrow (KL near 0, 25 images: it held the mean in 845 of 1,000 draws).

    Args:
        values: One a question.
        clusters: The image of each question.

    Returns:
        The interval; None with fewer than two images, which do not show how images differ.
    """
    if len(set(clusters)) < 2:  # noqa: PLR2004
        return None
    mean = clustered_mean(values, clusters)
    reach = float(stats.t.ppf((1 + LEVEL) / 2, mean.degrees_of_freedom)) * mean.standard_error
    return Interval(mean.value, mean.value - reach, mean.value + reach, "cluster-robust t by image")
