"""Attention knockout: in a band of layers text rows are blind to vision rows; what does the answer lose?

A simulation by masking: every row runs through every layer. It checks VAR causally; it saves nothing.

Shapes: batch, seq, query, key.
"""

from __future__ import annotations

import contextlib
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from torch import Tensor

from skipit_nb.backend.evaluation.batches import Runs
from skipit_nb.backend.evaluation.statistics import delta_interval
from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.limits import TAKES_MASKS
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.redundancy.attention_calls import AttentionCall, listening
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.redundancy.probes import gap
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.logits import FULL, Work, last_logits
from skipit_nb.backend.trie.scores import Prefilled, score_batch
from skipit_nb.errors import LayerIndexError, NoExamplesError, NoImagesError, SettingError, UnsupportedSkipError
from skipit_nb.jobs import Tick
from skipit_nb.results import Knockout, KnockoutRow, Provenance


@contextlib.contextmanager
def knocked_out(anatomy: Anatomy, band: range, inputs: Inputs) -> Iterator[None]:
    """Let no text row attend to a vision row in the band's layers, in prefills of these inputs inside the block.

    Exact for padded batches, with sdpa and eager attention. Vision rows see what they always see (up to rounding where
    the layer had no mask before), and all other layers are left alone.

    Raises:
        LayerIndexError: If the band leaves the model.
        UnsupportedSkipError: If a layer's attention takes no mask of ours, or images are no rows of the sequence.
    """
    refuse_blind(anatomy, band)
    kinds = token_kinds(inputs, anatomy)
    text, vision = kinds[1] | kinds[2], kinds[0]

    def blind(call: AttentionCall) -> AttentionCall:
        if call.layer not in band:
            return call
        queries = text[:, -call.query.shape[2] :, None]
        return replace(call, mask=_without(call, (queries & vision[:, None, :])[:, None].to(call.query.device)))

    with listening(anatomy, blind):
        yield


def _without(call: AttentionCall, hidden: Tensor) -> Tensor:
    """The call's mask, or the causal one it stands for, with `hidden` [batch, 1, query, key] taken out."""
    mask, batch = call.mask, call.query.shape[0]
    if not isinstance(mask, Tensor):
        some = torch.ones(batch, call.query.shape[2], dtype=torch.bool, device=call.query.device)
        mask = call.additive(Rows.where(some)).to(call.query.dtype)
    mask = mask[..., : call.key.shape[2]]
    return mask & ~hidden if mask.dtype == torch.bool else mask.masked_fill(hidden, torch.finfo(mask.dtype).min)


def can_be_blind(anatomy: Anatomy, layer: int) -> bool:
    """Whether the layer's text rows see vision rows by an attention that can be masked."""
    return anatomy.attention_of(layer) is not None and anatomy.has_vision_rows


def refuse_blind(anatomy: Anatomy, band: range) -> None:
    """Raise for the first layer of the band whose text rows cannot be blinded.

    Raises:
        LayerIndexError: If the band leaves the model.
        UnsupportedSkipError: With the layer and the reason.
    """
    what, attention = f"knockout of layers {band.start}-{band.stop - 1}", anatomy.decoder.config._attn_implementation  # type: ignore[union-attr]
    if attention not in TAKES_MASKS:
        why = f"its attention implementation {attention!r} takes no masks of our making"
        raise UnsupportedSkipError(what, why, "Switch first: model.set_attn_implementation('sdpa').")
    if not anatomy.has_vision_rows:
        raise UnsupportedSkipError(what, "its images are no rows of the sequence", "Choose a model that embeds them.")
    for layer in band:
        if not 0 <= layer < len(anatomy.layers):
            raise LayerIndexError(layer, len(anatomy.layers))
        if not can_be_blind(anatomy, layer):
            why = f"layer {layer} has no attention that could be masked ({anatomy.layer_types[layer]})"
            raise UnsupportedSkipError(what, why, "Leave that layer out.")


def bands_of(anatomy: Anatomy, bands: int | Iterable[range] | None) -> tuple[range, ...]:
    """The bands a caller means: his own; all windows of a width; or every single layer that can be blinded.

    Raises:
        SettingError: If a width or a band is out of range, or there is none.
        LayerIndexError: If a band leaves the model.
        UnsupportedSkipError: If text rows of a band cannot be blinded.
    """
    num_layers = len(anatomy.layers)
    if bands is None or not isinstance(bands, Iterable):
        width = 1 if bands is None else bands
        if not isinstance(width, int) or isinstance(width, bool) or not 1 <= width <= num_layers:
            raise SettingError("bands", width, f"a width from 1 to {num_layers}, or ranges of layers")
        windows = [range(start, start + width) for start in range(num_layers - width + 1)]
        chosen = [window for window in windows if all(can_be_blind(anatomy, layer) for layer in window)] or windows
    else:
        chosen = list(bands)
    for band in chosen:
        if not isinstance(band, range) or not len(band) or band.step != 1:
            raise SettingError("bands", band, "ranges of consecutive layers, such as range(4, 8)")
        refuse_blind(anatomy, band)
    if not chosen:
        raise SettingError("bands", bands, "at least one range of layers")
    return tuple(chosen)


def knockout(
    examples: Sequence[Example], bands: Sequence[range], provenance: Provenance, *, runs: Runs, tick: Tick
) -> Knockout:
    """Score the same questions with full sight and blind in every band: one prefill each.

    Raises:
        NoExamplesError: If there are no examples.
        NoImagesError: If no question has an image.
    """
    if not examples:
        raise NoExamplesError("a knockout")
    if all(example.image is None for example in examples):
        raise NoImagesError("knockout")
    done = runs.run(examples, partial(knockout_batch, bands=tuple(bands)), tick=tick)
    found = done.rows
    right = [
        [score(text, example).value for example, text in zip(examples, of_arm, strict=True)]
        for of_arm in zip(*(question.texts for question in found), strict=True)
    ]
    clusters = [example.cluster for example in examples]
    rows = tuple(_row(band, arm, found, right, clusters) for arm, band in enumerate(bands, start=1))
    return Knockout(done.provenance(provenance), statistics.fmean(right[0]), rows)


def knockout_batch(live: LiveModel, batch: Sequence[Example], *, bands: Sequence[range]) -> list[Prefilled]:
    """Score one batch with full sight, then blind in each band."""

    def run(inputs: Inputs, rows: int, _: Work) -> Iterator[tuple[tuple[int, ...], Tensor]]:
        yield (FULL,), last_logits(live, inputs, rows).float()[None]
        for number, band in enumerate(bands):
            with knocked_out(live.anatomy, band, inputs):
                logits = last_logits(live, inputs, rows)
            yield (number,), logits.float()[None]

    return score_batch(live, batch, run)


def _row(
    band: range, arm: int, found: Sequence[Prefilled], right: Sequence[Sequence[float]], clusters: Sequence[str]
) -> KnockoutRow:
    kls = [question.kls[arm] for question in found]
    drops = np.array([question.log_likelihoods[0] - question.log_likelihoods[arm] for question in found])
    known, images = drops[~np.isnan(drops)], np.array(clusters)[~np.isnan(drops)]
    lost = gap(known, np.zeros_like(known), images) if len(np.unique(images)) > 1 else None
    delta, _ = delta_interval(right[0], right[arm], clusters)
    return KnockoutRow(
        band.start,
        band.stop,
        kl=statistics.fmean(kls),
        kl_spread=statistics.stdev(kls) if len(kls) > 1 else 0.0,
        log_likelihood_drop=float(known.mean()) if len(known) else None,
        accuracy_drop=0.0 - delta.value,
        low=0.0 - delta.high,
        high=0.0 - delta.low,
        log_likelihood_low=lost.low if lost else None,
        log_likelihood_high=lost.high if lost else None,
    )
