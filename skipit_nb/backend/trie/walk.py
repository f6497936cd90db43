"""All branches of a plan carried along one forward pass of the model.

The model runs as it is; that is the trunk. Whenever one of its layers has run, the branches pass the same layer, with
the same positions and masks, those with the same actions as one batch. So a family's own way to call its layers is
never rebuilt here, and the vision tower runs once. Behind the last layer nobody looks at any row but the last ones, so
there the branches run those alone: all layers before are shared by some sets, but all sets pass this one.

Shapes: batch, seq, d_model; a stack is [branches * batch, seq, d_model].
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.forward_pass import ForwardPass
from skipit_nb.backend.live.limits import limits, takes_masks
from skipit_nb.backend.live.skipping import acting
from skipit_nb.backend.trie.plan import TRUNK, Group, Plan
from skipit_nb.skipset import SkipSet

Call = tuple[tuple[Any, ...], dict[str, Any]]
"""What a layer was called with beside the hidden states."""


def can_walk(anatomy: Anatomy) -> bool:
    """Whether layers hand each other nothing but hidden states, so that branches can pass them one by one."""
    return anatomy.has_vision_rows and not any(map(anatomy.reads_other_keys, range(len(anatomy.layers))))


class Walk:
    """The states of all branches, from layer to layer of one forward pass."""

    def __init__(self, anatomy: Anatomy, plan: Plan, vision: Tensor, *, rows: int, stack: int) -> None:
        """Prepare to walk.

        Args:
            anatomy: Of the model.
            plan: What to do at which layer.
            vision: [batch, seq] the prompts' vision rows.
            rows: How many last rows to keep of every leaf.
            stack: Most branches that run as one batch.
        """
        self._anatomy, self._plan, self._rows, self._stack = anatomy, plan, rows, stack
        self._vision = vision
        self._ends = _only_last_rows(anatomy)
        self._states: dict[int, Tensor] = {}
        self._trunk: Tensor | None = None
        self._stacked: dict[int, _Stack] = {}
        self.executed = 0
        """Layers run, the trunk's included; a layer that passes states on is not one."""

    @contextlib.contextmanager
    def along(self) -> Iterator[None]:
        """Walk along the one forward pass, without a cache, inside the block."""
        with contextlib.ExitStack() as undo:
            for index, layer in enumerate(self._anatomy.layers):
                undo.callback(layer.register_forward_hook(self._hook(index), with_kwargs=True).remove)
            yield

    def leaf(self, node: int) -> Tensor:
        """A leaf's last rows, before the final norm: [batch, rows, d_model]."""
        return self._states[node]

    def _hook(self, index: int) -> Callable[..., None]:
        def hook(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Tensor) -> None:
            hidden, *others = args
            self._follow_injections(index, hidden)
            self._states = self._after(index, hidden, (tuple(others), kwargs))
            self._trunk = out
            self.executed += 1
            if index == len(self._anatomy.layers) - 1:
                leaves = {TRUNK: out} | self._states
                self._states = {node: state[:, -self._rows :].clone() for node, state in leaves.items()}
                self._stacked, self._trunk = {}, None

        return hook

    def _follow_injections(self, index: int, hidden: Tensor) -> None:
        """Add to every branch what the model added to the trunk between two layers (DeepStack)."""
        if self._trunk is None or index - 1 > self._anatomy.last_injection:
            return
        added = hidden - self._trunk
        self._states = {node: state + added for node, state in self._states.items()}

    def _after(self, index: int, hidden: Tensor, call: Call) -> dict[int, Tensor]:
        """Every branch's state after a layer."""
        before = {TRUNK: hidden} | {node: state.to(hidden.device) for node, state in self._states.items()}
        after: dict[int, Tensor] = {}
        for group in self._plan.levels[index]:
            if not group.computes:
                after |= {child: before[parent] for parent, child in group.edges}
                continue
            for start in range(0, len(group.edges), self._stack):
                edges = group.edges[start : start + self._stack]
                states = self._run(index, group, [before[parent] for parent, _ in edges], call)
                after |= {child: state for (_, child), state in zip(edges, states, strict=True)}
        return after

    def _run(self, index: int, group: Group, states: Sequence[Tensor], call: Call) -> Sequence[Tensor]:
        """Run a layer on a stack of branches with the same actions."""
        self.executed += len(states)
        stack = self._stacked.setdefault(len(states), _Stack(self._anatomy, len(states), self._vision, self._rows))
        args, kwargs = call
        layer = self._anatomy.layers[index]
        skipset, passing = group.skipset, stack.passing
        if index == len(self._anatomy.layers) - 1 and group.is_plain and self._ends is not None:
            skipset, passing = self._ends, stack.at_the_end
        with acting(self._anatomy, skipset, index, passing):
            out = layer.forward(torch.cat(list(states)), *stack.of(args), **stack.of(kwargs))
        return out.unflatten(0, (len(states), -1)).unbind(0)  # type: ignore[no-any-return]


def _only_last_rows(anatomy: Anatomy) -> SkipSet | None:
    """What leaves all but some rows of the last layer as they are; None where the layer cannot run so."""
    skipset = SkipSet.freeze(len(anatomy.layers) - 1, num_layers=len(anatomy.layers))
    return None if any(limits(anatomy, skipset)) or not takes_masks(anatomy) else skipset


class _Stack:
    """What a stack of so many branches needs again at every layer: repeated arguments, rows, masks."""

    def __init__(self, anatomy: Anatomy, branches: int, vision: Tensor, rows: int) -> None:
        self.passing = ForwardPass(anatomy, vision=vision.repeat(branches, 1))
        not_asked_for = torch.ones_like(vision)
        not_asked_for[:, -rows:] = False
        self.at_the_end = ForwardPass(anatomy, vision=not_asked_for.repeat(branches, 1))
        """A pass in which the rows that nobody asked for stand where vision rows do."""
        self._branches = branches
        self._batch, self._seq = vision.shape
        self._made: dict[int, tuple[Tensor, Tensor]] = {}

    def of(self, value: Any) -> Any:
        """`value` with every tensor that has one entry a sequence repeated for every branch."""
        if isinstance(value, tuple | list):
            return type(value)(self.of(item) for item in value)
        if isinstance(value, dict):
            return {name: self.of(item) for name, item in value.items()}
        if not isinstance(value, Tensor) or (axis := self._batch_axis(value)) is None:
            return value
        if id(value) not in self._made:
            repeats = [1] * value.dim()
            repeats[axis] = self._branches
            self._made[id(value)] = (value, value.repeat(repeats))
        return self._made[id(value)][1]

    def _batch_axis(self, value: Tensor) -> int | None:
        """The axis of a tensor that counts sequences; None where all share one entry, which broadcasts.

        It is the first one, but the second where M-RoPE's three axes stand before it: states and tables
        [3, batch, seq, d], ids [3, batch, seq]. A mask [batch, 1, seq, keys] has a 1 there.
        """
        if self._branches == 1 or self._batch == 1 or value.dim() == 0:
            return None
        leads = value.dim() == (4 if value.is_floating_point() else 3) and value.shape[1:3] == (self._batch, self._seq)
        if leads and value.shape[1] != 1:
            return 1
        return 0 if value.shape[0] == self._batch else None
