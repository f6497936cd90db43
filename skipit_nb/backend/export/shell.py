"""The model that transformers would build of a draft, on the live model's own tensors: nothing is copied or written."""

from __future__ import annotations

import copy

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from skipit_nb.backend.export.draft import Draft


def build(model: PreTrainedModel, draft: Draft) -> PreTrainedModel:
    """Build the structure only, from what the configuration will say in `config.json`; its tensors hold no memory."""
    config = type(draft.config).from_dict(copy.deepcopy(draft.config.to_diff_dict()))
    _forget_dtype(config)
    with torch.device("meta"):
        shell = type(model)(config)
    shell.generation_config = copy.deepcopy(model.generation_config)
    return shell.eval()


def _forget_dtype(config: PreTrainedConfig) -> None:
    """Keep transformers from setting torch's default dtype meanwhile, which other threads would see."""
    config.dtype = None
    for part in vars(config).values():
        if isinstance(part, PreTrainedConfig):
            _forget_dtype(part)


def fill(shell: PreTrainedModel, weights: dict[str, Tensor], buffers: dict[str, Tensor]) -> None:
    """Lend the shell the tensors, so that it runs."""
    shell.load_state_dict(weights, assign=True)
    for name, buffer in buffers.items():
        owner, _, attribute = name.rpartition(".")
        setattr(shell.get_submodule(owner), attribute, buffer)


def fitted(draft: Draft, shell: PreTrainedModel) -> dict[str, Tensor]:
    """The draft's weights; a table that holds a part for every layer (Gemma's per-layer inputs) loses some parts."""
    shapes = {name: tensor.shape for name, tensor in shell.state_dict().items()}
    return {name: _cut(tensor, shapes.get(name, tensor.shape), draft.kept) for name, tensor in draft.weights.items()}


def _cut(tensor: Tensor, shape: torch.Size, kept: tuple[int, ...]) -> Tensor:
    """Keep some layers' parts on the one axis that is shorter in `shape`; otherwise the tensor itself."""
    axes = [axis for axis, (old, new) in enumerate(zip(tensor.shape, shape, strict=False)) if old != new]
    if tensor.dim() != len(shape) or len(axes) != 1 or shape[axes[0]] % len(kept):
        return tensor
    part = shape[axes[0]] // len(kept)
    if not part or tensor.shape[axes[0]] % part:
        return tensor
    rows = torch.tensor([layer * part + row for layer in kept for row in range(part)], device=tensor.device)
    return tensor.index_select(axes[0], rows)
