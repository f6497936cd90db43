"""What a comparison says beside its answers: the rows of efficiency that were asked for, as metrics."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

from skipit_nb.backend.evaluation.efficiency.counting import Arms
from skipit_nb.backend.evaluation.efficiency.measuring import MEASURES, measured_rows
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.jobs import Tick
from skipit_nb.results import Metric

LEFT_OUT = {"vision FLOPs", "prefill FLOPs", "FLOPs per token", "weights in memory"}
"""A comparison predicts FLOPs of a usual prompt, so it need not repeat them: counted, they are what was predicted."""
RENAMED = {"KV cache": "KV cache, measured"}
"""Names that a comparison has for what it predicts."""


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
