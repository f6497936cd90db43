"""A checkpoint before it is written: a configuration of its own, and the live model's tensors under their new names."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel

from skipit_nb.backend.export.layer_entries import keep_layers
from skipit_nb.backend.live.anatomy import Anatomy


@dataclass(frozen=True, slots=True)
class Draft:
    """What `save_pretrained` is to write. Tensors are the live model's own; only a table of all layers is cut anew."""

    config: PreTrainedConfig
    """A deep copy; the live model's configuration is not touched."""
    weights: dict[str, Tensor]
    """The state dict, by the names of the new model."""
    buffers: dict[str, Tensor]
    """All buffers, those that are never saved too (such as rotary frequencies)."""
    kept: tuple[int, ...]
    """For each layer of the new model, the layer that it is in the live one."""


def whole_draft(model: PreTrainedModel, anatomy: Anatomy) -> Draft:
    """The model as it is."""
    kept = tuple(range(len(anatomy.layers)))
    return Draft(copy.deepcopy(model.config), model.state_dict(), dict(model.named_buffers()), kept)


def pruned_draft(model: PreTrainedModel, anatomy: Anatomy, removed: Iterable[int]) -> Draft:
    """The model without the layers `removed`: the others move up and are renumbered, everywhere."""
    gone = set(removed)
    kept = tuple(layer for layer in range(len(anatomy.layers)) if layer not in gone)
    renamed = _Renaming(_name_of_layers(model, anatomy), kept)
    return Draft(
        keep_layers(model.config, anatomy.decoder.config, kept, len(anatomy.layers)),
        renamed(model.state_dict().items()),
        renamed(model.named_buffers()),
        kept,
    )


class _Renaming:
    """Names of tensors after some layers have gone."""

    def __init__(self, prefix: str, kept: tuple[int, ...]) -> None:
        self._prefix = f"{prefix}."
        self._new = {str(old): str(new) for new, old in enumerate(kept)}

    def __call__(self, tensors: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
        return {new: tensor for name, tensor in tensors if (new := self._renamed(name)) is not None}

    def _renamed(self, name: str) -> str | None:
        """The new name; None for a tensor of a layer that has gone."""
        if not name.startswith(self._prefix):
            return name
        layer, rest = name.removeprefix(self._prefix).split(".", 1)
        return f"{self._prefix}{self._new[layer]}.{rest}" if layer in self._new else None


def _name_of_layers(model: nn.Module, anatomy: Anatomy) -> str:
    names: dict[int, str] = {id(module): name for name, module in model.named_modules()}
    return names[id(anatomy.decoder.layers)]
