"""The part of smol that was trained, as it is shipped: tower, projector and low-rank updates in float16."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from skipit_nb.errors import BrokenWeightsError
from skipit_nb.zoo import TRAINED_PART
from skipit_nb.zoo.smol.low_rank import add_updates

_OWN = ("vision_tower.", "multi_modal_projector.", ".update.")


def write_trained(model: LlavaForConditionalGeneration, folder: Path) -> None:
    """Write what was trained, and nothing of the language model.

    Args:
        model: The model, its updates not yet merged.
        folder: Made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.half().contiguous() for name, tensor in _own(model).items()}, folder / TRAINED_PART)


def read_trained(model: LlavaForConditionalGeneration, folder: Path) -> nn.ModuleList:
    """Put what was trained into a model of a bare language model, the updates beside its layers.

    Returns:
        The updates.

    Raises:
        BrokenWeightsError: If the file is not there, is damaged, or is for a model of another shape.
    """
    try:
        tensors = load_file(folder / TRAINED_PART)
        rank = next(len(tensor) for name, tensor in tensors.items() if name.endswith(".into"))
        updates = add_updates(model.model.language_model, rank)
        _fill(_own(model), tensors)
    except Exception as error:
        raise BrokenWeightsError(str(folder / TRAINED_PART), str(error)) from error
    return updates


def _own(model: LlavaForConditionalGeneration) -> dict[str, Tensor]:
    return {name: tensor for name, tensor in model.state_dict().items() if any(part in name for part in _OWN)}


def _fill(own: dict[str, Tensor], tensors: dict[str, Tensor]) -> None:
    if own.keys() != tensors.keys():
        raise KeyError(min(own.keys() ^ tensors.keys()))
    with torch.no_grad():
        for name, tensor in tensors.items():
            own[name].copy_(tensor)
