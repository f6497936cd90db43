"""How far every band of layers turns each kind of token: boundary against boundary.

Shapes:
    batch  samples of one forward pass
    seq    positions, padding included
    kind   `BAND_TOKENS`: vision, text, first, last, all
    layer  num_layers
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.finite import BEFORE_LAYER_0, refuse_not_finite
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError
from skipit_nb.jobs import Tick
from skipit_nb.results import BAND_TOKENS, BandDistance, BandDistances, Provenance


def band_kinds(inputs: Inputs, anatomy: Anatomy) -> Tensor:
    """The positions of every kind of token: [kind, batch, seq] bool. The last token is also text; padding is nothing.

    The last token is the last one that is no padding: where Gromov et al. measure.
    """
    kinds = token_kinds(inputs, anatomy)
    is_token = kinds.any(0)
    is_last = is_token & (is_token.cumsum(1) == is_token.sum(1, keepdim=True))
    return torch.cat([kinds, is_last[None], is_token[None]])


def unit(states: Tensor) -> Tensor:
    """Directions: [..., d_model] of length 1, in float32 whatever the model's own format."""
    return nn.functional.normalize(states.float(), dim=-1)


def turn(before: Tensor, after: Tensor) -> Tensor:
    """Angle and distance between directions: 0 unmoved; 1 and 2 for a reversal.

        chord    = ‖before - after‖
        angle    = 2 arcsin(chord / 2) / π  =  arccos(cos) / π
        distance = chord² / 2               =  1 - cos

    By the chord both are exactly 0 for an unmoved state. An arccos of a cosine in float32 is not: it gives up to
    1e-4 there, and nan where rounding puts the cosine above 1.

    Args:
        before: [..., d_model] of length 1.
        after: [..., d_model] of length 1.

    Returns:
        [2, ...] angle, from 0 to 1, and distance, from 0 to 2.
    """
    chord = (before - after).norm(dim=-1).clamp(max=2)
    return torch.stack([2 * (chord / 2).asin() / math.pi, chord.square() / 2])


class BandRecorder:
    """Streams the turn of every band over forward passes; one batch's states are held at a time.

    Layer inputs and outputs are read by hooks, so the last boundary is before the final norm, and vision features
    that a family adds between two layers (DeepStack) are no layer's doing.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        depth = len(anatomy.layers)
        self._sums = torch.zeros(depth, depth, 2, len(BAND_TOKENS), dtype=torch.float64)
        self._counts = torch.zeros(len(BAND_TOKENS), dtype=torch.float64)

    @contextlib.contextmanager
    def recording(self, inputs: Inputs) -> Iterator[None]:
        """Record the one forward pass inside the block; nothing counts if it raises.

        Raises:
            NotFiniteError: If a layer gives NaN or infinity; the error names it.
        """
        kinds = band_kinds(inputs, self._anatomy)
        is_token = kinds.any(0)
        with boundary_states(self._anatomy) as (befores, afters):
            yield
        refuse_not_finite([(BEFORE_LAYER_0, befores[0]), *enumerate(afters)], is_token)
        share = kinds / kinds.sum(2, keepdim=True).clamp_min(1)
        ends = [unit(after.to(kinds.device)) for after in afters]
        for first, before in enumerate(befores):
            start = unit(before.to(kinds.device))
            for last in range(first, len(ends)):
                turned = turn(start, ends[last]).masked_fill(~is_token, 0)  # padding may hold anything
                means = torch.einsum("kbs,nbs->nk", share, turned)
                self._sums[first, last] += means.double().cpu()
        self._counts += kinds.any(2).sum(1).cpu()

    def bands(self) -> tuple[BandDistance, ...]:
        """One per band and kind of token that occurred: tokens within a sample first, then samples."""
        means = self._sums / self._counts.clamp_min(1)
        depth = len(self._anatomy.layers)
        return tuple(
            BandDistance(first, last + 1, tokens, *means[first, last, :, kind].tolist())
            for kind, tokens in enumerate(BAND_TOKENS)
            if self._counts[kind]
            for first in range(depth)
            for last in range(first, depth)
        )


@contextlib.contextmanager
def boundary_states(anatomy: Anatomy) -> Iterator[tuple[list[Tensor], list[Tensor]]]:
    """Collect every layer's input and output [batch, seq, d_model] of the one forward pass inside the block."""
    befores: list[Tensor] = []
    afters: list[Tensor] = []

    def hook(_: nn.Module, args: tuple[Tensor, ...], out: Any) -> None:
        befores.append(args[0])
        afters.append(out[0] if isinstance(out, tuple) else out)

    with contextlib.ExitStack() as undo:
        for layer in anatomy.layers:
            undo.callback(layer.register_forward_hook(hook).remove)
        yield befores, afters


def bands(
    live: LiveModel, examples: Sequence[Example], provenance: Provenance, *, batch_size: int, tick: Tick
) -> BandDistances:
    """Measure every band over `examples`. The lock is taken per batch.

    Raises:
        NoExamplesError: If there are no examples.
        NotFiniteError: If a layer gives NaN or infinity.
    """
    if not examples:
        raise NoExamplesError("a map of bands")
    recorder = BandRecorder(live.anatomy)
    for start in range(0, len(examples), batch_size):
        tick(start, len(examples))
        batch = examples[start : start + batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        with live.lock, torch.inference_mode(), recorder.recording(inputs):
            live.model(**inputs, use_cache=False, logits_to_keep=1)
    tick(len(examples), len(examples))
    return BandDistances(provenance, recorder.bands())
