"""Answers in another order, for a null: what codes would tell about answers that have nothing to do with them.

Questions about one image are not independent. The mean of the vision tokens is the same for all of them, and their
answers may go together; shuffled one by one they would lose that, and chance would look smaller than it is. So whole
images change places.

Shapes: sample.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.redundancy.quantised import Codes

SPREAD = 0.15
"""How unlike in size two images that change places may be: the standard deviation of the logarithm. With more of it
fewer answers stay with their image's others; with less, few images can change places."""


def shuffled(z: Codes, rng: np.random.Generator, given: Codes | None = None, clusters: Codes | None = None) -> Codes:
    """The answers in another order; with `given`, only among samples with the same code there.

    Images of about one size exchange their answers. Where one has more than the other, the answers left over are
    shuffled one by one among the places left over, so that every answer stays as frequent as it is.

    Args:
        z: [sample] answers.
        rng: Draws the order.
        given: [sample] codes inside which answers stay.
        clusters: [sample] number of the image; None takes every question for an image of its own.
    """
    stratum = np.zeros_like(z) if given is None else given
    image = np.arange(len(z)) if clusters is None else clusters
    order = np.lexsort((rng.random(len(z)), image, stratum))
    stratum, image = stratum[order], image[order]
    starts = np.flatnonzero(np.r_[True, (np.diff(stratum) != 0) | (np.diff(image) != 0)])
    size = np.diff(np.r_[starts, len(z)])
    part = np.repeat(np.arange(len(starts)), size)
    rank = np.arange(len(z)) - starts[part]
    giver = _partners(size, stratum[starts], rng)
    taker = np.argsort(giver)
    is_filled, is_given = rank < size[giver[part]], rank < size[taker[part]]
    left = np.flatnonzero(~is_given)
    source = np.empty(len(z), dtype=np.int64)
    source[is_filled] = starts[giver[part[is_filled]]] + rank[is_filled]
    source[~is_filled] = left[np.lexsort((rng.random(len(left)), stratum[left]))]
    mixed = np.empty_like(z)
    mixed[order] = z[order][source]
    return mixed


def _partners(size: NDArray[np.int64], stratum: Codes, rng: np.random.Generator) -> NDArray[np.int64]:
    """For every part of an image, the part of the same stratum and about the same size whose answers it takes."""

    def by_size() -> NDArray[np.int64]:
        return np.lexsort((np.log(size) + SPREAD * rng.standard_normal(len(size)), stratum))

    partners = np.empty(len(size), dtype=np.int64)
    partners[by_size()] = by_size()
    return partners
