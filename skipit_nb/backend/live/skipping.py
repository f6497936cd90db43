"""A skip set at work on a live model: put on the layer instances, taken off again whatever happens."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.layer_forwards import (
    absent_forward,
    attention_forward,
    frozen_forward,
    mlp_forward,
    whole_forward,
)
from skipit_nb.backend.live.limits import refuse_unsupported
from skipit_nb.backend.live.rows import Rows
from skipit_nb.errors import UnsupportedSkipError
from skipit_nb.skipset import MODALITIES, SkipSet


class NoVisionTokensWarning(UserWarning):
    """A skip set names vision tokens, but a prompt has none; it ran as it is."""


@contextlib.contextmanager
def skipping(model: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet) -> Iterator[None]:
    """Run the model under a bound skip set inside a `with` block; afterwards it is bit for bit as before.

    Exact in prefill and decoding, with and without a cache, for padded batches. An empty set installs nothing.

    Raises:
        UnsupportedSkipError: If this model cannot run the set exactly. Nothing was installed then.
    """
    if skipset.is_empty:
        yield
        return
    refuse_unsupported(model, anatomy, skipset)
    passing = _ForwardPass(anatomy, skipset)
    with contextlib.ExitStack() as undo:
        hook = model.register_forward_pre_hook(passing.begin, with_kwargs=True)
        undo.callback(hook.remove)
        for index in range(len(anatomy.layers)):
            for module, forward in _replacements(anatomy, skipset, index, passing):
                undo.callback(_put_on(module, forward))
        yield


def _put_on(module: nn.Module, forward: Callable[..., Any]) -> Callable[[], None]:
    """Give the instance its own forward; the answer undoes it. An earlier own forward (accelerate's) comes back."""
    earlier = module.__dict__.get("forward")
    module.forward = forward

    def take_off() -> None:
        if earlier is None:
            module.__dict__.pop("forward", None)
        else:
            module.forward = earlier

    return take_off


def _replacements(
    anatomy: Anatomy, skipset: SkipSet, index: int, passing: _ForwardPass
) -> Iterator[tuple[nn.Module, Callable[..., Any]]]:
    """The modules of one layer that get another forward, sublayers first, so that the layer's wraps them."""
    layer, slot = anatomy.layers[index], anatomy.cache_slots[index]
    actions = {modality: skipset.action(index, modality) for modality in MODALITIES}
    if "attn" in actions.values():
        yield layer.self_attn, attention_forward(slot)  # type: ignore[misc]
    if "mlp" in actions.values():
        yield layer.mlp, mlp_forward  # type: ignore[misc]
    if set(actions.values()) == {"whole"}:
        yield layer, whole_forward(slot)
    for modality, action in actions.items():
        if action in ("frozen", "absent"):
            # Without attention nobody sees the frozen rows' keys, so they need not be made.
            is_seen = action == "frozen" and "attn" not in actions.values()
            run_short = frozen_forward if is_seen else absent_forward
            yield layer, run_short(layer, slot, passing.rows_without(modality))


class _ForwardPass:
    """What the layers need to know of the forward pass at hand: which rows are vision tokens."""

    def __init__(self, anatomy: Anatomy, skipset: SkipSet) -> None:
        self._anatomy = anatomy
        self._names_vision = "vision" in skipset.modalities
        self._has_warned = False
        self._vision: Tensor | None = None
        self._memo: dict[str, Rows | None] = {}

    def begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Read the rows of a new forward pass from its token ids. A pre-hook of the whole model."""
        self._memo = {}
        input_ids = kwargs.get("input_ids", args[0] if args else None)
        if input_ids is None:
            self._vision = None
            return
        self._vision = self._anatomy.vision_rows(input_ids)
        cache = kwargs.get("past_key_values")
        if cache is not None and cache.get_seq_length() > 0 and kwargs.get("pixel_values") is None:
            self._vision = torch.zeros_like(self._vision)  # new tokens are text, whatever the model wrote
        elif self._names_vision and not self._has_warned and not self._vision.any(1).all():
            self._has_warned = True
            message = "a prompt without vision tokens ran as it is: the skip set's vision actions found nothing to skip"
            warnings.warn(message, NoVisionTokensWarning, stacklevel=2)

    def rows_without(self, modality: str) -> Callable[[Tensor], Rows | None]:
        """A function that gives, in every pass, the rows not of this modality; None if that is all of them."""

        def running(hidden: Tensor) -> Rows | None:
            if modality not in self._memo:
                self._memo[modality] = self._find(modality, hidden)
            return self._memo[modality]

        return running

    def _find(self, modality: str, hidden: Tensor) -> Rows | None:
        if self._vision is None or self._vision.shape != hidden.shape[:2]:
            raise UnsupportedSkipError(
                f"{modality} actions",
                "this call gives no input_ids, so its vision tokens cannot be found",
                "Call the model with input_ids.",
            )
        stopped = self._vision if modality == "vision" else ~self._vision
        return Rows.where(~stopped.to(hidden.device)) if stopped.any() else None
