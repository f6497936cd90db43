"""Everything about a model that must be as before when a skip set comes off, by bits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import nn

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.stoppable import stop

HOOKS = ("_forward_pre_hooks", "_forward_hooks", "_backward_pre_hooks", "_backward_hooks")

SAME_SIZE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
"""Whole numbers by their bytes."""
PART = 2**22
"""Numbers summed at a time: 32 MB more memory, however large the weights."""

State = dict[str, object]
"""What each thing is, by its name in words."""


def state_of(live: LiveModel) -> State:
    """Take down weights, hooks, forwards, modes and settings of a model; weights by a sum of all their bits."""
    return dict(_facts(live))


def changes(before: State, after: State) -> list[str]:
    """The names of what is not as before."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _facts(live: LiveModel) -> Iterator[tuple[str, object]]:
    model = live.model
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        yield f"weights of {name}", _bits(tensor)
    for name, module in model.named_modules():
        where = name or "the model"
        yield f"hooks of {where}", [_hooks(getattr(module, kind)) for kind in HOOKS]
        yield f"forward of {where}", id(module.__dict__.get("forward"))
        yield f"class of {where}", type(module)
        yield f"training flag of {where}", module.training
        if isinstance(module, nn.ModuleList):
            yield f"modules in {where}", [id(child) for child in module]
    yield "configuration", model.config.to_dict()
    yield "generation settings", model.generation_config.to_dict()
    yield "padding side", _padding_side(live)
    yield "random numbers", torch.get_rng_state().tolist()


def _hooks(found: Mapping[int, object]) -> list[int]:
    """Which there are, but those that a job of the session has while it runs."""
    return [number for number, hook in found.items() if hook is not stop]


def _bits(tensor: torch.Tensor) -> tuple[object, ...]:
    """Shape, type, and a sum of all bits that knows their places; without it where they wait on disk."""
    described = (tuple(tensor.shape), tensor.dtype, tensor.requires_grad)
    if tensor.is_meta:
        return described
    whole = torch.zeros((), dtype=torch.int64, device=tensor.device)
    for part in tensor.detach().flatten().view(SAME_SIZE[tensor.itemsize]).split(PART):
        whole += (part.long() * torch.arange(1, len(part) + 1, device=part.device)).sum()
    return (*described, int(whole))


def _padding_side(live: LiveModel) -> Any:
    tokenizer = getattr(live.processor, "tokenizer", None)
    return getattr(tokenizer, "padding_side", None)
