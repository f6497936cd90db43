"""Which sweep a skip set belongs to: late entry at k, early exit at k, or one action at one layer. No Altair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skipit_nb.skipset import MODALITIES, SkipSet


@dataclass(frozen=True, slots=True)
class Place:
    """Where a skip set stands in a sweep."""

    family: str
    """Such as "late entry" or "whole, one layer"."""
    k: int
    """Boundary of entry or exit, or the layer."""


def places(skipsets: Sequence[SkipSet]) -> list[Place] | None:
    """The place of each bound skip set, or None if one belongs to no family.

    The empty set is late entry at 0 and early exit after the last layer, and with vision absent everywhere it is the
    other way round: both join the family of the set that stands nearest.
    """
    choices = [_choices(skipset) for skipset in skipsets]
    if not choices or not all(choices):
        return None
    clear = {at: options[0].family for at, options in enumerate(choices) if len(options) == 1}
    found = []
    for at, options in enumerate(choices):
        nearest = clear[min(clear, key=lambda other: abs(other - at))] if clear else ""
        found.append(next((place for place in options if place.family == nearest), options[0]))
    return found


def _choices(skipset: SkipSet) -> list[Place]:
    """Every place a skip set could take."""
    count = len(skipset.head)
    absent = len(skipset.layers("absent", "vision"))
    options = []
    if skipset == SkipSet.late_entry(absent, num_layers=count):
        options.append(Place("late entry", absent))
    if skipset == SkipSet.early_exit(count - absent, num_layers=count):
        options.append(Place("early exit", count - absent))
    return options or _single(skipset)


def _single(skipset: SkipSet) -> list[Place]:
    """The place of a set that does one thing at one layer only."""
    acting = [
        layer for layer in range(len(skipset.head)) if any(skipset.action(layer, name) != "run" for name in MODALITIES)
    ]
    if len(acting) != 1 or ";" in str(skipset):
        return []
    action, _, _ = str(skipset).rpartition(" ")
    return [Place(f"{action}, one layer", acting[0])]
