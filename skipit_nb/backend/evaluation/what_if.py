"""One question under a skip set and under the full model: both answers, and how far the next token has moved."""

from __future__ import annotations

from typing import Any

from skipit_nb.backend.evaluation.seen_once import SeenOnce
from skipit_nb.backend.live.model import Generated, Inputs, LiveModel
from skipit_nb.backend.trie.scores import kl_of
from skipit_nb.jobs import Tick
from skipit_nb.results import WhatIf
from skipit_nb.skipset import SkipSet

STEPS = 2


def what_if(live: LiveModel, image: Any, question: str, skipset: SkipSet, *, max_new_tokens: int, tick: Tick) -> WhatIf:
    """Answer one question under a bound skip set and the full model; hold the model meanwhile, as for one batch.

    Raises:
        UnsupportedSkipError: If the model cannot run the set.
    """
    inputs, nothing = live.inputs([image], [question]), SkipSet.none(num_layers=live.shape.num_layers)
    with live.lock, SeenOnce().by(live.model):
        tick(0, STEPS)
        chosen = _generated(live, inputs, skipset, max_new_tokens)
        tick(1, STEPS)
        full = chosen if skipset.is_empty else _generated(live, inputs, nothing, max_new_tokens)
    tick(STEPS, STEPS)
    (kl,) = kl_of(full.first[None], chosen.first[None])
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
