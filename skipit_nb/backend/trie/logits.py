"""The last rows' logits of the full model and of many skip sets, from as few layers as can be.

Shapes: batch, row (the last rows asked for), vocab.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.limits import refuse_unsupported
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.trie.budget import CPU_STACK, Room, default_budget, plans_within, room_for
from skipit_nb.backend.trie.plan import TRUNK
from skipit_nb.backend.trie.walk import Walk, can_walk
from skipit_nb.skipset import SkipSet

Finish = Callable[[Tensor], Tensor]
"""What a family does to logits after the head."""

FULL, ECHO = -1, -2
"""In place of a set's number: the full model, and the full model once more beside itself."""


@dataclass(slots=True)
class Work:
    """What it took."""

    executed: int = 0
    """Layers run on this batch."""
    naive: int = 0
    """Layers to run if every set, and the full model, had run by itself."""
    bound: int = 0
    """The fewest layers there can be: edges of the tree that compute something."""


def logits_of(
    live: LiveModel, inputs: Inputs, skipsets: Sequence[SkipSet], *, rows: int, memory: int | None, work: Work
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """Give the last rows' logits of the full model, then of every skip set; hold the model meanwhile.

    Args:
        live: The model.
        inputs: One batch.
        skipsets: Bound to the model.
        rows: How many last rows.
        memory: Bytes that branches may take; None for a share of what is free.
        work: Is told what it took.

    Yields:
        Numbers of skip sets (`FULL` first; in half precision also `ECHO`) and their logits
        [sets, batch, row, vocab], float32.

    Raises:
        UnsupportedSkipError: If the model cannot run one of the sets.
        MemoryBudgetError: If not even one branch fits.
    """
    for skipset in skipsets:
        refuse_unsupported(live.model, live.anatomy, skipset)
    _, whole_plan = plans_within(tuple(skipsets), sys.maxsize, echo=False)[0]
    work.naive, work.bound = whole_plan.naive, whole_plan.computing_edges
    if can_walk(live.anatomy):
        try:
            yield from _walked(live, inputs, skipsets, rows, memory, work)
        except UnknownFinishError:  # raised before anything was given
            pass
        else:
            return
    yield from _one_by_one(live, inputs, skipsets, rows, work)


def _walked(
    live: LiveModel, inputs: Inputs, skipsets: Sequence[SkipSet], rows: int, memory: int | None, work: Work
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """All sets along as few forward passes as the memory allows; usually one."""
    room, vision = _room(live, inputs, memory), live.anatomy.vision_rows(inputs["input_ids"])
    is_half = live.model.dtype != torch.float32
    for turn, (numbers, plan) in enumerate(plans_within(tuple(skipsets), room.alive, echo=is_half)):
        walk = Walk(live.anatomy, plan, vision, rows=rows, stack=room.stack)
        with walk.along():
            logits = last_logits(live, inputs, rows)
        finish = finish_of(live.anatomy, walk.leaf(TRUNK), logits)
        if not turn:
            yield (FULL,), logits.float()[None]
        work.executed += walk.executed
        yield from _of_leaves(live.anatomy, walk, plan.leaves, numbers, finish, room.stack)


def _room(live: LiveModel, inputs: Inputs, memory: int | None) -> Room:
    attention = live.anatomy.decoder.config._attn_implementation  # type: ignore[union-attr]
    budget = default_budget(live.device) if memory is None else memory
    return room_for(
        budget,
        live.shape,
        *inputs["input_ids"].shape,
        has_scores=attention == "eager",
        most_at_once=CPU_STACK if live.device.type == "cpu" else None,
    )


def _of_leaves(
    anatomy: Anatomy, walk: Walk, leaves: Sequence[int], order: Sequence[int], finish: Finish, stack: int
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """Norm and head of all leaves, a stack at a time."""
    numbers = (*order, *([ECHO] * (len(leaves) - len(order))))
    for start in range(0, len(leaves), stack):
        some = slice(start, start + stack)
        states = [walk.leaf(node) for node in leaves[some]]
        logits = finish(_head(anatomy, torch.cat(states)))
        yield numbers[some], logits.float().unflatten(0, (len(states), -1))


def _one_by_one(
    live: LiveModel, inputs: Inputs, skipsets: Sequence[SkipSet], rows: int, work: Work
) -> Iterator[tuple[tuple[int, ...], Tensor]]:
    """The same without sharing, for families whose layers hand each other more than hidden states."""
    work.executed = work.naive
    yield (FULL,), last_logits(live, inputs, rows).float()[None]
    for number, skipset in enumerate(skipsets):
        with skipping(live.model, live.anatomy, skipset):
            logits = last_logits(live, inputs, rows)
        yield (number,), logits.float()[None]


def last_logits(live: LiveModel, inputs: Inputs, rows: int) -> Tensor:
    """Logits of the last rows [batch, row, vocab]: the head sees no others."""
    with last_rows(live.anatomy, rows):
        logits: Tensor = live.model(**inputs, use_cache=False).logits
    return logits


@contextlib.contextmanager
def last_rows(anatomy: Anatomy, rows: int) -> Iterator[None]:
    """Let the head see no more than the last rows inside the block: logits of a whole prompt take room and time."""

    def last(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        return (args[0][:, -rows:], *args[1:])

    with anatomy.head.register_forward_pre_hook(last):  # a handle removes its hook on leaving
        yield


def _head(anatomy: Anatomy, state: Tensor) -> Tensor:
    return anatomy.head(anatomy.final_norm(state))  # type: ignore[no-any-return]


def finish_of(anatomy: Anatomy, state: Tensor, logits: Tensor) -> Finish:
    """What this family does after its head, tried on the trunk.

    Raises:
        UnknownFinishError: If it is nothing we know.
    """
    raw = _head(anatomy, state)
    config: Any = anatomy.decoder.config
    cap, scale = getattr(config, "final_logit_softcapping", None), getattr(config, "logit_scale", None)
    known: list[Finish] = [lambda x: x]
    if cap:
        known.append(lambda x: cap * torch.tanh(x / cap))
    if scale:
        known.append(lambda x: scale * x)
    near = 100 * torch.finfo(logits.dtype).eps * float(logits.abs().max())
    for finish in known:
        if raw.shape == logits.shape and float((finish(raw) - logits).abs().max()) < near:
            return finish
    raise UnknownFinishError


class UnknownFinishError(Exception):
    """A family does something to its logits that we do not know."""
