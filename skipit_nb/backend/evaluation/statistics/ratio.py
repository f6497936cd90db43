"""Ratios of times, measured in pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from skipit_nb.backend.evaluation.statistics.interval import LEVEL, Interval


def ratio_interval(log_ratios: Sequence[float]) -> Interval:
    """The geometric mean of paired ratios with its 95 % t interval.

    Args:
        log_ratios: log(time of A / time of B) of each pair.
    """
    x = np.asarray(log_ratios, dtype=float)
    centre = float(x.mean())
    if len(x) < 2:  # noqa: PLR2004
        return Interval(math.exp(centre), 0.0, math.inf, "one pair")
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(x) - 1)) * float(x.std(ddof=1)) / math.sqrt(len(x))
    return Interval(math.exp(centre), math.exp(centre - reach), math.exp(centre + reach), "paired log-ratio t")
