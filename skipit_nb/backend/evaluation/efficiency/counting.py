"""FLOPs and bytes of A and B on the same prompts, measured beside predicted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.energy import joules_of_arms
from skipit_nb.backend.evaluation.efficiency.flops import Counted, count_flops
from skipit_nb.backend.evaluation.efficiency.memory import kv_bytes, peak_bytes, unused_weights, weights
from skipit_nb.backend.evaluation.efficiency.timing import FIXED_TOKENS
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.cost import Cost, cost
from skipit_nb.results.efficiency import CONVENTION, FIXED, EfficiencyRow
from skipit_nb.skipset import SkipSet

Arms = tuple[SkipSet, SkipSet]


def predicted_cost(live: LiveModel, skipset: SkipSet, inputs: Inputs) -> Cost:
    """What the arithmetic says of one prompt: it has so many vision and text tokens."""
    vision, text = prompt_tokens(live, inputs)
    return cost(live.shape, skipset, num_vision=vision, num_text=text)


def prompt_tokens(live: LiveModel, inputs: Inputs) -> tuple[int, int]:
    """How many vision and text tokens one prompt has."""
    length = inputs["input_ids"].shape[1]
    if not live.anatomy.has_vision_rows:  # image features are no rows, and their number that of a usual image
        return live.shape.num_vision, length
    vision = int(live.anatomy.vision_rows(inputs["input_ids"]).sum())
    return vision, length - vision


@dataclass(frozen=True, slots=True)
class Weighed:
    """One prompt under one arm."""

    counted: Counted
    predicted: Cost


def weigh(live: LiveModel, arms: Arms, prompts: Sequence[Inputs]) -> tuple[list[Weighed], list[Weighed]]:
    """Count the FLOPs of every prompt under A and under B. Hold the model's lock."""
    a, b = (
        [Weighed(count_flops(live, arm, inputs), predicted_cost(live, arm, inputs)) for inputs in prompts]
        for arm in arms
    )
    return a, b


def flop_rows(a: Sequence[Weighed], b: Sequence[Weighed]) -> list[EfficiencyRow]:
    """FLOPs of the stages, means over prompts."""
    how = f"counted by PyTorch in generate, mean of {len(a)} prompts; {CONVENTION}"

    def row(name: str, of: Callable[[Counted], int], says: Callable[[Cost], float] | None = None) -> EfficiencyRow:
        one, two = (fmean(of(each.counted) for each in arm) / 1e9 for arm in (a, b))
        predicted = [fmean(says(each.predicted) for each in arm) / 1e9 for arm in (a, b)] if says else [None, None]
        return counted_row(name, "GFLOPs", one, two, how, (predicted[0], predicted[1]))

    return [
        row("vision FLOPs", lambda counted: counted.vision),
        row("prefill FLOPs", lambda counted: counted.prefill, lambda says: says.flops_prefill),
        row("FLOPs to first token", lambda counted: counted.first_token),
        row("FLOPs per token", lambda counted: counted.per_token, lambda says: says.flops_per_token),
    ]


def memory_rows(live: LiveModel, arms: Arms, prompts: Sequence[Inputs], device: Device) -> list[EfficiencyRow]:
    """Bytes of cache and peak, means over prompts; weights, by arithmetic. Hold the model's lock."""
    costs = [[predicted_cost(live, arm, inputs) for inputs in prompts] for arm in (SkipSet.none(), *arms)]
    return [
        _kv_row(live, arms, prompts, costs[1], costs[2]),
        _peak_row(live, arms, prompts, device),
        *_weight_rows(live, *(unused_weights(costs[0][0], under[0]) for under in costs[1:])),
    ]


def energy_row(live: LiveModel, arms: Arms, inputs: Inputs, device: Device) -> EfficiencyRow:
    """Joules of an answer of fixed length. Hold the model's lock."""
    name, unit = "energy", "J"
    if device.no_energy:
        return missing_row(name, unit, device.no_energy, mode=FIXED)
    a, b = joules_of_arms(live, arms, inputs, device, new_tokens=FIXED_TOKENS)
    how = f"the card's own counter, answers of {FIXED_TOKENS} tokens in a row, A B B A; what it takes idle is in it"
    return counted_row(name, unit, a, b, how, mode=FIXED)


def counted_row(
    name: str,
    unit: str,
    a: float,
    b: float,
    how: str,
    predicted: tuple[float | None, float | None] = (None, None),
    *,
    mode: str = "",
) -> EfficiencyRow:
    """A row of what was counted: no spread, and a ratio without an interval."""
    ratio = a / b if a and b else None
    return EfficiencyRow(
        name=name, mode=mode, unit=unit, a=a, b=b, quartiles_a=None, quartiles_b=None,
        ratio=ratio, low=ratio, high=ratio, predicted_a=predicted[0], predicted_b=predicted[1], method=how,
    )  # fmt: skip


def missing_row(name: str, unit: str, why: str, *, mode: str = "") -> EfficiencyRow:
    """A row of what could not be measured here."""
    return EfficiencyRow(
        name=name, mode=mode, unit=unit, a=None, b=None, quartiles_a=None, quartiles_b=None,
        ratio=None, low=None, high=None, predicted_a=None, predicted_b=None, method=why,
    )  # fmt: skip


def inputs_of(live: LiveModel, examples: Sequence[Example]) -> list[Inputs]:
    """Every question alone."""
    return [live.inputs([example.image], [example.question]) for example in examples]


def _kv_row(
    live: LiveModel, arms: Arms, prompts: Sequence[Inputs], one: Sequence[Cost], two: Sequence[Cost]
) -> EfficiencyRow:
    a, b = (fmean(kv_bytes(live, arm, inputs) for inputs in prompts) / 1e3 for arm in arms)
    says = [fmean(each.kv_bytes for each in costs) / 1e3 for costs in (one, two)]
    how = f"tensors of the prompt's cache, mean of {len(prompts)} prompts, a zero a token of layers without keys too"
    return counted_row("KV cache", "kB", a, b, how, (says[0], says[1]))


def _peak_row(live: LiveModel, arms: Arms, prompts: Sequence[Inputs], device: Device) -> EfficiencyRow:
    name, unit = "peak memory", "MB"
    if device.no_peak:
        return missing_row(name, unit, device.no_peak, mode=FIXED)
    a, b = (
        fmean(peak_bytes(live, arm, inputs, device, new_tokens=FIXED_TOKENS) for inputs in prompts) / 1e6
        for arm in arms
    )
    how = f"most allocated above weights and inputs, answers of {FIXED_TOKENS} tokens, mean of {len(prompts)} prompts"
    return counted_row(name, unit, a, b, how, mode=FIXED)


def _weight_rows(live: LiveModel, unused_a: int, unused_b: int) -> list[EfficiencyRow]:
    """What is in memory whatever is skipped, what is used of it, and what a pruned checkpoint would leave out."""
    total, held = weights(live)
    used, saved = ([total - unused_a, total - unused_b], [held * part / total for part in (unused_a, unused_b)])
    how = "arithmetic: matrices of layers that no token goes through; of experts, those of one token"
    return [
        counted_row("weights in memory", "M", total / 1e6, total / 1e6, f"all {held / 1e6:.4g} MB of them, always"),
        counted_row("weights in use", "M", used[0] / 1e6, used[1] / 1e6, how),
        counted_row("would save if pruned", "MB", saved[0] / 1e6, saved[1] / 1e6, how),
    ]
