"""Information between codes, in nats: counted, corrected for its bias, and set beside what chance gives.

Shapes: sample. Codes are whole numbers from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.redundancy.quantised import Codes
from skipit_nb.backend.redundancy.shuffling import shuffled

PERMUTATIONS = 200


@dataclass(frozen=True, slots=True)
class Estimate:
    """A quantity of information and what it would be by chance, in nats."""

    plug_in: float
    """Counted as it stands: too high for an information, too low for an entropy."""
    value: float
    """With the bias taken off (Miller-Madow in each entropy). May be a little below 0."""
    null_mean: float = 0.0
    """Mean of `value` where the answers are shuffled. Not near 0: the samples are too few for so many cells."""
    null_high: float = 0.0
    """95 % quantile of the same; below it a value means nothing."""
    p: float = 1.0
    """Share of shuffles, this order among them, that give as much."""


def joint(*codes: Codes) -> Codes:
    """One code for several: different where any of them differs; numbered from 0 without gaps."""
    wide = np.zeros_like(codes[0])
    for one in codes:
        wide = wide * (int(one.max()) + 1) + one
    return np.unique(wide, return_inverse=True)[1]


def entropy(codes: Codes, *, corrected: bool = False) -> float:
    """H of the counted codes in nats, 0 to log(number of codes).

        H = -Σ p log p   (+ (cells - 1) / 2n, corrected; cells: codes that occurred)

    Source:
        Miller 1955, "Note on the bias of information estimates".
    """
    counts = np.bincount(codes)
    p = counts[counts > 0] / len(codes)
    plain = float(-(p * np.log(p)).sum())
    return plain + (len(p) - 1) / (2 * len(codes)) if corrected else plain


def conditional_entropy(x: Codes, given: Codes, *, corrected: bool = False) -> float:
    """H(X | Y) = H(X, Y) - H(Y) in nats: 0 where Y tells X."""
    return entropy(joint(x, given), corrected=corrected) - entropy(given, corrected=corrected)


def mutual_information(x: Codes, z: Codes, *, corrected: bool = False) -> float:
    """I(X; Z) = H(X) + H(Z) - H(X, Z) in nats: 0 where X tells nothing about Z.

    Corrected, the bias (cells of X, Z - cells of X - cells of Z + 1) / 2n is taken off.

    Source:
        Panzeri & Treves 1996, "Analytical estimates of limited sampling biases", with the cells that occurred.
    """
    parts = (entropy(codes, corrected=corrected) for codes in (x, z, joint(x, z)))
    h_x, h_z, h_xz = parts
    return h_x + h_z - h_xz


def conditional_information(x: Codes, z: Codes, given: Codes, *, corrected: bool = False) -> float:
    """I(X; Z | Y) = H(X, Y) + H(Z, Y) - H(X, Z, Y) - H(Y) in nats: what X adds about Z where Y is known."""
    xy, zy, xzy = joint(x, given), joint(z, given), joint(x, z, given)
    h_xy, h_zy, h_xzy, h_y = (entropy(codes, corrected=corrected) for codes in (xy, zy, xzy, given))
    return h_xy + h_zy - h_xzy - h_y


def measured(
    x: Codes,
    z: Codes,
    given: Codes | None = None,
    *,
    clusters: Codes | None = None,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
) -> Estimate:
    """I(X; Z), or I(X; Z | given), with its bias taken off and its permutation null.

    The null shuffles the answers, under `given` inside each of its codes, so that what `given` tells of them stays,
    and whole images of about one size, so that what questions about one image have in common stays too.
    """

    def value(answers: Codes, *, corrected: bool) -> float:
        if given is None:
            return mutual_information(x, answers, corrected=corrected)
        return conditional_information(x, answers, given, corrected=corrected)

    rng = np.random.default_rng(seed)
    found = value(z, corrected=True)
    null = [value(shuffled(z, rng, given, clusters), corrected=True) for _ in range(permutations)]
    return Estimate(value(z, corrected=False), found, *against(found, null))


def against(found: float, null: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % quantile of a null, and the share of it, `found` among it, that reaches `found`."""
    if not len(null):
        return 0.0, 0.0, 1.0
    values: NDArray[np.float64] = np.asarray(null)
    reached = float((values >= found - 1e-12).sum())
    return float(values.mean()), float(np.quantile(values, 0.95)), (1 + reached) / (1 + len(values))
