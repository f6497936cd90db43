"""Layers that give NaN or infinity, found and named."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.errors import NotFiniteError

BEFORE_LAYER_0 = -1
"""The number of what is before all layers, in place of a layer's."""


def refuse_not_finite(ends: Iterable[tuple[int, Tensor]], is_token: Tensor) -> None:
    """Raise for the first states that are no numbers at some token; what padding holds is nobody's concern.

    Args:
        ends: The layer that gave them, or `BEFORE_LAYER_0`, and states [batch, seq, d_model].
        is_token: [batch, seq] bool

    Raises:
        NotFiniteError: With the layer, and the number of questions.
    """
    for layer, states in ends:
        bad = ~states.isfinite().all(dim=-1) & is_token.to(states.device)
        if bad.any():
            raise NotFiniteError(layer, int(bad.any(1).sum()))


def refuse_nan_logits(live: LiveModel, inputs: Inputs, logits: Tensor) -> None:
    """Raise if logits [batch, …] that the full model gave for `inputs` hold NaN, naming the layer it comes from.

    The layer is looked for by running the model once more, so what is well costs nothing.

    Raises:
        NotFiniteError: With the first layer that gives NaN or infinity, or the head.
    """
    bad = logits.flatten(1).isnan().any(1)
    if not bad.any():
        return
    is_token = inputs.get("attention_mask", torch.ones_like(inputs["input_ids"])).bool()
    with live.lock, torch.inference_mode(), _watching(live.anatomy, is_token):
        live.model(**inputs, use_cache=False, logits_to_keep=1)
    raise NotFiniteError("the head", int(bad.sum()))


@contextlib.contextmanager
def _watching(anatomy: Anatomy, is_token: Tensor) -> Iterator[None]:
    def hook(layer: int) -> Any:
        def look(_: nn.Module, args: tuple[Tensor, ...], out: Tensor | tuple[Tensor, ...]) -> None:
            before = [(BEFORE_LAYER_0, args[0])] if layer == 0 else []
            refuse_not_finite([*before, (layer, out[0] if isinstance(out, tuple) else out)], is_token)

        return look

    with contextlib.ExitStack() as undo:
        for index, layer in enumerate(anatomy.layers):
            undo.callback(layer.register_forward_hook(hook(index)).remove)
        yield
