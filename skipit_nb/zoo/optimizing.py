"""A loop of AdamW steps over some of a model's weights; the others rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from skipit_nb.zoo.classroom import Classroom, StagePlan, StageProgress

_WEIGHT_DECAY = 0.05
_WARM_UP = 0.05
_LAST_RATE = 0.01
_SLOW = 0.1


def optimize(
    room: Classroom,
    plan: StagePlan,
    modules: Iterable[nn.Module],
    loss_of: Callable[[], Tensor],
    *,
    slowly: Iterable[nn.Module] = (),
) -> None:
    """Take the plan's steps.

    Args:
        room: Holds the model and hears of the progress.
        plan: How many steps, how fast.
        modules: What learns.
        loss_of: Gives the loss of a new batch.
        slowly: What learns at a tenth of the rate.
    """
    fast, slow = _weights(modules), _weights(slowly)
    weights = fast | slow
    for weight in room.model.parameters():
        weight.requires_grad_(id(weight) in weights)
    groups: list[dict[str, Any]] = [
        {"params": list(fast.values())},
        {"params": list(slow.values()), "lr": _SLOW * plan.learning_rate},
    ]
    optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=_WEIGHT_DECAY)
    schedule = LambdaLR(optimizer, lambda step: rate(step, plan.num_steps))
    room.model.train()
    for step in range(1, plan.num_steps + 1):
        loss = loss_of()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        schedule.step()
        room.progress(StageProgress(plan.name, step, plan.num_steps, loss.item()))
    room.model.requires_grad_(requires_grad=True).eval()


def rate(step: int, num_steps: int) -> float:
    """Give the rate of a step, counted from 0, as a share of the highest one."""
    warm_up = max(1, round(_WARM_UP * num_steps))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, num_steps - warm_up)
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * min(1.0, done))) / 2


def _weights(modules: Iterable[nn.Module]) -> dict[int, nn.Parameter]:
    return {id(weight): weight for module in modules for weight in module.parameters()}
