"""Real time of A and B: the same prompts, in turn A B B A or B A A B, each after a run that does not count."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median

import numpy as np
import torch

from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.stopwatch import Answering, timed_answer
from skipit_nb.backend.evaluation.statistics import ratio_interval
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.jobs import Tick
from skipit_nb.results.efficiency import FIXED, FREE, Conditions, EfficiencyRow
from skipit_nb.skipset import SkipSet

FIXED_TOKENS = 9
"""New tokens of the fixed-length mode, the same for both arms."""
ORDERS = ("abba", "baab")

QUANTITIES: dict[str, tuple[str, Callable[[Answering], float | None]]] = {
    "preprocess time": ("ms", lambda run: run.preprocess),
    "vision time": ("ms", lambda run: run.vision),
    "prefill time": ("ms", lambda run: run.prefill),
    "time to first token": ("ms", lambda run: run.first_token),
    "time per token": ("ms", lambda run: run.per_token),
    "total time": ("ms", lambda run: run.total),
}
FREE_QUANTITIES: dict[str, tuple[str, Callable[[Answering], float | None]]] = {
    "total time": ("ms", lambda run: run.total),
    "new tokens": ("tokens", lambda run: float(run.new_tokens)),
}
"""What is told of each mode."""


@dataclass(frozen=True, slots=True)
class _Mode:
    name: str
    at_least: int | None
    at_most: int
    quantities: dict[str, tuple[str, Callable[[Answering], float | None]]]
    turns: int
    """A B B A so many times a prompt; an arm's time of a prompt is the median of its runs."""
    warms_up: bool
    """Whether each arm first answers the prompt once for nothing."""


Pair = dict[str, list[Answering]]
"""The runs of one prompt, by arm "a" and "b"."""


def time_arms(
    live: LiveModel,
    arms: tuple[SkipSet, SkipSet],
    examples: Sequence[Example],
    device: Device,
    *,
    max_new_tokens: int,
    tick: Tick,
    seed: int = 0,
) -> list[EfficiencyRow]:
    """Time both arms on each example, one at a time; nothing that was answered before is used.

    Args:
        live: The model; its lock is held for each prompt, so that nobody gets in between the arms.
        arms: A and B.
        examples: The prompts.
        device: Of the model.
        max_new_tokens: Of the free-running mode.
        tick: Told after every prompt.
        seed: Of the order of the arms.

    Returns:
        In ms, medians and quartiles over prompts, with the paired ratio A / B: above 1, B is faster.
    """
    modes = (
        _Mode(FIXED, FIXED_TOKENS, FIXED_TOKENS, QUANTITIES, turns=2, warms_up=True),
        _Mode(FREE, None, max_new_tokens, FREE_QUANTITIES, turns=1, warms_up=False),  # comes after the other
    )
    order = np.random.default_rng(seed)
    pairs: dict[str, list[Pair]] = {mode.name: [] for mode in modes}
    for done, example in enumerate(examples):
        tick(done, len(examples))
        with live.lock:
            for mode in modes:
                pair = _time_pair(live, arms, example, device, mode, ORDERS[order.integers(2)])
                pairs[mode.name].append(pair)
    tick(len(examples), len(examples))
    threads = torch.get_num_threads()
    how = f"paired log-ratio t, {len(examples)} prompts, batch 1, {threads} CPU thread{'s' * (threads != 1)}"
    return [
        row
        for mode in modes
        for name, (unit, of) in mode.quantities.items()
        if (row := _row(name, mode.name, unit, of, pairs[mode.name], how)) is not None
    ]


def conditions() -> Conditions:
    """The machine as it is now; ask before measuring, since a measurement is itself a load."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return Conditions(torch.get_num_threads(), cores, load)


def _time_pair(
    live: LiveModel, arms: tuple[SkipSet, SkipSet], example: Example, device: Device, mode: _Mode, turn: str
) -> Pair:
    """Run the arms in this order, turn after turn."""
    pair: Pair = {"a": [], "b": []}
    warm_up = turn[:2] if mode.warms_up else ""
    for run, arm in enumerate(warm_up + turn * mode.turns):
        skipset = arms["ab".index(arm)]
        timed = timed_answer(live, skipset, example, device, at_least=mode.at_least, at_most=mode.at_most)
        if run >= len(warm_up):
            pair[arm].append(timed)
    return pair


def _row(
    name: str,
    mode: str,
    unit: str,
    of: Callable[[Answering], float | None],
    pairs: Sequence[Pair],
    how: str,
) -> EfficiencyRow | None:
    """One quantity over all prompts; None if it does not exist, such as the vision time of a text-only question."""
    found = [(_middle(pair["a"], of), _middle(pair["b"], of)) for pair in pairs]
    both = [(a, b) for a, b in found if a and b]
    if not both:
        return None
    ratio = ratio_interval([math.log(a / b) for a, b in both])
    a, b = zip(*both, strict=True)
    return EfficiencyRow(
        name=name,
        mode=mode,
        unit=unit,
        a=median(a) if unit == "ms" else fmean(a),
        b=median(b) if unit == "ms" else fmean(b),
        quartiles_a=_quartiles(a),
        quartiles_b=_quartiles(b),
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        predicted_a=None,
        predicted_b=None,
        method=f"{how}; middle half A {_between(a)}, B {_between(b)}",
    )


def _middle(runs: Sequence[Answering], of: Callable[[Answering], float | None]) -> float | None:
    values = [value for run in runs if (value := of(run)) is not None]
    return median(values) if values else None


def _quartiles(values: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(values, (0.25, 0.75))
    return float(low), float(high)


def _between(values: Sequence[float]) -> str:
    low, high = _quartiles(values)
    return f"{low:.3g}-{high:.3g}"
