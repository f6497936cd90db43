"""Layer contribution: skip one layer for one kind of token and see how far the next token's distribution moves."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from statistics import fmean, stdev

from skipit_nb.backend.evaluation.answering import refuse_without_images
from skipit_nb.backend.evaluation.batches import Runs
from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.limits import limits
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.scores import Prefilled, prefill_batch
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import Contribution, LayerContribution, Provenance
from skipit_nb.skipset import MODALITIES, SkipSet

ACTIONS = ("frozen", "absent")

Cell = tuple[int, str, str]
"""Layer, modality, action."""


def cells_of(anatomy: Anatomy, actions: Sequence[str]) -> dict[Cell, SkipSet]:
    """Every single-layer skip set that the model can run.

    Raises:
        SettingError: If an action is another one, or the model can run none of them.
    """
    for action in actions:
        if action not in ACTIONS:
            raise SettingError("actions", action, f"any of {', '.join(ACTIONS)}")
    num_layers = len(anatomy.layers)
    every = itertools.product(range(num_layers), MODALITIES, actions)
    sets = {cell: SkipSet.parse(f"{cell[1]} {cell[2]} {cell[0]}", num_layers=num_layers) for cell in every}
    found = {cell: skipset for cell, skipset in sets.items() if not any(limits(anatomy, skipset))}
    if not found:
        raise SettingError("actions", tuple(actions), "one that a layer of this model can run on some of its tokens")
    return found


def contribution(
    live: LiveModel,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    actions: Sequence[str],
    memory: int | None,
    runs: Runs,
    tick: Tick,
) -> Contribution:
    """Score every layer skipped alone, for each modality and action, along one prefill a batch.

    Raises:
        NoExamplesError: If there are no examples.
        NoImagesError: If no question has an image.
        SettingError: If an action is unknown or cannot run anywhere.
    """
    if not examples:
        raise NoExamplesError("a contribution")
    cells = cells_of(live.anatomy, actions)
    skipsets = tuple(cells.values())
    refuse_without_images(examples, skipsets)
    done = runs.run(examples, partial(prefill_batch, skipsets=skipsets, memory=memory), tick=tick)
    rows = tuple(_row(cell, arm, done.rows) for arm, cell in enumerate(cells, start=1))
    noise = [question.noise for question in done.rows if question.noise is not None]
    return Contribution(done.provenance(provenance), rows, fmean(noise) if noise else None)


def _row(cell: Cell, arm: int, found: Sequence[Prefilled]) -> LayerContribution:
    kls = [question.kls[arm] for question in found]
    return LayerContribution(
        *cell,
        kl_full_skipped=fmean(kls),
        kl_skipped_full=fmean(question.reverse_kls[arm] for question in found),
        spread=stdev(kls) if len(kls) > 1 else 0.0,
        agreement=fmean(question.agrees[arm] for question in found),
    )
