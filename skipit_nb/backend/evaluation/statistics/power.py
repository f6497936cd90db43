"""How many questions a comparison needs: arithmetic from a pilot's share of flips and design effect.

    ψ     share of questions that flip, either way: (worse + better) / n of the pilot
    deff  design effect of the pilot: how many questions count as one
    δ     true difference B - A, a share; a difference of δ needs at least that many flips, |δ| ≤ ψ

A question's difference is -1, 0 or 1 with mean δ, so its variance is ψ - δ², and the standard error of n questions is
√((ψ - δ²) deff / n). The normal distribution stands for Student's t; with fewer than 30 images take more questions.
Without a pilot, do not take ψ from two accuracies: arms of one model agree far more often than chance.
"""

from __future__ import annotations

import math

from scipy import stats

from skipit_nb.backend.evaluation.statistics.interval import two_sided_z
from skipit_nb.errors import SettingError

OFTEN = 0.8
"""Power that is asked for: 4 runs in 5."""


def power(psi: float, deff: float, n: int, delta: float) -> float:
    """The chance that a run of n questions has an interval without 0, if the true difference is `delta`.

        Φ(|δ| / SE - 1.96) + Φ(-|δ| / SE - 1.96)

    Raises:
        SettingError: If a number is out of range.
    """
    steps, z = abs(delta) / _standard_error(psi, deff, n, delta), two_sided_z()
    return float(stats.norm.cdf(steps - z) + stats.norm.cdf(-steps - z))


def noninferiority_power(psi: float, deff: float, n: int, margin: float, delta: float = 0.0) -> float:
    """The chance that a run of n questions ends "not worse by more than the margin", if the true difference is `delta`.

        Φ((δ + m) / SE - 1.96)

    Raises:
        SettingError: If a number is out of range.
    """
    return float(stats.norm.cdf((delta + margin) / _standard_error(psi, deff, n, delta) - two_sided_z()))


def questions_needed(psi: float, deff: float, delta: float, *, margin: float = 0.0, power: float = OFTEN) -> int:
    """Questions at which a true difference of `delta` is found with the wanted power; with a margin, "not worse".

        n = deff · z² (ψ - δ²) / (|δ| or δ + m)²,   z = z(0.975) + z(power)

    Args:
        psi: Share of flips.
        deff: Design effect.
        delta: What the true difference is, or might be; 0 if B is as good as A, which only a margin can find.
        margin: Of non-inferiority, a share; 0 asks for an interval without 0 instead.
        power: How often the run shall find it.

    Raises:
        SettingError: If a number is out of range, or no number of questions finds that: no difference without a margin,
            or a loss of the margin or more.
    """
    gap = delta + margin if margin else abs(delta)
    if gap <= 0:
        raise SettingError("delta", delta, f"above -margin, {-margin:g}" if margin else "a difference other than 0")
    _check(psi, deff, 1, delta)
    if not 0 < power < 1:
        raise SettingError("power", power, "a share above 0 and below 1")
    return math.ceil(deff * _z(power) ** 2 * (psi - delta**2) / gap**2)


def mde(psi: float, deff: float, n: int, *, power: float = OFTEN) -> float:
    """The smallest true difference that n questions find with the wanted power: the inverse of `questions_needed`.

    z √ψ / √(n / deff + z²),   z = z(0.975) + z(power)
    """
    return _z(power) * math.sqrt(psi) / math.sqrt(n / deff + _z(power) ** 2)


def minimal_detectable_effect(worse: int, better: int, n: int, design_effect: float) -> float:
    """The smallest true difference that such a run would find 4 times in 5, as a share.

    MDE = z √ψ / √(n / deff + z²),   z = z(0.975) + z(0.8),   ψ = share of flips (at least 1 / n)
    """
    return mde(max(worse + better, 1) / n, max(design_effect, 1.0), n)


def _z(power: float) -> float:
    return two_sided_z() + float(stats.norm.ppf(power))


def _standard_error(psi: float, deff: float, n: int, delta: float) -> float:
    _check(psi, deff, n, delta)
    return math.sqrt(max(psi - delta**2, 1e-12) * deff / n)


def _check(psi: float, deff: float, n: int, delta: float) -> None:
    if not 0 < psi <= 1:
        raise SettingError("psi", psi, "a share of flips above 0 and at most 1, such as that of a pilot run")
    if deff <= 0:
        raise SettingError("deff", deff, "a design effect above 0; 1 where questions are independent")
    if n < 1:
        raise SettingError("n", n, "at least 1 question")
    if abs(delta) > psi:
        raise SettingError("delta", delta, f"at most the share of flips, {psi:g}, to either side")
