"""One pass over questions: distances, tails, norms and flow of every layer, as a `RedundancyProfile`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import torch

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.redundancy.flow import FlowRecorder
from skipit_nb.backend.redundancy.geometric import DistanceRecorder, per_token_distances
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError
from skipit_nb.jobs import Tick
from skipit_nb.results import Provenance, RedundancyProfile, TokenDistances


def profile(
    live: LiveModel,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    flow: bool,
    query: str = "last",
    batch_size: int,
    tick: Tick,
) -> RedundancyProfile:
    """Measure every layer over `examples`. The lock is taken per batch.

    Args:
        live: The model.
        examples: At least one question.
        provenance: Stored with the result.
        flow: Whether to measure cross-modal flow too, in the same pass.
        query: Whose attention counts as flow: "last" (prompt token) or "text" (the mean over text tokens).
        batch_size: Questions a forward pass.
        tick: Hears of every batch.

    Raises:
        NoExamplesError: If there are no examples.
    """
    if not examples:
        raise NoExamplesError("a profile")
    distances, flows = DistanceRecorder(live.anatomy), FlowRecorder(live.anatomy, query=query)
    for start in range(0, len(examples), batch_size):
        tick(start, len(examples))
        batch = examples[start : start + batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        both = flows.recording(inputs) if flow else contextlib.nullcontext()
        with live.lock, torch.inference_mode(), distances.recording(inputs), both:
            live.model(**inputs, use_cache=False, logits_to_keep=1)
    tick(len(examples), len(examples))
    return RedundancyProfile(provenance, distances.rows(), flows.rows() if flow else ())


def look(live: LiveModel, image: Any, question: str) -> TokenDistances:
    """Measure one question, token by token."""
    inputs = live.inputs([image], [question])
    with live.lock, torch.inference_mode(), per_token_distances(live.anatomy) as found:
        live.model(**inputs, use_cache=False, logits_to_keep=1)
    ids = inputs["input_ids"][0]
    is_vision = live.anatomy.vision_rows(ids).tolist()
    return TokenDistances(
        provenance=live.provenance(),
        tokens=tuple(live.processor.tokenizer.convert_ids_to_tokens(ids.tolist())),
        is_vision=tuple(is_vision),
        grid=_square(sum(is_vision)),
        distance=tuple(tuple(layer[0].tolist()) for layer in found),
    )


def _square(count: int) -> tuple[int, int]:
    """Rows and columns if the vision tokens fill a square, else (0, 0)."""
    side = round(count**0.5)
    return (side, side) if side * side == count else (0, 0)
