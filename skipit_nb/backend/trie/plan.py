"""Which work many skip sets share: a tree of what happens layer after layer.

Two sets that treat every layer up to some boundary alike reach it in the same state. The tree has one node for each
such state; an edge is one layer run once. Node 0 is the trunk, the full model, which a forward pass computes anyway.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from skipit_nb.skipset import MODALITIES, SkipSet

TRUNK = 0

Actions = tuple[str, ...]
"""What a layer does with each modality."""


@dataclass(frozen=True, slots=True)
class Group:
    """Edges of one layer with the same actions: they can run as one batch."""

    skipset: SkipSet
    """A set with these actions at this layer."""
    computes: bool
    """Whether anything runs; False where the state passes on."""
    is_plain: bool
    """Whether everything runs."""
    edges: tuple[tuple[int, int], ...]
    """(node before the layer, node after it)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The tree of a list of skip sets."""

    levels: tuple[tuple[Group, ...], ...]
    """For each layer its groups; the trunk's own edge is not among them."""
    leaves: tuple[int, ...]
    """For each skip set the node it ends in."""
    naive: int
    """Layers that compute something if every set, and the full model, runs by itself."""

    @property
    def computing_edges(self) -> int:
        """Layers that compute something in the tree, the trunk's included: the fewest there can be."""
        return len(self.levels) + sum(len(group.edges) for level in self.levels for group in level if group.computes)

    @property
    def most_alive(self) -> int:
        """States beside the trunk that exist at once, at most: those before and after a layer."""
        counts = [0, *(sum(len(group.edges) for group in level) for level in self.levels)]
        return max(before + after for before, after in itertools.pairwise(counts))


def plan_of(skipsets: Sequence[SkipSet], *, echo: bool = False) -> Plan:
    """Make the tree of bound skip sets.

    Args:
        skipsets: All bound to the same number of layers.
        echo: Add a leaf that runs the full model once more, beside the trunk: how much it differs is the noise that
            batching alone makes. It is the last leaf.
    """
    depth = skipsets[0].num_layers or 0
    at = [TRUNK] * (len(skipsets) + echo)
    levels: list[tuple[Group, ...]] = []
    naive = depth
    for layer in range(depth):
        actions = [tuple(str(s.action(layer, modality)) for modality in MODALITIES) for s in skipsets]
        naive += sum(_computes(key) for key in actions)
        exemplars = dict(zip(actions, skipsets, strict=True))
        steps: dict[tuple[int, Actions, bool], int] = {}
        running = ("run",) * len(MODALITIES)
        for index, key in enumerate([*actions, *([running] * echo)]):
            is_echo = index == len(skipsets)
            if at[index] == TRUNK and key == running and not is_echo:
                continue
            at[index] = steps.setdefault((at[index], key, is_echo), len(steps) + 1)
        levels.append(_groups(steps, exemplars | {running: SkipSet.none(num_layers=depth)}))
    return Plan(tuple(levels), tuple(at), naive)


def _groups(steps: dict[tuple[int, Actions, bool], int], exemplars: dict[Actions, SkipSet]) -> tuple[Group, ...]:
    by_action: dict[Actions, list[tuple[int, int]]] = {}
    for (parent, key, _), child in steps.items():
        by_action.setdefault(key, []).append((parent, child))
    return tuple(
        Group(exemplars[key], _computes(key), set(key) == {"run"}, tuple(edges)) for key, edges in by_action.items()
    )


def _computes(actions: Actions) -> bool:
    return set(actions) != {"whole"}
