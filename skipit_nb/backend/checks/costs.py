"""Work that must be left out, and a machine that must run as it can."""

from __future__ import annotations

from skipit_nb.backend.checks.trial import Trial
from skipit_nb.backend.evaluation.efficiency.counting import predicted_cost
from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.flops import count_flops
from skipit_nb.results.checks import FAILED, NOT_APPLICABLE, PASSED, SelfCheck
from skipit_nb.skipset import SkipSet

TOLERANCE = 0.01
"""What measured FLOPs may differ from predicted ones, as a share."""


def flops_fall(trial: Trial) -> SelfCheck:
    """Whether the language model does as much less work under the set as the arithmetic says, reading and writing."""
    if trial.skipset.is_empty:
        return SelfCheck("FLOPs", NOT_APPLICABLE, None, "share", "nothing is skipped, so nothing is saved")
    full, under = (_flops(trial, skipset) for skipset in (SkipSet.none(num_layers=_layers(trial)), trial.skipset))
    off = max(abs(measured / predicted - 1) for measured, predicted in (*full, *under))
    saved, expected = (1 - sum(pair[which] for pair in under) / sum(pair[which] for pair in full) for which in (0, 1))
    found = f"measured, the set saves {saved:.1%} of the language model's FLOPs; predicted {expected:.1%}"
    is_right = off <= TOLERANCE
    sentence = found if is_right else f"{found}, {off:.1%} off at worst: a saving that does not happen is no saving"
    return SelfCheck("FLOPs", PASSED if is_right else FAILED, off, "share", sentence)


def not_slowed_down(device: Device) -> SelfCheck:
    """Whether the card runs at the clock it could."""
    if device.no_health:
        return SelfCheck("GPU clock", NOT_APPLICABLE, None, "reasons", device.no_health)
    reasons, health = device.slowed_by(), device.health()
    sentence = f"{health}: slowed down by {', '.join(reasons)}" if reasons else f"{health}, not slowed down"
    return SelfCheck("GPU clock", FAILED if reasons else PASSED, float(len(reasons)), "reasons", sentence)


def _layers(trial: Trial) -> int:
    return trial.live.shape.num_layers


def _flops(trial: Trial, skipset: SkipSet) -> list[tuple[float, float]]:
    """(measured, predicted) of reading the first prompt, and of the second token."""
    inputs = trial.alone(trial.examples[0])
    counted, says = count_flops(trial.live, skipset, inputs), predicted_cost(trial.live, skipset, inputs)
    return [(counted.prefill, says.flops_prefill), (counted.per_token, says.flops_per_token)]
