"""What a model cannot do under a skip set, found by structure and refused before anything is installed."""

from __future__ import annotations

from collections.abc import Iterator

from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.errors import UnsupportedSkipError
from skipit_nb.skipset import MODALITIES, SkipSet

Limit = tuple[int, str]
"""A layer, and why an action is refused there."""


def refuse_unsupported(model: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet) -> None:
    """Raise for the first layer at which this model cannot run the set exactly.

    Raises:
        UnsupportedSkipError: With the layer and the reason.
    """
    for layer, why in _limits(model, anatomy, skipset):
        without = skipset.replace(layer, "run")
        raise UnsupportedSkipError(skipset, f"layer {layer} {why}", f"Without that layer the set is '{without}'.")


def _limits(model: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet) -> Iterator[Limit]:
    last_injection = _last_injection(model)
    types = getattr(anatomy.decoder.config, "layer_types", None) or ["full_attention"] * len(anatomy.layers)
    for index, layer in enumerate(anatomy.layers):
        actions = {skipset.action(index, modality) for modality in MODALITIES}
        if actions & {"frozen", "absent", "attn"} and not hasattr(layer, "self_attn"):
            yield index, "has no self-attention whose tokens could be left out"
        if "mlp" in actions and not hasattr(layer, "mlp"):
            yield index, "has no MLP of its own"
        if "absent" in actions and types[index] != "full_attention":
            yield index, f"is a {types[index]} layer, where absence is not exact yet"
        if "absent" in actions and index <= last_injection:
            yield index, f"receives vision features from outside (up to layer {last_injection}), so none may be absent"


def _last_injection(model: PreTrainedModel) -> int:
    """The last layer into which vision features are added from outside (DeepStack); -1 if there is none."""
    indices = getattr(getattr(model.config, "vision_config", None), "deepstack_visual_indexes", None)
    return len(indices) - 1 if indices else -1
