"""One question under a skip set and under the full model: both answers, and how far the next token has moved."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from skipit_nb.backend.evaluation.seen_once import SeenOnce
from skipit_nb.backend.live.model import Generated, Inputs, LiveModel
from skipit_nb.backend.trie.logits import FULL, Work, logits_of
from skipit_nb.jobs import Tick
from skipit_nb.results import WhatIf
from skipit_nb.skipset import SkipSet

STEPS = 3


def what_if(live: LiveModel, image: Any, question: str, skipset: SkipSet, *, max_new_tokens: int, tick: Tick) -> WhatIf:
    """Answer one question under a bound skip set and the full model; hold the model meanwhile, as for one batch.

    Raises:
        UnsupportedSkipError: If the model cannot run the set.
    """
    inputs = live.inputs([image], [question])
    with live.lock, SeenOnce().by(live.model):
        tick(0, STEPS)
        kl = _kl(live, inputs, skipset)
        tick(1, STEPS)
        chosen = _generated(live, inputs, skipset, max_new_tokens)
        tick(2, STEPS)
        full = chosen if skipset.is_empty else _generated(live, inputs, _nothing(skipset), max_new_tokens)
    tick(STEPS, STEPS)
    return WhatIf(
        provenance=live.provenance(),
        question=question,
        skipset=skipset,
        answer=chosen.text,
        probability=chosen.probability,
        full_answer=full.text,
        full_probability=full.probability,
        kl=kl,
    )


def _generated(live: LiveModel, inputs: Inputs, skipset: SkipSet, max_new_tokens: int) -> Generated:
    with live.skipping(skipset):
        return live.generate(inputs, max_new_tokens=max_new_tokens)[0]


def _nothing(skipset: SkipSet) -> SkipSet:
    return SkipSet.none(num_layers=skipset.num_layers)


@torch.inference_mode()
def _kl(live: LiveModel, inputs: Inputs, skipset: SkipSet) -> float:
    """KL(full ‖ skip set) of the next token after the prompt, from one prefill that both share as far as they can."""
    if skipset.is_empty:
        return 0.0
    logs: dict[int, Tensor] = {}
    for numbers, logits in logits_of(live, inputs, [skipset], rows=1, memory=None, work=Work()):
        logs |= dict(zip(numbers, logits[:, 0, 0].log_softmax(-1), strict=True))
    kl: float = functional.kl_div(logs[0], logs[FULL], log_target=True, reduction="sum").clamp(min=0).item()
    return kl
