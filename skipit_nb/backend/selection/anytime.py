"""What part of a fixed list of questions already proves about all of it, however often one looks.

A pair of skip sets differs on each question by a number from -1 to 1, and by some mean on the whole list. Questions are
asked in random order, none twice. To test "the mean is at least m", start with a capital of 1 and bet at every question
on less, at the odds that would be fair if the mean were m: under that claim the capital has no tendency to grow, so it
ever reaches 1 / α with probability α at most, at whichever question one looks or stops (Ville).

    y = 1 - difference                         expected[t] = (n · (1 - m) - Σ y before t) / (n - t)
    capital[t] = mean over bets of Π up to t (1 - bet + bet · y / expected)

Nothing is assumed of the questions, not even that those about one image have nothing to do with each other: their
order is the only chance there is. In return this speaks of that list of questions, not of others. As the list is used
up, what is left can change less and less, and at its end the mean is known.

Shapes:
    draw    questions in the order they were asked
    pair    pairs of skip sets

Source:
    Waudby-Smith & Ramdas 2020, "Confidence sequences for sampling without replacement", arXiv:2006.04347, and 2024,
    "Estimating means of bounded random variables by betting", arXiv:2010.09686. The three fixed bets, instead of bets
    that follow the data, are ours: with them the capital grows with m, so that bounds are exact.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

BETS = (0.2, 0.5, 0.9)
"""Shares of the capital at stake: for pairs that differ on many questions, on some, on hardly any."""
STEPS = 30
"""Halvings of the range from -1 to 1 in search of a bound: finer than one question in a thousand million."""
_NOTHING = 1e-9
"""Less than this is left over by rounding."""


def evidence(differences: Values, at_least: float | Values, num_questions: int) -> Values:
    """How strongly the questions so far speak against "the mean over all questions is at least so much".

    The claim is refuted at error α where this reaches log(1 / α). It never falls as more is asked, and it grows with
    the claimed mean.

    Args:
        differences: [draw, pair] from -1 to 1; nan where a pair was not asked, which may only be at its end.
        at_least: The mean that is claimed, or one for each pair.
        num_questions: Of the whole list.

    Returns:
        [pair] the log of the largest capital so far, at least 0; infinite where no answers to the rest could
        bring the mean up to the claim.
    """
    largest: Values = log_capitals(differences, at_least, num_questions).max(0, initial=0.0)
    return largest


def log_capitals(differences: Values, at_least: float | Values, num_questions: int) -> Values:
    """[draw, pair] the log of the capital after every question; arguments as for `evidence`.

    Capitals of several claims of which at most one matters may be added, in shares that sum to 1: the sum has no
    tendency to grow either.
    """
    payoff = 1 - np.nan_to_num(differences)
    left = num_questions * (1 - np.asarray(at_least)) - (payoff.cumsum(0) - payoff)
    expected = left / (num_questions - np.arange(len(payoff)))[:, None]
    gain = np.where(payoff > left + _NOTHING, np.inf, payoff / np.maximum(expected, _NOTHING))
    gain = np.where(np.isnan(differences), 1.0, gain)
    with np.errstate(over="ignore"):
        capitals = [np.log1p(bet * (gain - 1)).cumsum(0) for bet in BETS]
    together: Values = np.logaddexp.reduce(capitals, axis=0) - math.log(len(BETS))
    return together


def upper_bounds(differences: Values, error: float, num_questions: int) -> Values:
    """Means above which none is possible any more, at whichever question one stops.

    Args:
        differences: As for `evidence`.
        error: Probability that a pair's mean is ever above its bound, at most.
        num_questions: Of the whole list.

    Returns:
        [pair] from -1 to 1.
    """
    needed = math.log(1 / error)
    low, high = (np.full(differences.shape[1], end) for end in (-1.0, 1.0))
    for _ in range(STEPS):
        middle = (low + high) / 2
        is_refuted = evidence(differences, middle, num_questions) >= needed
        low, high = np.where(is_refuted, low, middle), np.where(is_refuted, middle, high)
    return high
