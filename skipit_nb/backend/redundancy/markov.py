"""Is X_{l-1} → X_l → Z a chain for this view? Does the boundary before a layer still help, given the one after it?

Shapes: sample, d_model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.evaluation.statistics import Interval
from skipit_nb.backend.redundancy.information import PERMUTATIONS, against
from skipit_nb.backend.redundancy.probes import Labels, Values, cross_validated, gap


@dataclass(frozen=True, slots=True)
class ChainTest:
    """What reading X_{l-1} beside X_l saves, in nats of log loss per question. Above 0: no chain, for this view."""

    gain: Interval
    p: float
    """By chance so much or more: the images' gains with random signs. Small rejects the chain."""


def chain_test(
    before: NDArray[Any],
    after: NDArray[Any],
    answers: Labels,
    clusters: Labels,
    *,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    folds: int = 5,
    **settings: Any,
) -> ChainTest:
    """Compare a reader of (X_{l-1}, X_l) with a reader of (X_l, X_l), on questions that neither was fitted on.

    Conditional predictive information: E log p(Z | X_{l-1}, X_l) - E log p(Z | X_l). X_l is read twice, because twice
    the numbers loosen the regularisation: so an identity layer has a gain of exactly 0. A reader with needless
    features loses a little, so where there is a chain the gain is about 0 or below, and p is on the safe side. A
    reader of limited power may gain although the chain holds: what X_l hides from it, X_{l-1} may show. In that sense
    a *view* and a *family* are tested, not the model.

    Args:
        before: [sample, d_model] X_{l-1}.
        after: [sample, d_model] X_l.
        answers: [sample] Z from 0.
        clusters: [sample] number of the image.
        permutations: How many random signs.
        seed: Of the signs.
        folds: Of the cross-validation.
        settings: Others of `cross_validated`.
    """
    alone, both = (
        cross_validated(np.concatenate([beside, after], axis=1), answers, clusters, folds=folds, **settings)
        for beside in (after, before)
    )
    gains = alone.log_loss - both.log_loss
    gain = gap(alone.log_loss, both.log_loss, clusters, folds=folds)
    return ChainTest(gain, sign_flip_p(gains, clusters, permutations, seed))


def sign_flip_p(gains: Values, clusters: Labels, permutations: int = PERMUTATIONS, seed: int = 0) -> float:
    """One-sided p of "the mean gain is not above 0", by flipping the signs of whole images."""
    _, codes = np.unique(clusters, return_inverse=True)
    sums = np.bincount(codes, weights=gains)
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(permutations, len(sums)))
    return against(float(sums.sum()), (signs @ sums).tolist())[2]
