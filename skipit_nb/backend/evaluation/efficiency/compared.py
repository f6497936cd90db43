"""What a comparison says beside its answers: the rows of efficiency that were asked for, as metrics."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import fmean

from skipit_nb.backend.evaluation.efficiency.counting import Arms, inputs_of, predicted_cost, prompt_tokens
from skipit_nb.backend.evaluation.efficiency.measuring import COUNTED_PROMPTS, MEASURES, measured_rows
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.cost import Cost
from skipit_nb.jobs import Tick
from skipit_nb.results import Metric

LEFT_OUT = {"vision FLOPs", "weights in memory"}
"""Rows that a comparison does without: they are the same under both arms."""
RENAMED = {name: f"{name}, measured" for name in ("prefill FLOPs", "FLOPs per token", "KV cache")}
"""Names that a comparison has for what it predicts."""
_PREDICTED: tuple[tuple[str, str, float, Callable[[Cost], float]], ...] = (
    ("prefill FLOPs", "GFLOPs", 1e9, lambda says: says.flops_prefill),
    ("FLOPs per token", "GFLOPs", 1e9, lambda says: says.flops_per_token),
    ("KV cache", "kB", 1e3, lambda says: says.kv_bytes),
)
"""What a comparison predicts: name, unit, how many of the arithmetic's units it holds, and where it is."""


class NotMeasuredWarning(UserWarning):
    """A comparison lacks a quantity that was asked for, because this machine cannot tell it."""


def saved(
    live: LiveModel,
    arms: Arms,
    examples: Sequence[Example],
    *,
    measure: Sequence[str],
    max_new_tokens: int,
    tick: Tick,
) -> list[Metric]:
    """Measure both arms on a few prompts, one at a time, anew: no answer that was kept counts as a time.

    Args:
        live: The model.
        arms: A and B.
        examples: The prompts.
        measure: Any of `MEASURES`; whatever else a comparison measures is left to it.
        max_new_tokens: New tokens at most, where each arm stops by itself.
        tick: Told after every prompt that was timed.
    """
    wanted = tuple(name for name in MEASURES if name in measure)
    if not wanted or not examples:
        return []
    rows = measured_rows(live, arms, examples, measure=wanted, max_new_tokens=max_new_tokens, tick=tick)
    for row in rows:
        if not row.is_measured:
            warnings.warn(f"{row.name} was not measured: {row.method}", NotMeasuredWarning, stacklevel=3)
    metrics = (row.as_metric() for row in rows if row.name not in LEFT_OUT)
    return [replace(metric, name=RENAMED.get(metric.name, metric.name)) for metric in metrics if metric is not None]


def predicted(live: LiveModel, arms: Arms, examples: Sequence[Example]) -> list[Metric]:
    """What the arithmetic says of both arms, on the very prompts whose FLOPs and bytes are counted if any are."""
    prompts = inputs_of(live, examples[:COUNTED_PROMPTS])
    costs = tuple([predicted_cost(live, arm, inputs) for inputs in prompts] for arm in arms)
    how = f"predicted: mean of {len(prompts)} prompts of {_tokens(live, prompts)}, decoder only"
    metrics = [_metric(*row, costs, how) for row in _PREDICTED]
    return [metric for metric in metrics if metric is not None]


def _metric(
    name: str, unit: str, scale: float, of: Callable[[Cost], float], costs: Sequence[Sequence[Cost]], how: str
) -> Metric | None:
    """The mean over prompts; None if B needs nothing at all, since a ratio to nothing is no number."""
    a, b = (fmean(of(each) for each in arm) / scale for arm in costs)
    return Metric(name, unit, a, b, "A / B", a / b, a / b, a / b, how) if b else None


def _tokens(live: LiveModel, prompts: Sequence[Inputs]) -> str:
    """How long the prompts are, on average."""
    vision, text = (fmean(counts) for counts in zip(*(prompt_tokens(live, one) for one in prompts), strict=True))
    return f"{vision:.4g} vision and {text:.4g} text tokens"
