"""How many branches fit into a memory budget: sets are split into groups, and stacks of branches kept short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from skipit_nb.backend.trie.plan import Plan, plan_of
from skipit_nb.cost import ModelShape
from skipit_nb.errors import MemoryBudgetError
from skipit_nb.skipset import SkipSet

CPU_BUDGET = 2**30
"""Bytes that branches may take on a CPU unless asked otherwise."""
CPU_STACK = 2**26
"""Bytes of intermediate values up to which a larger batch is faster on a CPU; beyond, its caches are left behind."""
SHARE_OF_CARD = 0.5
"""Of a card's free memory, unless asked otherwise."""
FEWEST_ALIVE = 2
"""A single branch before and after a layer."""


@dataclass(frozen=True, slots=True)
class Room:
    """What a budget has room for, for prompts of one size."""

    alive: int
    """States of branches that may exist at once."""
    stack: int
    """Branches that may run as one batch."""


def default_budget(device: torch.device) -> int:
    """Bytes that branches may take."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return int(SHARE_OF_CARD * free)
    return CPU_BUDGET


def room_for(
    budget: int, shape: ModelShape, batch: int, seq: int, *, has_scores: bool, most_at_once: int | None = None
) -> Room:
    """Share a budget out: half of it for states, half for what a layer computes on the way.

    Args:
        budget: Bytes.
        most_at_once: Bytes that a stack may compute on the way, however large the budget.
        shape: The decoder.
        batch: Questions.
        seq: Positions.
        has_scores: Whether attention writes all its scores down (eager).

    Raises:
        MemoryBudgetError: If not even one branch fits.
    """
    state = batch * seq * shape.d_model * shape.bytes_per_value
    inside = batch * seq * (6 * shape.d_model + 3 * shape.d_ff) * shape.bytes_per_value
    if has_scores:
        inside += 2 * batch * shape.num_heads * seq * seq * 4
    needed = 2 * max(FEWEST_ALIVE * state, inside)
    if budget < needed:
        raise MemoryBudgetError(budget, needed)
    at_once = min(budget // 2, most_at_once or budget)
    return Room(budget // 2 // state, max(1, at_once // inside))


@lru_cache(maxsize=64)
def plans_within(skipsets: tuple[SkipSet, ...], alive: int, *, echo: bool) -> tuple[tuple[tuple[int, ...], Plan], ...]:
    """Plans that together cover all sets, each within so many states at once; with the sets' numbers.

    Neighbours in written order share most, so they stay together.
    """
    order = tuple(sorted(range(len(skipsets)), key=lambda i: skipsets[i]))
    return tuple(_split(skipsets, order, alive, echo=echo))


def _split(
    skipsets: tuple[SkipSet, ...], order: Sequence[int], alive: int, *, echo: bool
) -> list[tuple[tuple[int, ...], Plan]]:
    plan = plan_of([skipsets[i] for i in order], echo=echo)
    if plan.most_alive <= alive or len(order) == 1:
        return [(tuple(order), plan)]
    half = len(order) // 2
    return _split(skipsets, order[:half], alive, echo=echo) + _split(skipsets, order[half:], alive, echo=False)
