"""Not worse by more than a margin, and no difference beyond it. The margin is fixed before the run.

The verdict does not use these p: it reads the two-sided 95 % interval. They say the same, since `interval.low` lies
above -margin exactly when the p of non-inferiority is below 0.025.
"""

from __future__ import annotations

from skipit_nb.backend.evaluation.statistics.paired import Paired
from skipit_nb.errors import SettingError


def noninferiority_p(paired: Paired, margin: float) -> float:
    """One-sided p of "B is worse by the margin or more"; small speaks for "not worse by more than the margin".

        p = P( t ≥ (d̄ + m) / SE );  with few flips Tango's score at -m instead

    Without any flip SE would be 0 and p too, at any n. Tango's score then is √(n m / (1 - m)): p falls below 0.05 at
    268 questions for a margin of 1 point, below 0.025 at 381.

    With few flips that all go one way the t test is a little bold: of simulated runs that truly lost the margin, 2.9 to
    4.4 % had p below 0.025.

    Args:
        paired: The differences.
        margin: The loss one would accept, a share above 0 and below 1 (0.01 = 1 point).

    Raises:
        SettingError: If the margin is out of range.
    """
    return paired.p_above(-_checked(margin))


def equivalence_p(paired: Paired, margin: float) -> float:
    """P of "A and B differ by the margin or more": the larger of two one-sided tests, at -m and at m.

    Small speaks for a difference within the margin, to either side.

    Source:
        Schuirmann 1987, Journal of Pharmacokinetics and Biopharmaceutics 15:657-680 (two one-sided tests).

    Raises:
        SettingError: If the margin is out of range.
    """
    return max(paired.p_above(-_checked(margin)), paired.p_below(margin))


def _checked(margin: float) -> float:
    if not 0 < margin < 1:
        raise SettingError("margin", margin, "a share above 0 and below 1, such as 0.01 for one point")
    return margin
