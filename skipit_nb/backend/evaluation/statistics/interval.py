"""An estimate with its interval, and the level that every interval of this package has."""

from __future__ import annotations

from dataclasses import dataclass

from scipy import stats

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % interval and how it was found."""

    value: float
    low: float
    high: float
    method: str


def two_sided_z(level: float = LEVEL) -> float:
    """How many standard errors a two-sided normal interval reaches to either side: 1.96 at 95 %."""
    return float(stats.norm.ppf((1 + level) / 2))
