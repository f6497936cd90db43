"""Stopping early without fooling oneself: evidence that may be looked at after every image.

A bettor who never knows the next image stakes a part of what he has on "the difference is above δ". If it is not, he
cannot expect to gain, whatever he watches and whenever he stops: his wealth e reaches 1/α with a chance of at most α.

    e(δ) = mean over bets κ of Π over images (1 + κ x_g),   x_g = (s_g - δ w_g) / (w (1 + δ)) ≥ -1
    s_g sum of b - a inside image g · w_g its questions · w the most questions an image can have, fixed beforehand

One image is one step, so questions of one image may hang together in any way, and the promise is exact. It is dear:
each bet must survive an image lost whole, which for images of ten questions takes several times the questions. The
interval that `compare` stops by is `anytime_interval`. The images must come in random order.

Shapes:
    image   in the order they were answered
    bet     the parts staked

Source:
    Waudby-Smith and Ramdas 2024, JRSS B 86:1-27, arXiv:2010.09686 (betting); Ramdas et al. 2023, Statistical Science
    38:576-601, arXiv:2210.01948 (e-processes). The sum over an image as the step is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import special

from skipit_nb.backend.evaluation.statistics.clusters import Numbers

BETS: NDArray[np.float64] = np.geomspace(0.01, 0.999, 30)
"""Parts of the wealth that are staked; their mean hedges what is not known beforehand: how large the difference is."""


def log_evidence_above(
    sums: Numbers | Sequence[float],
    sizes: Numbers | Sequence[float],
    delta: float,
    largest: float,
    bets: Numbers = BETS,
) -> Numbers:
    """image: log e after each image, of "the true difference is above `delta`".

    Unless it is, the chance that this ever reaches log(1/α) is at most α. 0 says nothing; log 20 = 3.0 is evidence
    as strong as a test at 5 %. It falls again where the answers speak against it.

    Args:
        sums: Sum of the differences b - a of each image, in random order.
        sizes: Questions of each image.
        delta: What the difference should be above, -1 to 1 without the ends.
        largest: The most questions an image can have, known before the run.
        bets: Parts staked, above 0 and below 1, each as likely as the other.
    """
    x = _steps(np.asarray(sums, dtype=float), np.asarray(sizes, dtype=float), delta, largest)
    paths = np.cumsum(np.log1p(np.multiply.outer(bets, x)), axis=1)
    return np.asarray(special.logsumexp(paths, axis=0)) - math.log(len(bets))


def log_evidence_below(
    sums: Numbers | Sequence[float], sizes: Numbers | Sequence[float], delta: float, largest: float
) -> Numbers:
    """image: as `log_evidence_above`, of "the true difference is below `delta`"."""
    return log_evidence_above(-np.asarray(sums, dtype=float), sizes, -delta, largest)


def log_evidence_of_difference(
    sums: Numbers | Sequence[float], sizes: Numbers | Sequence[float], largest: float
) -> Numbers:
    """image: log e of "the true difference is not 0": half of the wealth bets on above, half on below."""
    above, below = log_evidence_above(sums, sizes, 0.0, largest), log_evidence_below(sums, sizes, 0.0, largest)
    return np.asarray(np.logaddexp(above, below)) - math.log(2)


def log_evidence_of_flips(worse: int, better: int) -> float:
    """Give log e of "an image gets worse more often than better, or less often".

        e = 2^(b + c) · Beta(b + 1, c + 1)

    The bettor for whom every part from -1 to 1 is as likely as the other. Valid if A and B are exchangeable on every
    image, as for the sign-flip test. Where images have one question each, the counts are those of flips.

    Args:
        worse: Images whose sum of b - a is below 0.
        better: Images whose sum is above 0.
    """
    return (worse + better) * math.log(2) + float(special.betaln(worse + 1, better + 1))


def _steps(sums: Numbers, sizes: Numbers, delta: float, largest: float) -> Numbers:
    return (sums - delta * sizes) / (largest * (1 + delta))
