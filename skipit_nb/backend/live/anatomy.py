"""Where a model keeps its decoder layers, its cache slots and its vision rows; found by structure, not by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from skipit_nb.backend.live.shape import shape_of
from skipit_nb.cost import ModelShape
from skipit_nb.errors import NotAVisionLanguageModelError


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a vision-language model that measuring and skipping need."""

    decoder: nn.Module
    """The module that owns the list of layers."""
    layers: tuple[nn.Module, ...]
    """Decoder layers, from 0."""
    final_norm: nn.Module
    """What the last layer's output goes through before the head."""
    head: nn.Module
    """From normed states to logits; a family may still scale or cap what it gives."""
    cache_slots: tuple[int | None, ...]
    """For each layer, its index in the KV cache; None if it keeps no keys of its own tokens."""
    layer_types: tuple[str, ...]
    """"full_attention", "sliding_attention", "linear_attention", "cross_attention", … as transformers names them."""
    image_token_ids: tuple[int, ...]
    """Token ids of image and video positions."""
    last_injection: int
    """The last layer after which vision features are added from outside (DeepStack); -1 if there is none."""
    shape: ModelShape

    @property
    def has_vision_rows(self) -> bool:
        """Whether images are rows of the sequence; False where layers read them by cross-attention."""
        return "cross_attention" not in self.layer_types

    def vision_rows(self, input_ids: Tensor) -> Tensor:
        """Rows on image positions, newline and separator rows included: [batch, seq] bool."""
        if not self.has_vision_rows:
            return torch.zeros_like(input_ids, dtype=torch.bool)
        if len(self.image_token_ids) == 1:
            return input_ids == self.image_token_ids[0]
        return torch.isin(input_ids, torch.tensor(self.image_token_ids, device=input_ids.device))

    @property
    def reads_both_ways(self) -> bool:
        """Whether a prompt's tokens see those after them (prefix-LM), so that an answer behind it would leak in."""
        return any(getattr(self.attention_of(i), "is_causal", True) is False for i in range(len(self.layers)))

    def reads_other_keys(self, layer: int) -> bool:
        """Whether a layer attends to the keys and values of an earlier one instead of its own (Gemma 4)."""
        return bool(getattr(self.attention_of(layer), "is_kv_shared_layer", False))

    def makes_keys_for_others(self, layer: int) -> bool:
        """Whether later layers attend to this layer's keys. transformers marks such a layer also where none does."""
        is_marked = bool(getattr(self.attention_of(layer), "store_full_length_kv", False))
        return is_marked and any(map(self.reads_other_keys, range(layer + 1, len(self.layers))))

    def attention_of(self, layer: int) -> nn.Module | None:
        """A layer's self-attention; None where it has none."""
        found = getattr(self.layers[layer], "self_attn", None)
        return found if isinstance(found, nn.Module) else None


def anatomy_of(model: PreTrainedModel) -> Anatomy:
    """Find the parts of `model`.

    Raises:
        NotAVisionLanguageModelError: If it has no list of decoder layers, or no image positions.
    """
    name = type(model).__name__
    decoder = _decoder(model)
    if decoder is None:
        raise NotAVisionLanguageModelError(name, "it has no list of decoder layers")
    image_token_ids = _image_token_ids(model.config)
    if not image_token_ids:
        raise NotAVisionLanguageModelError(name, "its configuration names no image token")
    layers = tuple(decoder.layers)  # type: ignore[arg-type]
    head = _head(model, decoder)
    return Anatomy(
        decoder=decoder,
        layers=layers,
        final_norm=_final_norm(decoder),
        head=head,
        cache_slots=tuple(_cache_slot(layer) for layer in layers),
        layer_types=_layer_types(decoder, layers),
        image_token_ids=image_token_ids,
        last_injection=_last_injection(model),
        shape=shape_of(model, decoder, layers, head),
    )


def _decoder(model: nn.Module) -> nn.Module | None:
    """Follow `get_decoder()` to the module with `.layers`; some families need one hop more than others."""
    module, seen = model, set[int]()
    while not isinstance(getattr(module, "layers", None), nn.ModuleList):
        if id(module) in seen or not hasattr(module, "get_decoder"):
            return None
        seen.add(id(module))
        module = module.get_decoder()  # type: ignore[operator]
    return module


def _final_norm(decoder: nn.Module) -> nn.Module:
    """The decoder's own norm: called `norm` nearly everywhere, else its last child of such a name.

    Others may stand beside it: OPT norms its embeddings, Gemma 4 its per-layer inputs.
    """
    norms = {name: child for name, child in decoder.named_children() if "norm" in name and "embed" not in name}
    return norms.get("norm") or next(reversed(norms.values()), nn.Identity())


def _head(model: nn.Module, decoder: nn.Module) -> nn.Module:
    """The output embedding of the innermost model that has one and holds the decoder."""
    owners = [model, *(m for m in model.modules() if hasattr(m, "get_output_embeddings") and m is not model)]
    for owner in owners:
        head = owner.get_output_embeddings()  # type: ignore[operator]
        if isinstance(head, nn.Module) and any(module is decoder for module in owner.modules()):
            return head
    raise NotAVisionLanguageModelError(type(model).__name__, "it has no head that gives logits")


def _image_token_ids(config: object) -> tuple[int, ...]:
    """The ids of image positions, and of video positions where the family has them."""
    names = ("image_token_id", "image_token_index", "image_patch_id"), ("video_token_id", "video_token_index")
    owners = (config, getattr(config, "vision_config", None))
    found = [
        next((i for owner in owners for name in group if isinstance(i := getattr(owner, name, None), int)), None)
        for group in names
    ]
    return () if found[0] is None else tuple(dict.fromkeys(i for i in found if i is not None))


def _cache_slot(layer: nn.Module) -> int | None:
    """Where a layer's self-attention keeps its keys; None without one, or where it reads those of another layer."""
    attention = getattr(layer, "self_attn", None)
    if attention is None or getattr(attention, "is_kv_shared_layer", False):
        return None
    indices = (getattr(module, "layer_idx", None) for module in attention.modules())
    return next((index for index in indices if isinstance(index, int)), None)


def _layer_types(decoder: nn.Module, layers: tuple[nn.Module, ...]) -> tuple[str, ...]:
    """What each layer attends to, by its configuration where that says so, else by what it is made of."""
    config = decoder.config
    window = getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True)
    usual = "sliding_attention" if window else "full_attention"
    named = getattr(config, "layer_types", None) or [usual] * len(layers)
    return tuple(
        "cross_attention" if hasattr(layer, "cross_attn") else str(kind)
        for layer, kind in zip(layers, named, strict=False)
    )


def _last_injection(model: PreTrainedModel) -> int:
    indices = getattr(getattr(model.config, "vision_config", None), "deepstack_visual_indexes", None)
    return len(indices) - 1 if indices else -1
