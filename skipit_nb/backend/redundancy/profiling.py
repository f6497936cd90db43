"""One pass over questions: distances, tails, norms and flow of every layer, as a `RedundancyProfile`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from skipit_nb.backend.live.images import as_images
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.live.patch_places import patch_places
from skipit_nb.backend.redundancy.flow import FlowRecorder
from skipit_nb.backend.redundancy.geometric import (
    DistanceRecorder,
    PerToken,
    of_samples,
    per_token_distances,
    per_token_norms,
    refuse_bad_layers,
    token_kinds,
)
from skipit_nb.backend.redundancy.rows_by_hand import RowMask
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import TOKENS, Provenance, RedundancyProfile, SampleTokens, TokenDistances


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a profile is asked for beside distances."""

    flow: bool
    query: str
    rows: Mapping[str, RowMask] | None
    per_token: bool


SoFar = Callable[[RedundancyProfile], object]
"""Hears of the profile of all questions that were measured so far, after every batch."""


def profile(
    live: LiveModel,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    flow: bool,
    query: str = "last",
    rows: Mapping[str, RowMask] | None = None,
    per_token: bool = False,
    batch_size: int,
    tick: Tick,
    so_far: SoFar | None = None,
) -> RedundancyProfile:
    """Measure every layer over `examples`. The lock is taken per batch.

    Args:
        live: The model.
        examples: At least one question.
        provenance: Stored with the result.
        flow: Whether to measure cross-modal flow too, in the same pass.
        query: Whose attention counts as flow: "last" (prompt token) or "text" (the mean over text tokens).
        rows: Rows of further modalities, by name.
        per_token: Whether to keep the distance of every single token.
        batch_size: Questions a forward pass.
        tick: Hears of every batch.
        so_far: Hears of every batch, too: the profile up to there.

    Raises:
        NoExamplesError: If there are no examples.
        SettingError: If query is something else, or rows do not fit.
        NotFiniteError: If a layer gives NaN or infinity.
    """
    if not examples:
        raise NoExamplesError("a profile")
    batches = [examples[start : start + batch_size] for start in range(0, len(examples), batch_size)]
    every = (live.inputs([e.image for e in batch], [e.question for e in batch]) for batch in batches)
    images = len({example.cluster for example in examples})

    def tell(profile: RedundancyProfile, done: int) -> None:
        seen = len({example.cluster for example in examples[:done]})
        made = replace(provenance, samples=provenance.samples[:done])
        if so_far is not None:
            so_far(replace(profile, provenance=made, images=seen))

    wanted = Wanted(flow, query, rows, per_token)
    return _profile(live, every, len(examples), images, provenance, wanted, tick, tell if so_far else None)


def profile_inputs(
    live: LiveModel,
    batches: Sequence[Inputs],
    provenance: Provenance,
    *,
    flow: bool,
    query: str,
    rows: Mapping[str, RowMask] | None,
    per_token: bool = False,
    tick: Tick,
) -> RedundancyProfile:
    """Measure every layer over ready inputs, each of them one forward pass, as `profile` does over questions.

    Raises:
        SettingError: If query is something else, or rows do not fit.
        NotFiniteError: If a layer gives NaN or infinity.
    """
    total = sum(len(inputs["input_ids"]) for inputs in batches)
    return _profile(live, batches, total, total, provenance, Wanted(flow, query, rows, per_token), tick)


def _profile(
    live: LiveModel,
    batches: Iterable[Inputs],
    total: int,
    images: int,
    provenance: Provenance,
    wanted: Wanted,
    tick: Tick,
    tell: Callable[[RedundancyProfile, int], None] | None = None,
) -> RedundancyProfile:
    distances = DistanceRecorder(live.anatomy, wanted.rows)
    flows = FlowRecorder(live.anatomy, query=wanted.query, rows=wanted.rows)
    single: list[PerToken] = []

    def measured() -> RedundancyProfile:
        named = zip(provenance.samples, single, strict=False)  # until all are done, there are fewer
        kept = tuple(SampleTokens(sample, *tokens) for sample, tokens in named)
        return RedundancyProfile(provenance, distances.rows(), flows.rows() if wanted.flow else (), images, kept)

    done = 0
    tick(done, total)
    for inputs in batches:
        with contextlib.ExitStack() as during:
            for one in (live.lock, torch.inference_mode(), distances.recording(inputs)):
                during.enter_context(one)
            if wanted.flow:
                during.enter_context(flows.recording(inputs))
            found = during.enter_context(per_token_distances(live.anatomy)) if wanted.per_token else []
            live.model(**inputs, use_cache=False, logits_to_keep=1)
        if found:
            kinds = token_kinds(inputs, live.anatomy, wanted.rows).cpu()
            single += of_samples(found, kinds, (*TOKENS, *(wanted.rows or {})))
        done += len(inputs["input_ids"])
        if tell and done < total:
            tell(measured(), done)
        tick(done, total)
    if wanted.flow:
        flows.warn_if_deaf()
    return measured()


def ready_inputs(examples: object, device: torch.device) -> list[Inputs]:
    """The batches, where a caller gave ready inputs: one dict of tensors, or several; none where it gave questions.

    Raises:
        SettingError: If there are no `input_ids`, or they are no [batch, seq].
    """
    given = [examples] if isinstance(examples, Mapping) else examples
    if not isinstance(given, list | tuple) or not all(isinstance(inputs, Mapping) for inputs in given):
        return []
    for inputs in given:
        ids = inputs.get("input_ids")
        if not isinstance(ids, torch.Tensor) or ids.dim() != 2:  # noqa: PLR2004 - batch and seq
            found = tuple(ids.shape) if isinstance(ids, torch.Tensor) else ids
            raise SettingError("input_ids of ready inputs", found, "a tensor [batch, seq], as the processor gives it")
    return [
        {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in inputs.items()}
        for inputs in given
    ]


def look(live: LiveModel, image: Any, question: str) -> TokenDistances:
    """Measure one question, token by token.

    Raises:
        NotFiniteError: If a layer gives NaN or infinity.
    """
    inputs = live.inputs([image], [question])
    anatomy = live.anatomy
    with (
        live.lock,
        torch.inference_mode(),
        per_token_distances(anatomy) as distances,
        per_token_norms(anatomy) as norms,
    ):
        live.model(**inputs, use_cache=False, logits_to_keep=1)
    values = torch.stack([torch.stack(distances), torch.stack(norms)], dim=3).transpose(1, 2)
    refuse_bad_layers(values, torch.ones(values.shape[1:3], dtype=torch.bool))
    ids = inputs["input_ids"][0]
    is_vision = anatomy.vision_rows(ids).tolist()
    pictures = [(one.height, one.width) for one in as_images(image)]
    part = getattr(live.processor, "image_processor", None)
    return TokenDistances(
        provenance=live.provenance(),
        tokens=tuple(live.processor.tokenizer.convert_ids_to_tokens(ids.tolist())),
        is_vision=tuple(is_vision),
        grid=_square(sum(is_vision)),
        distance=tuple(tuple(layer[0].tolist()) for layer in distances),
        norm=tuple(tuple(layer[0].tolist()) for layer in norms),
        places=patch_places(inputs, pictures, part, live.model.config, sum(is_vision)),
    )


def _square(count: int) -> tuple[int, int]:
    """Rows and columns if the vision tokens fill a square, else (0, 0)."""
    side = round(count**0.5)
    return (side, side) if side * side == count else (0, 0)
