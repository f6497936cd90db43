"""FLOPs that a real `generate` dispatches, as PyTorch counts them: of all, and of the language model in it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

from skipit_nb.backend.evaluation.efficiency.stages import LANGUAGE, VISION, watched
from skipit_nb.backend.evaluation.efficiency.stopwatch import generated
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.skipset import SkipSet


def _attention_on_cpu(query: Any, key: Any, value: Any, *_: Any, **__: Any) -> int:
    """The CPU's fused attention, which PyTorch's counter takes for nothing."""
    return int(sdpa_flop_count(query, key, value))


def _experts(rows: Any, experts: Any, *_: Any, **__: Any) -> int:
    """Several experts at once: every row meets one matrix [in, out]."""
    return int(2 * rows[0] * experts[1] * experts[2])


UNKNOWN_TO_TORCH = {
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: _attention_on_cpu,
    torch.ops.aten._grouped_mm: _experts,
}
"""What the counter of PyTorch 2.11 to 2.13 leaves out; kernels of other packages it cannot see at all."""


@dataclass(frozen=True, slots=True)
class Counted:
    """FLOPs of one prompt, 2 per multiply-add."""

    vision: int
    """Vision tower and projector."""
    prefill: int
    """The language model reading the prompt: decoder and head."""
    first_token: int
    """Everything until the first token is there."""
    per_token: int
    """The language model making the second token."""


def count_flops(live: LiveModel, skipset: SkipSet, inputs: Inputs) -> Counted:
    """Let the model write two tokens and count. Hold the model's lock."""
    counter = FlopCounterMode(display=False, custom_mapping=UNKNOWN_TO_TORCH)
    watch = _Meter(counter)
    # Not in inference mode: there an operation reaches the counter whole, which takes it apart in Python.
    with live.skipping(skipset), watched(live, watch), torch.no_grad(), counter:
        generated(live, inputs, at_least=2, at_most=2)
    spent = watch.spent
    second = spent[LANGUAGE, 1]
    return Counted(spent[VISION, 0], spent[LANGUAGE, 0], watch.before_second, second)


class _Meter:
    """Reads the counter where stages begin and end."""

    def __init__(self, counter: FlopCounterMode) -> None:
        self._counter = counter
        self._before = 0
        self.spent = Counter[tuple[str, int]]()
        self.before_second = 0

    def begins(self, stage: str, step: int) -> None:
        self._before = self._counter.get_total_flops()
        if (stage, step) == (LANGUAGE, 1) and not self.before_second:
            self.before_second = self._before

    def ends(self, stage: str, step: int) -> None:
        self.spent[stage, step] += self._counter.get_total_flops() - self._before
