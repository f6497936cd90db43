"""Rank correlation with an interval that knows that questions about one image belong together.

Images are drawn again with replacement, all questions of an image with it, and everything is ranked anew: a question
drawn twice is two that tie. The interval is the middle 95 % of what the draws give.

Shapes:
    draw      1 + DRAWS: the questions as they are, then resamples
    question  questions
    layer     num_layers
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.evaluation.statistics import LEVEL
from skipit_nb.backend.selection.agreement import spearman

Values = NDArray[np.float64]

DRAWS = 1000


@dataclass(frozen=True, slots=True)
class Correlation:
    """A rank correlation with its 95 % interval."""

    rho: float | None
    """-1 to 1; None where nothing varies."""
    low: float | None
    """None as well where all questions are about one image."""
    high: float | None


class Resampling:
    """The same draws of images for every number of one measurement.

    Args:
        clusters: The image of each question.
        seed: Of the draws.
    """

    def __init__(self, clusters: Sequence[str], seed: int) -> None:
        _, codes = np.unique(np.asarray(clusters), return_inverse=True)
        self.images = images = int(codes.max()) + 1
        """How many there are to draw from."""
        counts = np.random.default_rng(seed).multinomial(images, np.full(images, 1 / images), size=DRAWS)
        self.weights: Values = np.vstack([np.ones(images), counts])[:, codes]
        """[draw, question] how often each question was drawn."""

    def scores(self, values: Values) -> Values:
        """The ranks of `values` in every draw, so scaled that two rows' product is their correlation.

        Args:
            values: [question]

        Returns:
            [draw, question]; nan in a draw in which all values are equal, and everywhere if a value is.
        """
        if np.isnan(values).any():
            return np.full_like(self.weights, np.nan)
        ranks = midranks(values, self.weights)
        drawn = self.weights.sum(1, keepdims=True)
        scaled: Values = np.sqrt(self.weights) * (ranks - drawn / 2)
        size = np.sqrt((scaled**2).sum(1, keepdims=True))
        # Ranks are whole or half numbers, so where all are equal the size is 0 exactly.
        scores: Values = np.divide(scaled, size, out=np.full_like(scaled, np.nan), where=size > 0)
        return scores

    def correlation(self, x: Values, y: Values) -> Correlation:
        """Spearman's rank correlation over questions.

        Args:
            x: [draw, question] of `scores`.
            y: [draw, question] of `scores`.
        """
        return self._interval(np.einsum("dq,dq->d", x, y))

    def across_layers(self, x: Values, y: Values) -> Correlation:
        """Spearman's rank correlation over layers of two means over questions.

        Args:
            x: [question, layer]
            y: [question, layer]
        """
        drawn = self.weights.sum(1, keepdims=True)
        return self._interval(spearman(self.weights @ x / drawn, self.weights @ y / drawn))

    def _interval(self, found: Values) -> Correlation:
        """The first is the estimate, the others are draws."""
        if math.isnan(found[0]):
            return Correlation(None, None, None)
        if self.images == 1:
            return Correlation(float(found[0]), None, None)
        low, high = np.nanquantile(found[1:], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        return Correlation(*(float(np.clip(value, -1, 1)) for value in (found[0], low, high)))


def midranks(values: Values, weights: Values) -> Values:
    """Ranks of values that each occur so many times: half of those that tie, and all that are below.

    Args:
        values: [question]
        weights: [draw, question] whole numbers, how often each occurs.

    Returns:
        [draw, question] from 0 to the number drawn; their mean over what was drawn is half of it.
    """
    order = np.argsort(values, kind="stable")
    found, codes = np.unique(values, return_inverse=True)
    starts = np.searchsorted(values[order], found)
    tied = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks: Values = (tied.cumsum(1) - tied / 2)[:, codes]
    return ranks
