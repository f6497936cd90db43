"""The sign-flip test by image: exact under "A and B may change places", however questions of one image go together.

Shapes: image.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal, stats

from skipit_nb.backend.evaluation.statistics.clusters import Numbers, by_cluster

SCALES = (1, 10, 100)
"""Scores that are multiples of 1, 0.1 or 0.01 have a distribution that can be written down."""
AT_ONCE = 2**22
"""Signs drawn at once."""
NOTHING = 1e-9


def cluster_sign_flip(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[str], *, draws: int = 9999, seed: int = 0
) -> float:
    """Two-sided p of "A and B are exchangeable on every image"; 1 if nothing flipped.

        T = Σ over images s_g,   s_g = Σ inside (b - a);     p = P( |Σ ± s_g| ≥ |T| ),  every sign as likely as not

    Exact for scores that are multiples of 0.01: the distribution is computed, not drawn. With one question an image
    it is McNemar's exact test. Other scores are drawn: p = (1 + hits) / (draws + 1).

    Args:
        a: Scores under A, 0 to 1.
        b: Scores under B.
        clusters: The image of each question.
        draws: Random signs, for scores of other kinds.
        seed: Of the drawing.
    """
    sums, _ = by_cluster(np.asarray(b, dtype=float) - np.asarray(a, dtype=float), clusters)
    moved = sums[np.abs(sums) > NOTHING]
    if not len(moved):
        return 1.0
    for scale in SCALES:
        whole = np.rint(moved * scale)
        if np.allclose(whole, moved * scale, atol=1e-7):
            return _exact(whole.astype(int))
    return _drawn(moved, draws, seed)


def _exact(sums: NDArray[np.int_]) -> float:
    """The chance of a sum at least as far from 0. Equal magnitudes are a binomial count of minus signs."""
    chances = np.ones(1)
    for size, count in zip(*np.unique(np.abs(sums), return_counts=True), strict=True):
        these = np.zeros(2 * size * count + 1)
        these[:: 2 * size] = stats.binom.pmf(np.arange(count + 1), count, 0.5)
        chances = signal.convolve(chances, these)
    reach = len(chances) // 2
    values = np.arange(-reach, reach + 1)
    return float(np.clip(chances[np.abs(values) >= abs(sums.sum())].sum(), 0, 1))


def _drawn(sums: Numbers, draws: int, seed: int) -> float:
    rng = np.random.default_rng(seed)
    least, hits, rows = abs(sums.sum()) - NOTHING, 0, max(1, AT_ONCE // len(sums))
    for start in range(0, draws, rows):
        signs = rng.integers(0, 2, (min(rows, draws - start), len(sums))) * 2 - 1
        hits += int((np.abs(signs @ sums) >= least).sum())
    return (1 + hits) / (draws + 1)
