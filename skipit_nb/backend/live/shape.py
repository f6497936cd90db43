"""The numbers that decide a live decoder's cost, read from the sizes of its own matrices."""

from __future__ import annotations

import inspect
from collections import Counter
from itertools import chain, repeat
from typing import Any

import torch
from torch import nn
from transformers import DynamicCache, PreTrainedModel

from skipit_nb.cost import LayerShape, ModelShape

MAKES = {
    "k_proj": "key", "v_proj": "value", "kv_a_proj_with_mqa": "latent", "kv_b_proj": "expanded",
    "qkv_proj": "fused", "att_proj": "fused", "query_key_value": "fused",
    "o_proj": "output", "out_proj": "output", "attn_out": "output", "dense": "output",
}  # fmt: skip
"""What a matrix of an attention module makes, by its name; every other one belongs to the query."""

EXPERTS_PER_TOKEN = ("num_experts_per_tok", "top_k_experts", "moe_k")
TOKENS_PER_TILE = ("image_seq_length", "mm_tokens_per_image", "num_query_tokens")
PATCHES_PER_TOKEN = ("scale_factor", "downsample_factor", "hidden_stride")
TAKES_ANY_SIZE = ("spatial_merge_size", "crop_size")
"""What the families call a number of their configuration; patches of a token are counted along an edge."""

CHUNK = 64
"""Positions that the gated delta rule of transformers takes at a time."""


def shape_of(model: PreTrainedModel, decoder: nn.Module, layers: tuple[nn.Module, ...], head: nn.Module) -> ModelShape:
    """Read the shape of a decoder: its configuration for the usual numbers, its matrices for every layer's own."""
    config: Any = decoder.config
    width: int = config.hidden_size
    heads: int = config.num_attention_heads
    usual, d_ff, own = _of_layer(config, 0), _d_ff(config), _layer_shapes(decoder, layers)
    return ModelShape(
        num_layers=len(layers),
        d_model=width,
        d_ff=d_ff,
        num_heads=heads,
        num_kv_heads=getattr(usual, "num_key_value_heads", None) or heads,
        head_dim=getattr(usual, "head_dim", None) or width // heads,
        vocab=int(head.weight.shape[0]),  # type: ignore[index]
        bytes_per_value=torch.finfo(model.dtype).bits // 8,
        mlp_matrices=own[0].mlp // (width * d_ff) or 3,
        num_vision=_vision_tokens_per_image(model.config),
        layers=own,
        beside=sum(_own_size(part, 0) for part in decoder.children() if isinstance(part, nn.Linear)),
    )


def _of_layer(config: Any, index: int) -> Any:
    """The configuration of one layer, where a family lets them differ."""
    own = getattr(config, "per_layer_config", None)
    return own[index] if own else config


def _d_ff(config: Any) -> int:
    found = getattr(config, "intermediate_size", None) or getattr(config, "ffn_dim", None) or 4 * config.hidden_size
    return int(found[0] if isinstance(found, list | tuple) else found)


def _layer_shapes(decoder: nn.Module, layers: tuple[nn.Module, ...]) -> tuple[LayerShape, ...]:
    """The layers' own numbers; how far back they see is what the cache that `generate` makes for them keeps."""
    config: Any = decoder.config
    slots = DynamicCache(config=config).layers
    drops_rows = "logits_to_keep" in inspect.signature(type(decoder).forward).parameters
    experts = _number(EXPERTS_PER_TOKEN, config)
    pairs = zip(layers, chain(slots, repeat(None)), strict=False)
    return tuple(_layer_shape(layer, slot, experts, drops_rows=drops_rows) for layer, slot in pairs)


def _layer_shape(layer: nn.Module, slot: object, experts: int, *, drops_rows: bool) -> LayerShape:
    attention = getattr(layer, "self_attn", None) or getattr(layer, "cross_attn", None)
    everything, mlp = _size(layer, experts), _size(getattr(layer, "mlp", None), experts)
    if not isinstance(attention, nn.Module):
        return _without_attention(layer, everything, mlp)
    rest = everything - _size(attention, experts)
    is_reader = bool(getattr(attention, "is_kv_shared_layer", False))
    return LayerShape(
        **_attention_sizes(attention, makes_keys=not is_reader),
        mlp=mlp or rest,
        extra=rest - mlp if mlp else 0,
        window=getattr(attention if is_reader else slot, "sliding_window", None),
        reads_images=hasattr(layer, "cross_attn"),
        only_last_row=is_reader and drops_rows,
    )


def _attention_sizes(attention: nn.Module, *, makes_keys: bool) -> dict[str, int]:
    """The part of a `LayerShape` that says what attention costs."""
    size, width = Counter[str](), Counter[str]()
    for name, part in attention.named_modules():
        if isinstance(part, nn.Linear):
            kind = MAKES.get(name.rsplit(".", 1)[-1], "query")
            size[kind] += part.in_features * part.out_features
            width[kind] += part.out_features
    heads = size["output"] // max(width["output"], 1)  # x width of a value
    kept, scores = 2 * width["key"], 2 * heads
    if width["fused"]:
        kept = width["fused"] - heads
        size["query"] += size["fused"] * heads // width["fused"]
        size["value"] += size["fused"] * kept // width["fused"]
    if width["latent"]:  # kept as it is; keys are wider than values
        kept = width["latent"]
        scores = heads + heads * int(attention.qk_head_dim) // int(attention.v_head_dim)  # type: ignore[arg-type]
    return {
        "query": size["query"],
        "key_value": makes_keys * (size["key"] + size["value"] + size["latent"]),
        "output": size["output"],
        "scores": scores,
        "expansion": size["expanded"],
        "kept": makes_keys * kept,
    }


def _without_attention(layer: nn.Module, everything: int, mlp: int) -> LayerShape:
    """A layer that keeps a state instead of keys; what the state takes is known of the gated delta rule only."""
    rule = getattr(layer, "linear_attn", None)
    heads, key, value = (getattr(rule, name, 0) for name in ("num_v_heads", "head_k_dim", "head_v_dim"))
    state = heads * (CHUNK * (2 * key + value) + 3 * key * value)
    return LayerShape(
        query=everything - mlp, key_value=0, output=0, scores=0, mlp=mlp, state=state, chunk=CHUNK if state else 1
    )


def _size(module: object, experts: int) -> int:
    """Multiply-adds that a module's matrices take for one token, which meets `experts` of those that are stacked."""
    if not isinstance(module, nn.Module):
        return 0
    return sum(_own_size(part, experts) for part in module.modules())


def _own_size(module: nn.Module, experts: int) -> int:
    if isinstance(module, nn.Linear):  # a quantised one packs its weight
        return module.in_features * module.out_features
    if isinstance(module, nn.Conv1d):  # over a few positions, channel by channel: no product of matrices
        return 0
    matrices = [m for name, m in module.named_parameters(recurse=False) if not name.endswith("bias")]
    return sum(m.numel() if m.dim() == 2 else m[0].numel() * experts for m in matrices if m.dim() in (2, 3))  # noqa: PLR2004


def _vision_tokens_per_image(config: Any) -> int:
    """Vision tokens of an image of one tile; 0 where they depend on its size."""
    vision = getattr(config, "vision_config", None)
    size, patch = getattr(vision, "image_size", None), getattr(vision, "patch_size", None)
    if tokens := _number(TOKENS_PER_TILE, config):
        return tokens
    if not isinstance(size, int) or not isinstance(patch, int) or _number(TAKES_ANY_SIZE, config, vision):
        return 0
    if tiles := _number(("max_num_tiles",), vision):  # cross-attention reads the empty ones too, and what sums them up
        return tiles * ((size // patch) ** 2 + 1)
    return (size // patch // (_number(PATCHES_PER_TOKEN, config, vision) or 1)) ** 2


def _number(names: tuple[str, ...], *owners: object) -> int:
    """The first whole number that one of `owners` has by one of these names; 0 if there is none."""
    found = (getattr(owner, name, None) for owner in owners for name in names)
    return next((number for number in found if isinstance(number, int)), 0)
