"""What a model cannot do under a skip set, found by structure and refused before anything is installed."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from torch import nn
from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.errors import UnsupportedSkipError
from skipit_nb.skipset import MODALITIES, SkipSet

Limit = tuple[int, str]
"""A layer, and why an action is refused there."""

TAKES_MASKS = ("eager", "sdpa")
"""Attention implementations that take a mask of any form, which frozen and absent rows need."""


def refuse_unsupported(_: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet) -> None:
    """Raise for the first layer at which this model cannot run the set exactly.

    Raises:
        UnsupportedSkipError: With the layer and the reason.
    """
    if skipset.modalities and not takes_masks(anatomy):
        raise UnsupportedSkipError(
            skipset,
            f"its attention implementation {_attention(anatomy)!r} takes no masks of our making",
            "Switch first: model.set_attn_implementation('sdpa').",
        )
    for layer, why in limits(anatomy, skipset):
        without = skipset.replace(layer, "run")
        raise UnsupportedSkipError(skipset, f"layer {layer} {why}", f"Without that layer the set is '{without}'.")


def takes_masks(anatomy: Anatomy) -> bool:
    """Whether this model's attention takes a mask of any form."""
    return _attention(anatomy) in TAKES_MASKS


def _attention(anatomy: Anatomy) -> str:
    return str(anatomy.decoder.config._attn_implementation)  # type: ignore[union-attr]


def limits(anatomy: Anatomy, skipset: SkipSet) -> Iterator[Limit]:
    """Every layer at which the model cannot run its action, and why."""
    for index in range(len(anatomy.layers)):
        actions = {skipset.action(index, modality) for modality in MODALITIES}
        if why := next(_reasons(anatomy, index, actions), None):
            yield index, why


def _reasons(anatomy: Anatomy, index: int, actions: AbstractSet[str]) -> Iterator[str]:
    """Everything that speaks against these actions at a layer, the most telling first."""
    layer, attention, kind = anatomy.layers[index], anatomy.attention_of(index), anatomy.layer_types[index]
    by_modality = bool(actions & {"frozen", "absent"})
    if by_modality and not anatomy.has_vision_rows:
        yield "belongs to a model whose images are no rows: some layers read them by cross-attention"
    if (by_modality or "attn" in actions) and attention is None:
        yield f"has no self-attention that could be left out or run on fewer tokens ({kind})"
    if "mlp" in actions and not _has_one_mlp(layer):
        yield "has no single MLP that could be left out"
    if actions & {"whole", "attn", "absent"} and anatomy.makes_keys_for_others(index):
        yield "makes the keys and values that later layers read"
    if "absent" in actions and anatomy.reads_other_keys(index):
        yield "reads the keys and values of an earlier layer, where all tokens are present"
    if "absent" in actions and kind not in ("full_attention", "sliding_attention"):
        yield f"is a {kind} layer, where absence is not exact"
    if "absent" in actions and index <= anatomy.last_injection:
        yield f"receives vision features from outside (up to layer {anatomy.last_injection}), so none may be absent"


def _has_one_mlp(layer: nn.Module) -> bool:
    """Whether all the layer does beside attention is its `mlp`; experts next to it are not."""
    return hasattr(layer, "mlp") and not isinstance(getattr(layer, "experts", None), nn.Module)
