"""Codes: a state becomes the number of the centroid nearest to its direction, so that information can be counted.

Shapes: sample, d_model; k centroids.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.redundancy.states import unit
from skipit_nb.errors import SettingError, TooFewSamplesError

Codes = NDArray[np.int64]
"""[sample] numbers from 0."""


@dataclass(frozen=True, slots=True)
class Codebook:
    """Centroids of directions, found by k-means on unit-length states.

    What it does not see: lengths, and whatever differs inside one cell. `distortion` says how much that is.
    """

    centroids: NDArray[np.float64]
    """[k, d_model]"""

    @property
    def k(self) -> int:
        """Number of centroids: fewer than asked for where there were fewer different states."""
        return len(self.centroids)

    def codes(self, states: NDArray[Any]) -> Codes:
        """The number of the nearest centroid of each state."""
        numbers: Codes = self._scores(states).argmax(1)
        return numbers

    def distortion(self, states: NDArray[Any]) -> float:
        """Mean 1 - cos between states and their centroids, 0 (nothing is lost) to 2."""
        centres = unit(self.centroids)[self.codes(states)]
        return float(((unit(states) - centres) ** 2).sum(1).mean() / 2)

    def _scores(self, states: NDArray[Any]) -> NDArray[np.float64]:
        """[sample, k] less the squared distance, up to a constant of the sample."""
        scores: NDArray[np.float64] = unit(states) @ self.centroids.T - (self.centroids**2).sum(1) / 2
        return scores


def codebook(states: NDArray[Any], k: int, seed: int = 0) -> Codebook:
    """Fit k centroids to the directions of `states`. Count on other states than these.

    Raises:
        SettingError: If k is below 2.
        TooFewSamplesError: If there are fewer states than centroids.
    """
    refuse_small(k)
    if len(states) < k:
        raise TooFewSamplesError(f"states for k = {k} centroids", len(states), k, "Take more questions or a smaller k.")
    directions = unit(states)
    # The same question in another batch differs in the last bits; it is one state all the same.
    different = np.unique(directions.round(5), axis=0)
    if len(different) <= k:
        return Codebook(different)
    from sklearn.cluster import KMeans  # half a second: only for who counts information

    return Codebook(KMeans(k, n_init=10, random_state=seed).fit(directions).cluster_centers_)


def refuse_small(k: int) -> None:
    """One code tells nothing.

    Raises:
        SettingError: If k is below 2.
    """
    if k < 2:  # noqa: PLR2004
        raise SettingError("k", k, "a whole number of at least 2")


def limit_for(least: int, half: int, clusters: NDArray[np.int64]) -> str:
    """What to ask for so that the smaller half has `least` questions, where it has `half` now.

    Halves are of whole images and differ by some questions, so it is as many more as the whole is larger than twice
    the smaller half, and one image beyond.
    """
    largest = int(np.bincount(np.unique(clusters, return_inverse=True)[1]).max())
    return f"limit={math.ceil(least * len(clusters) / half) + largest} or more"


def halves(clusters: NDArray[np.int64], seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples codes are fitted on, and which are counted: half of the images each, no image in both.

    Raises:
        TooFewSamplesError: If there is one image.
    """
    images = np.unique(clusters)
    if len(images) < 2:  # noqa: PLR2004
        raise TooFewSamplesError("images for two halves", len(images), 2, "Take more questions.")
    fitted = np.random.default_rng(seed).permutation(images)[: len(images) // 2]
    is_fitted = np.isin(clusters, fitted)
    return is_fitted, ~is_fitted
