"""McNemar's test on flips. It is printed and decides nothing: it takes every question for independent."""

from __future__ import annotations

from scipy import stats


def exact_mcnemar(worse: int, better: int) -> float:
    """Two-sided exact McNemar p of "as many got better as got worse"; 1 if nothing flipped. Ignores clusters."""
    return float(stats.binomtest(better, worse + better, 0.5).pvalue) if worse + better else 1.0


def mid_p_mcnemar(worse: int, better: int) -> float:
    """Two-sided mid-p McNemar, which counts only half of the chance of exactly this; 1 if nothing flipped.

        p - P(X = min(worse, better)),   X binomial of worse + better and ½;   1 - P(X = worse) / 2 if both are equal

    The exact test rejects too seldom, this one about as often as it says. Ignores clusters.

    Source:
        Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91.
    """
    total = worse + better
    if not total:
        return 1.0
    here = float(stats.binom.pmf(worse, total, 0.5))
    return 1 - here / 2 if worse == better else exact_mcnemar(worse, better) - here
