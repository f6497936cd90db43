"""Questions about one image belong together: sums by image, and a mean whose error knows it.

Shapes:
    question  n
    image     the different clusters, G
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
TWO = 2
"""Images that it takes to see how images differ."""
NOTHING = 1e-12
"""A standard error below this is rounding."""


@dataclass(frozen=True, slots=True)
class ClusteredMean:
    """The mean of differences whose clusters are not independent inside."""

    value: float
    standard_error: float
    degrees_of_freedom: int
    design_effect: float
    """(clustered standard error / naive standard error)²; 1 where nothing varies; all questions for one image."""


def by_cluster(values: Sequence[float] | Numbers, clusters: Sequence[str]) -> tuple[Numbers, Numbers]:
    """The sum of the values of each image, and how many questions it has; images in the order they first appear.

    Args:
        values: question; or set x question, for sums of set x image.
        clusters: The image of each question.
    """
    _, first, found = np.unique(np.asarray(clusters), return_index=True, return_inverse=True)
    codes = np.argsort(np.argsort(first))[found]
    every = np.asarray(values, dtype=float)
    rows = [np.bincount(codes, weights=row, minlength=len(first)) for row in np.atleast_2d(every)]
    sums = np.array(rows, dtype=float).reshape(*every.shape[:-1], len(first))
    return sums, np.bincount(codes).astype(np.float64)


def clustered_mean(differences: Sequence[float] | Numbers, clusters: Sequence[str]) -> ClusteredMean:
    """The mean difference with a standard error that knows that questions about one image belong together.

        SE = √( G / (G - 1) · Σ over clusters (Σ inside (d - mean))² ) / n

    With one cluster there is no variance to see: the standard error is infinite, and all questions count as one.

    Source:
        Miller 2024, "Adding Error Bars to Evals", arXiv:2411.00640.
    """
    d = np.asarray(differences, dtype=float)
    n, mean = len(d), float(d.mean())
    sums, _ = by_cluster(d - mean, clusters)
    groups = len(sums)
    if groups < TWO:
        return ClusteredMean(mean, math.inf, 0, float(n))
    error = math.sqrt(groups / (groups - 1) * float((sums**2).sum())) / n
    naive = float(d.std(ddof=1)) / math.sqrt(n)
    return ClusteredMean(mean, error, groups - 1, (error / naive) ** 2 if naive > NOTHING else 1.0)
