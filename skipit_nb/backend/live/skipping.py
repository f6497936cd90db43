"""A skip set at work on a live model: put on the layer instances, taken off again whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.forward_pass import ForwardPass
from skipit_nb.backend.live.layer_forwards import (
    absent_forward,
    attention_forward,
    frozen_forward,
    mlp_forward,
    whole_forward,
)
from skipit_nb.backend.live.limits import refuse_unsupported
from skipit_nb.backend.live.uncompiled import uncompiled
from skipit_nb.skipset import MODALITIES, SkipSet


@contextlib.contextmanager
def skipping(
    model: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet, *, vision: Tensor | None = None
) -> Iterator[None]:
    """Run the model under a bound skip set inside a `with` block; afterwards it is bit for bit as before.

    Exact in prefill and decoding, with and without a cache, for padded batches. An empty set installs nothing. A
    compiled model runs uncompiled inside the block. With gradient checkpointing, `backward` belongs inside it too:
    checkpointed layers run again then.

    Args:
        model: The model.
        anatomy: Of the model.
        skipset: Bound to its layers.
        vision: [batch, seq] bool, the vision rows of the prompt, where token ids cannot tell them.

    Raises:
        UnsupportedSkipError: If this model cannot run the set exactly. Nothing was installed then.
    """
    if skipset.is_empty:
        yield
        return
    refuse_unsupported(model, anatomy, skipset)
    names_vision = "vision" in skipset.modalities
    passing = ForwardPass(anatomy, names_vision=names_vision, vision=vision)
    with contextlib.ExitStack() as undo:
        for hook in passing.watch(model):
            undo.callback(hook.remove)
        for index in range(len(anatomy.layers)):
            undo.enter_context(acting(anatomy, skipset, index, passing))
        undo.enter_context(uncompiled())
        yield


@contextlib.contextmanager
def acting(anatomy: Anatomy, skipset: SkipSet, index: int, passing: ForwardPass) -> Iterator[None]:
    """Let one layer act as the set says inside the block."""
    with contextlib.ExitStack() as undo:
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
    anatomy: Anatomy, skipset: SkipSet, index: int, passing: ForwardPass
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
            if action == "frozen" and "attn" not in actions.values():
                others_look = anatomy.makes_keys_for_others(index)
                yield layer, frozen_forward(layer, slot, passing, modality, others_look=others_look)
            else:
                yield layer, absent_forward(layer, slot, passing, modality)
