"""Where a skip set skips, as bands to shade: the words a picture prints over its layers. No Altair."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from skipit_nb.skipset import MODALITIES, SkipSet


@dataclass(frozen=True, slots=True)
class SkippedBand:
    """Consecutive layers at which the same thing is skipped."""

    start: int
    """First layer."""
    stop: int
    """One after the last layer."""
    label: str
    """Such as "vision absent" or "whole"."""


def skipped_bands(skipset: SkipSet | str | None, num_layers: int) -> tuple[SkippedBand, ...]:
    """The bands of a skip set, in order; none if it is None or empty.

    Raises:
        SkipSetSyntaxError: If a text is none.
        LayerIndexError: If the set names a layer beyond `num_layers`.
        LayerCountError: If the set is bound to another number of layers.
    """
    bound = SkipSet.of(skipset, num_layers=num_layers)
    bands = []
    for label, layers in groupby(range(num_layers), key=lambda layer: _label(bound, layer)):
        together = list(layers)
        if label:
            bands.append(SkippedBand(together[0], together[-1] + 1, label))
    return tuple(bands)


def _label(skipset: SkipSet, layer: int) -> str:
    """What is skipped at one layer, in words; "" if nothing is."""
    actions = {modality: skipset.action(layer, modality) for modality in MODALITIES}
    if len(set(actions.values())) == 1:
        action = actions[MODALITIES[0]]
        return "" if action == "run" else action
    return ", ".join(f"{modality} {action}" for modality, action in actions.items() if action != "run")
