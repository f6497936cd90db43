"""Random skip sets that cost what a given one costs: what a method must beat."""

from __future__ import annotations

import random
from itertools import groupby

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.selection.calibration import is_supported
from skipit_nb.cost import usual_cost
from skipit_nb.errors import SettingError
from skipit_nb.skipset import SkipSet
from skipit_nb.skipset.cells import RUN, Cell

TRIES_PER_CONTROL = 200
SAME_COST = 0.01
"""Controls differ by at most this share of FLOPs: layers of one model may differ in size."""


def controls(live: LiveModel, skipset: SkipSet, *, count: int, seed: int, contiguous: bool) -> tuple[SkipSet, ...]:
    """Draw sets that do the same to other layers: as many of each action, at the same predicted FLOPs.

    The layers' actions are shuffled. Every set is another one and none is `skipset`; where the model has fewer, fewer
    come back.

    Args:
        live: The model; sets that it cannot run are drawn again.
        skipset: Bound, and skipping something.
        count: How many.
        seed: Of the drawing.
        contiguous: Keep every band of equal actions together, so that a late entry is matched with other bands of
            its length.

    Raises:
        SettingError: If the count is below 1, or the set skips nothing.
    """
    if count < 1 or skipset.is_empty:
        name, value = ("count", count) if count < 1 else ("skipset", str(skipset))
        raise SettingError(name, value, "at least 1" if count < 1 else "a set that skips something")
    draw = random.Random(seed)  # noqa: S311  a draw of layers, not a secret
    pieces, found = _pieces(skipset, contiguous=contiguous), dict[SkipSet, None]()
    wanted = usual_cost(live.shape, skipset).flops_prefill
    for _ in range(TRIES_PER_CONTROL * count):
        draw.shuffle(pieces)
        other = type(skipset)(tuple(cell for piece in pieces for cell in piece), num_layers=skipset.num_layers)
        if other == skipset or other in found or not is_supported(live, other):
            continue
        if abs(usual_cost(live.shape, other).flops_prefill / wanted - 1) <= SAME_COST:
            found[other] = None
        if len(found) == count:
            break
    return tuple(found)


def _pieces(skipset: SkipSet, *, contiguous: bool) -> list[list[Cell]]:
    """The layers' actions, one a piece; with `contiguous` every band of one action is a piece."""
    bands = [list(band) for _, band in groupby(skipset.head)]
    return [
        piece for band in bands for piece in ([band] if contiguous and band[0] != RUN else [[cell] for cell in band])
    ]
