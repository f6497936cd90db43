"""Where a model keeps its decoder layers, its cache slots and its vision rows; found by structure, not by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from skipit_nb.cost import ModelShape
from skipit_nb.errors import NotAVisionLanguageModelError


@dataclass(frozen=True, slots=True)
class Anatomy:
    """The parts of a vision-language model that measuring and skipping need."""

    decoder: nn.Module
    """The module that owns the list of layers."""
    layers: tuple[nn.Module, ...]
    """Decoder layers, from 0."""
    cache_slots: tuple[int | None, ...]
    """For each layer, its index in the KV cache; None if it keeps no K/V."""
    image_token_id: int
    """Token id of image positions."""
    shape: ModelShape

    def vision_rows(self, input_ids: Tensor) -> Tensor:
        """Rows on image positions: [batch, seq] bool."""
        return input_ids == self.image_token_id


def anatomy_of(model: PreTrainedModel) -> Anatomy:
    """Find the parts of `model`.

    Raises:
        NotAVisionLanguageModelError: If it has no list of decoder layers, or no image positions.
    """
    name = type(model).__name__
    decoder = _decoder(model)
    if decoder is None:
        raise NotAVisionLanguageModelError(name, "it has no list of decoder layers")
    image_token_id = _image_token_id(model.config)
    if image_token_id is None:
        raise NotAVisionLanguageModelError(name, "its configuration names no image token")
    layers = tuple(decoder.layers)  # type: ignore[arg-type]
    return Anatomy(
        decoder=decoder,
        layers=layers,
        cache_slots=tuple(_cache_slot(layer) for layer in layers),
        image_token_id=image_token_id,
        shape=_shape(model, decoder, layers),
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


def _image_token_id(config: object) -> int | None:
    for owner in (config, getattr(config, "vision_config", None)):
        for name in ("image_token_id", "image_token_index"):
            if isinstance(token_id := getattr(owner, name, None), int):
                return token_id
    return None


def _cache_slot(layer: nn.Module) -> int | None:
    indices = (getattr(module, "layer_idx", None) for module in layer.modules())
    return next((index for index in indices if isinstance(index, int)), None)


def _shape(model: PreTrainedModel, decoder: nn.Module, layers: tuple[nn.Module, ...]) -> ModelShape:
    config = decoder.config
    heads: int = config.num_attention_heads  # type: ignore[assignment,union-attr]
    width: int = config.hidden_size  # type: ignore[assignment,union-attr]
    return ModelShape(
        num_layers=len(layers),
        d_model=width,
        d_ff=getattr(config, "intermediate_size", 4 * width),
        num_heads=heads,
        num_kv_heads=getattr(config, "num_key_value_heads", None) or heads,
        head_dim=getattr(config, "head_dim", None) or width // heads,
        vocab=getattr(config, "vocab_size", 0),
        bytes_per_value=torch.finfo(model.dtype).bits // 8,
        mlp_matrices=3 if any(name.endswith("gate_proj") for name, _ in layers[0].named_modules()) else 2,
        num_vision=_vision_tokens_per_image(model.config),
    )


def _vision_tokens_per_image(config: object) -> int:
    """Vision tokens of one image where the model fixes their number; 0 where it depends on the image."""
    if isinstance(count := getattr(config, "image_seq_length", None), int):
        return count
    vision = getattr(config, "vision_config", None)
    size, patch = getattr(vision, "image_size", None), getattr(vision, "patch_size", None)
    return (size // patch) ** 2 if isinstance(size, int) and isinstance(patch, int) else 0
