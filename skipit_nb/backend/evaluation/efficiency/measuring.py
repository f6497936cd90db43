"""Everything a skip set saves, put together: the rows that were asked for, and Amdahl's line over them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skipit_nb.backend.evaluation.efficiency.counting import (
    Arms,
    energy_row,
    flop_rows,
    inputs_of,
    memory_rows,
    predicted_cost,
    weigh,
)
from skipit_nb.backend.evaluation.efficiency.device import Device, device_of
from skipit_nb.backend.evaluation.efficiency.timing import conditions, time_arms
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import Provenance
from skipit_nb.results.efficiency import Efficiency, EfficiencyRow, Expectation

MEASURES = ("latency", "flops", "memory", "energy")
COUNTED_PROMPTS = 2
"""FLOPs and bytes hardly differ between prompts, so a few of them are counted."""


def efficiency(
    live: LiveModel,
    arms: Arms,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    measure: Sequence[str],
    max_new_tokens: int,
    tick: Tick,
    device: Device | None = None,
) -> Efficiency:
    """Measure what B saves over A on these prompts.

    Args:
        live: The model.
        arms: A and B.
        examples: The prompts that are timed; the first few of them are counted.
        provenance: Of the prompts.
        measure: Some of `MEASURES`.
        max_new_tokens: New tokens at most, where each arm stops by itself.
        tick: Told after every prompt that was timed.
        device: What tells of time, memory and energy; by default the model's own device.

    Raises:
        NoExamplesError: If there are no prompts.
        SettingError: If something else is to be measured.
    """
    if set(measure) - set(MEASURES):
        raise SettingError("measure", measure, f"some of {', '.join(MEASURES)}")
    if not examples:
        raise NoExamplesError("a measurement")
    about = conditions()
    rows = measured_rows(
        live,
        arms,
        examples,
        measure=measure,
        max_new_tokens=max_new_tokens,
        tick=tick,
        seed=provenance.seed,
        device=device,
    )
    gain = _decoder_gain(live, arms, inputs_of(live, examples[:COUNTED_PROMPTS]))
    return Efficiency(provenance, *arms, rows, tuple(_expectations(rows, gain)), about)


def measured_rows(
    live: LiveModel,
    arms: Arms,
    examples: Sequence[Example],
    *,
    measure: Sequence[str],
    max_new_tokens: int,
    tick: Tick,
    seed: int = 0,
    device: Device | None = None,
) -> tuple[EfficiencyRow, ...]:
    """The rows alone, in the order of `MEASURES`; `seed` is that of the order of the arms."""
    here = device or device_of(live.device)
    timed: list[EfficiencyRow] = []
    if "latency" in measure:
        timed = time_arms(live, arms, examples, here, max_new_tokens=max_new_tokens, tick=tick, seed=seed)
    with live.lock:
        return (*timed, *_counted(live, arms, inputs_of(live, examples[:COUNTED_PROMPTS]), here, measure))


def _counted(
    live: LiveModel, arms: Arms, prompts: Sequence[Inputs], device: Device, measure: Sequence[str]
) -> Iterator[EfficiencyRow]:
    if "flops" in measure:
        yield from flop_rows(*weigh(live, arms, prompts))
    if "memory" in measure:
        yield from memory_rows(live, arms, prompts, device)
    if "energy" in measure:
        yield energy_row(live, arms, prompts[0], device)


def _decoder_gain(live: LiveModel, arms: Arms, prompts: Sequence[Inputs]) -> float:
    """Predicted FLOPs of reading the prompts, A / B."""
    a, b = (sum(predicted_cost(live, arm, inputs).flops_prefill for inputs in prompts) for arm in arms)
    return a / b


def _expectations(rows: Sequence[EfficiencyRow], decoder: float) -> Iterator[Expectation]:
    """Amdahl's line of what was measured."""
    first = {row.name: row for row in reversed(rows)}  # of two modes the fixed length, which comes first
    for whole, part in (("time to first token", "prefill time"), ("FLOPs to first token", "prefill FLOPs")):
        if whole in first and part in first and first[whole].a:
            share = max(1 - (first[part].a or 0) / (first[whole].a or 1), 0)
            yield Expectation(whole, share, decoder, 1 / (share + (1 - share) / decoder), first[whole].ratio)
