"""Many p of one family: Holm's correction, for whatever way they hang together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Adjusted p: at 0.05, the chance of even one false alarm in the family stays below 5 %.

        the i-th smallest of k becomes max over j ≤ i of min(1, (k - j + 1) p_j)

    Source:
        Holm 1979, Scandinavian Journal of Statistics 6:65-70.
    """
    every = np.asarray(p, dtype=float)
    order = np.argsort(every, kind="stable")
    steps = np.maximum.accumulate(every[order] * np.arange(len(every), 0, -1))
    adjusted = np.empty(len(every))
    adjusted[order] = np.minimum(steps, 1.0)
    return tuple(adjusted.tolist())
