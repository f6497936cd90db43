"""Cross-modal flow: how much the last prompt token attends to the vision tokens, layer by layer (VAR).

Shapes: batch, head, seq.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import Inputs
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.results import LayerFlow


class FlowRecorder:
    """Streams VAR of every layer over forward passes with eager attention.

        VAR[layer] = mean over samples and heads of  Σ over vision keys of attention(last prompt token → key)

    0: the last token reads no image; `uniform` is what a flat attention would give. It is an attention ratio, not a
    proof that the image matters there: softmax weights compete.

    Source:
        Jiang et al. 2025, arXiv:2411.16724 (the ratio); that the paper means the same is our reading.
    """

    def __init__(self, anatomy: Anatomy) -> None:
        self._anatomy = anatomy
        self._per_sample: list[Tensor] = []
        self._uniform: list[Tensor] = []

    @contextlib.contextmanager
    def recording(self, inputs: Inputs) -> Iterator[None]:
        """Record the one forward pass inside the block; attention is eager there, and as before afterwards."""
        kinds = token_kinds(inputs, self._anatomy)
        vision = kinds[0]
        seen: list[Tensor] = []

        def hook(_: nn.Module, __: tuple[Any, ...], out: tuple[Tensor, Tensor]) -> None:
            last = out[1][:, :, -1, :].float()
            seen.append((last * vision[:, None, :]).sum(2).mean(1))

        with _eager(self._anatomy), contextlib.ExitStack() as undo:
            for layer in self._anatomy.layers:
                undo.callback(layer.self_attn.register_forward_hook(hook).remove)  # type: ignore[union-attr]
            yield
        has_vision = vision.any(1)
        self._per_sample.append(torch.stack(seen)[:, has_vision].double().cpu())
        self._uniform.append((vision.sum(1) / kinds.any(0).sum(1))[has_vision].double().cpu())

    def rows(self) -> tuple[LayerFlow, ...]:
        """One row per layer; empty if no sample had vision tokens."""
        var, uniform = torch.cat(self._per_sample, dim=1), torch.cat(self._uniform)
        if not len(uniform):
            return ()
        spread = var.std(1) if len(uniform) > 1 else torch.zeros(len(var))
        return tuple(
            LayerFlow(layer, float(var[layer].mean()), float(spread[layer]), float(uniform.mean()))
            for layer in range(len(var))
        )


@contextlib.contextmanager
def _eager(anatomy: Anatomy) -> Iterator[None]:
    """Let the decoder compute attention weights in the open inside the block."""
    config = anatomy.decoder.config
    before = config._attn_implementation  # type: ignore[union-attr]
    config._attn_implementation = "eager"  # type: ignore[union-attr]
    try:
        yield
    finally:
        config._attn_implementation = before  # type: ignore[union-attr]
