"""Every question under every perturbation: answers of the full model and of skip sets, and the layers' distances.

Shapes:
    question  questions with an image
    arm       the full model, then the skip sets
    layer     num_layers
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from skipit_nb.backend.evaluation.batches import Runs
from skipit_nb.backend.live.images import as_images
from skipit_nb.backend.live.limits import limits, refuse_unsupported
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.redundancy.geometric import per_token_distances, token_kinds
from skipit_nb.backend.robustness.adversarial import PIXELS, attacked, refuse_without_gradient
from skipit_nb.backend.robustness.conditions import Perturbation
from skipit_nb.backend.robustness.corruptions import corrupted
from skipit_nb.backend.robustness.report import Measured, report
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.logits import FULL, Work, last_logits, logits_of
from skipit_nb.backend.trie.scores import score_batch
from skipit_nb.errors import NoExamplesError
from skipit_nb.jobs import Tick, part
from skipit_nb.results import Provenance, Robustness
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Stressed:
    """One question under one perturbation."""

    right: tuple[float, ...]
    """[arm] score of the answer, 0 to 1."""
    log_likelihoods: tuple[float, ...]
    """[arm] log p(right answer), in nats; nan where it cannot be had."""
    distances: tuple[float, ...]
    """[layer] mean distance of the question's vision tokens, in 1 - cos."""


def robustness(
    live: LiveModel,
    examples: Sequence[Example],
    skipsets: Sequence[SkipSet],
    provenance: Provenance,
    *,
    conditions: Sequence[Perturbation],
    runs: Runs,
    tick: Tick,
) -> Robustness:
    """Ask the same questions about the same perturbed images under every arm. The lock is taken per batch.

    Args:
        live: The model.
        examples: Questions; those without an image are left out.
        skipsets: Bound to the model; without any, `single_layers`.
        provenance: Stored with the result, its samples being the questions that took part.
        conditions: Clean first.
        runs: Who works through the batches.
        tick: Hears of every batch.

    Raises:
        NoExamplesError: If no question has an image.
        UnsupportedSkipError: If the model cannot run one of the sets.
        SettingError: If there is an attack and no gradient comes back to the image.
    """
    questions = [example for example in examples if as_images(example.image)]
    if not questions:
        raise NoExamplesError("robustness, which is about questions with an image,")
    arms = [skipset for skipset in dict.fromkeys(skipsets or single_layers(live)) if not skipset.is_empty]
    for skipset in arms:
        refuse_unsupported(live.model, live.anatomy, skipset)
    for attack in [condition for condition in conditions if condition.is_attack][:1]:
        refuse_without_gradient(live, questions[0], attack.kind)
    found = []
    for turn, condition in enumerate(conditions):
        work = partial(stressed_batch, condition=condition, skipsets=tuple(arms), seed=provenance.seed)
        done = runs.run(questions, work, tick=part(tick, turn, len(conditions)))
        found.append(_measured(condition, done.rows))
    made = replace(done.provenance(provenance), samples=tuple(question.key for question in questions))
    sets = (SkipSet.none(num_layers=live.shape.num_layers), *arms)
    return report(made, sets, [question.cluster for question in questions], found)


def single_layers(live: LiveModel) -> list[SkipSet]:
    """The vision tokens absent at each layer alone, where the model can run that: the paper's skip, layer by layer.

    Raises:
        UnsupportedSkipError: If it can nowhere.
    """
    depth = live.shape.num_layers
    every = [SkipSet.absent(layer, num_layers=depth) for layer in range(depth)]
    found = [skipset for skipset in every if not any(limits(live.anatomy, skipset))]
    for skipset in every if not found else ():
        refuse_unsupported(live.model, live.anatomy, skipset)
    return found


def stressed_batch(
    live: LiveModel, batch: Sequence[Example], *, condition: Perturbation, skipsets: Sequence[SkipSet], seed: int
) -> list[Stressed]:
    """One batch under one perturbation: one row per question.

    An attack is made once, against the full model; every arm sees the same pixels.
    """
    seen = [_corrupted(example, condition, seed) for example in batch] if condition.is_corruption else batch
    moved: Inputs = {}
    if condition.is_attack:
        moved = {PIXELS: attacked(live, batch, kind=condition.kind, epsilon=condition.severity)}

    def run(inputs: Inputs, rows: int, work: Work) -> Iterator[tuple[tuple[int, ...], Tensor]]:
        if skipsets:
            return logits_of(live, inputs | moved, skipsets, rows=rows, memory=None, work=work)
        return iter([((FULL,), last_logits(live, inputs | moved, rows).float()[None])])

    found = score_batch(live, seen, run)
    inputs = live.inputs([example.image for example in seen], [example.question for example in seen]) | moved
    return [
        Stressed(tuple(score(text, example).value for text in row.texts), row.log_likelihoods, tuple(distances))
        for example, row, distances in zip(batch, found, vision_distances(live, inputs), strict=True)
    ]


def vision_distances(live: LiveModel, inputs: Inputs) -> list[list[float]]:
    """How far each layer turns the vision tokens of each question: [question, layer] in 1 - cos, 0 to 2.

    The mean over questions is `RedundancyProfile.distances("vision")`.
    """
    is_vision = token_kinds(inputs, live.anatomy)[0].cpu()
    share = is_vision / is_vision.sum(1, keepdim=True).clamp_min(1)
    with live.lock, torch.inference_mode(), per_token_distances(live.anatomy) as found:
        live.model(**inputs, use_cache=False, logits_to_keep=1)
    means: list[list[float]] = torch.einsum("bs,lbs->bl", share, torch.stack(found)).tolist()
    return means


def _corrupted(example: Example, condition: Perturbation, seed: int) -> Example:
    """The question about its image made worse; each of several images on its own."""
    made: list[Image.Image] = [
        corrupted(image, condition.kind, condition.severity, seed=seed, key=f"{example.key}/{number}")
        for number, image in enumerate(as_images(example.image))
    ]
    shown: Any = made[0] if len(made) == 1 else made
    return replace(example, loader=lambda: shown)


def _measured(condition: Perturbation, rows: Sequence[Stressed]) -> Measured:
    def table(values: Sequence[tuple[float, ...]]) -> NDArray[np.float64]:
        return np.array(values, dtype=np.float64)

    return Measured(
        condition,
        table([row.right for row in rows]),
        table([row.log_likelihoods for row in rows]),
        table([row.distances for row in rows]),
    )
