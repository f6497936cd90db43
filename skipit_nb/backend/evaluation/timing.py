"""Real time of A and B: the same prompts, in turn A B B A, after a warm-up, with the device synchronised."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import torch

from skipit_nb.backend.evaluation.statistics import ratio_interval
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.jobs import Tick
from skipit_nb.results import Metric
from skipit_nb.skipset import SkipSet

DECODED_TOKENS = 8
"""Tokens decoded in the fixed-length mode, the same for both arms."""
ROUNDS = 3
"""Turns A B B A a prompt; the median is kept."""


@dataclass(frozen=True, slots=True)
class _Times:
    """Milliseconds of one prompt."""

    prefill: float
    """Vision tower, projector, prefill and the first token."""
    per_token: float
    """Each further token."""


def time_arms(live: LiveModel, a: SkipSet, b: SkipSet, examples: Sequence[Example], tick: Tick) -> list[Metric]:
    """Time both arms on each example, one at a time.

    Returns:
        "prefill time" and "time per token", in ms (medians), with the paired ratio A / B: above 1, B is faster.
    """
    pairs: list[tuple[_Times, _Times]] = []
    for done, example in enumerate(examples):
        tick(done, len(examples))
        inputs = live.inputs([example.image], [example.question])
        with live.lock:
            pair = _time_pair(live, a, b, inputs)
        if done or len(examples) == 1:  # the first prompt warms both arms up
            pairs.append(pair)
    tick(len(examples), len(examples))
    how = f"paired log-ratio t, {len(pairs)} prompts, batch 1, {torch.get_num_threads()} CPU threads"
    return [
        _metric("prefill time", [(x.prefill, y.prefill) for x, y in pairs], how),
        _metric("time per token", [(x.per_token, y.per_token) for x, y in pairs], how),
    ]


def _time_pair(live: LiveModel, a: SkipSet, b: SkipSet, inputs: Inputs) -> tuple[_Times, _Times]:
    runs: dict[str, list[_Times]] = {"a": [], "b": []}
    for _ in range(ROUNDS):
        for arm in "abba":
            runs[arm].append(_time_once(live, a if arm == "a" else b, inputs))
    first, second = (_middle(runs[arm]) for arm in "ab")
    return first, second


def _middle(times: list[_Times]) -> _Times:
    return _Times(median(t.prefill for t in times), median(t.per_token for t in times))


def _time_once(live: LiveModel, skipset: SkipSet, inputs: Inputs) -> _Times:
    with live.skipping(skipset):
        one = _milliseconds(live, inputs, 1)
        more = _milliseconds(live, inputs, 1 + DECODED_TOKENS)
    return _Times(one, max(more - one, 1e-6) / DECODED_TOKENS)


def _milliseconds(live: LiveModel, inputs: Inputs, tokens: int) -> float:
    _synchronise(live)
    start = time.perf_counter()
    live.generate(inputs, max_new_tokens=tokens, min_new_tokens=tokens)
    _synchronise(live)
    return 1000 * (time.perf_counter() - start)


def _synchronise(live: LiveModel) -> None:
    if live.device.type == "cuda":
        torch.cuda.synchronize(live.device)


def _metric(name: str, pairs: list[tuple[float, float]], how: str) -> Metric:
    ratio = ratio_interval([math.log(a / b) for a, b in pairs])
    return Metric(
        name=name,
        unit="ms",
        a=median(a for a, _ in pairs),
        b=median(b for _, b in pairs),
        effect="A / B",
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        method=how,
    )
