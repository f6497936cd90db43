"""What a configuration says layer by layer, after some layers have gone.

entry per layer   a list with one value for every layer, such as `layer_types`: the values of the kept layers stay
list of layers    layer numbers, such as `cross_attention_layers`: kept ones are renumbered, the others leave
count             how many layers at one end are special, such as `num_kv_shared_layers`: the kept ones are counted
overrides         `per_layer_config`, a mapping from layer numbers: as a list of layers
"""

from __future__ import annotations

import copy
from typing import Any

from transformers import PreTrainedConfig

FLAGS_NAMED_LIKE_NUMBERS = frozenset({"no_rope_layers"})
"""One 0 or 1 for every layer, although the name promises layer numbers."""
FIRST_LAYERS = ("first_k_dense_replace",)
"""Counts of special layers at the start."""
LAST_LAYERS = ("num_kv_shared_layers",)
"""Counts of special layers at the end."""


def keep_layers(
    config: PreTrainedConfig, decoder_config: object, kept: tuple[int, ...], num_layers: int
) -> PreTrainedConfig:
    """A deep copy of a model's configuration whose decoder has only the layers `kept`, renumbered in order."""
    copies: dict[int, Any] = {}
    pruned: PreTrainedConfig = copy.deepcopy(config, copies)
    # A decoder that was made from a copy of the configuration is found by asking for it.
    decoder = copies.get(id(decoder_config)) or pruned.get_text_config(decoder=True)
    if len(kept) < num_layers:
        _keep(decoder, kept, num_layers)
    return pruned


def _keep(config: PreTrainedConfig, kept: tuple[int, ...], num_layers: int) -> None:
    overrides = _overrides(config)
    for name, value in list(vars(config).items()):
        if isinstance(value, list | tuple) and not name.startswith("_"):
            setattr(config, name, type(value)(_kept_entries(name, list(value), kept, num_layers)))
    for name in FIRST_LAYERS:
        if isinstance(count := getattr(config, name, None), int):
            setattr(config, name, sum(layer < count for layer in kept))
    for name in LAST_LAYERS:
        if isinstance(count := getattr(config, name, None), int):
            setattr(config, name, sum(layer >= num_layers - count for layer in kept))
    config.num_hidden_layers = len(kept)
    if overrides is not None:
        config.per_layer_config = {new: overrides[old] for new, old in enumerate(kept) if old in overrides}


def _kept_entries(name: str, values: list[Any], kept: tuple[int, ...], num_layers: int) -> list[Any]:
    if "token_id" in name:
        return values
    if _are_layer_numbers(name, values):
        new = {old: index for index, old in enumerate(kept)}
        return [new[layer] for layer in values if layer in new]
    return [values[layer] for layer in kept] if len(values) == num_layers else values


def _are_layer_numbers(name: str, values: list[Any]) -> bool:
    """Whether a list names layers, rather than saying something of every layer."""
    says_so = any(word in name for word in ("layers", "indices", "indexes", "idxs", "index"))
    if not says_so or name in FLAGS_NAMED_LIKE_NUMBERS:
        return False
    return all(type(value) is int and value >= 0 for value in values) and values == sorted(set(values))


def _overrides(config: PreTrainedConfig) -> dict[int, Any] | None:
    """What single layers have otherwise, by layer number; None where the configuration knows no such thing."""
    if not getattr(config, "is_heterogeneous", False):
        return None
    return {int(layer): override for layer, override in config.to_dict()["per_layer_config"].items()}
