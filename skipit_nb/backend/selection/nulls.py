"""What chance would measure: the nulls whose quantiles are the default thresholds of the paper's rule.

The paper gives no thresholds. All nulls here are ours; each is a distribution of a mean over independent images.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, geometric_mean

from scipy import stats

from skipit_nb.backend.redundancy.geometric import SMALLEST_DISTANCE
from skipit_nb.results import LayerDistance, LayerFlow


def typical_distance(rows: Sequence[LayerDistance]) -> float:
    """The geometric mean of the layers' distances, in 1 - cos.

    Geometric because distances span orders of magnitude: below an arithmetic mean are nearly all layers, as soon as one
    rewrites every state. It also gives one verdict in 1 - cos and in chords, which are its root.
    """
    return geometric_mean(max(row.distance, SMALLEST_DISTANCE) for row in rows)


def distance_threshold(rows: Sequence[LayerDistance], *, images: int, level: float) -> float:
    """The mean distance that a typical layer stays below with probability `level`, in 1 - cos.

    H0: the layer turns the vision tokens as the typical layer does. Relative to that, image by image, its distance is
    then lognormal around 1, with the spread over images that layers have on average:

        log mean ~ N(log typical, s² / images),   s² = mean over layers of relative_spread²

    Args:
        rows: One a layer, of one kind of token.
        images: Independent images; questions about one image are one. From one alone no spread can be told: there it
            is the typical distance.
        level: 0 to 1; 0.5 is the typical distance itself.
    """
    variance = fmean(_relative_variance(row) for row in rows)
    reach = NormalDist().inv_cdf(level) * math.sqrt(variance / images)
    return min(2.0, typical_distance(rows) * math.exp(reach))


def _relative_variance(row: LayerDistance) -> float:
    """Of the log distance; a result of an earlier version knows only that of the distance itself."""
    if row.relative_spread is None:
        return math.log1p((row.spread / max(row.distance, SMALLEST_DISTANCE)) ** 2)
    return row.relative_spread**2


def tail_threshold(rows: Sequence[LayerDistance], *, epsilon: float, images: int, level: float) -> float:
    """The share P[d > ε] that a typical layer stays at or below with probability `level` at most, 0 to 1.

    H0: the layer has the mean tail of all layers, p. All tokens of an image are taken for one, which is stricter than
    the truth: Binomial(images, p) / images. Where even no token beyond ε would be likelier than `level`, as from few
    images, or where no layer has such tokens, it is below 0: then no layer passes.
    """
    share = min(1.0, fmean(row.tail_at(epsilon) for row in rows))
    at_least = int(stats.binom.ppf(level, images, share))  # the fewest images that are likelier than the level
    is_likelier = stats.binom.cdf(at_least, images, share) > level
    return (at_least - int(is_likelier)) / images


def flow_threshold(row: LayerFlow, *, images: int, level: float) -> float:
    """The VAR that a text which reads keys without regard to modality stays below with probability `level`, 0 to 1.

    H0: the weights of the layer's attention are as they are, but "vision" is the name of as many keys drawn at
    random among all but the first (which, as a sink, gets its weight whatever it holds). Their sum has an exact mean
    and variance; the mean over images is taken for normal.

    A result of an earlier version knows neither: there it is the flat share, whatever the level.
    """
    if row.chance is None:
        return row.uniform
    reach = NormalDist().inv_cdf(level) * row.chance_spread / math.sqrt(images)
    return min(1.0, max(0.0, row.chance + reach))
