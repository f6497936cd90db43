"""A logarithmic axis: the decades it spans, and what becomes of distances too small for it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from skipit_nb.results import EPSILONS

LOG_FLOOR = EPSILONS[0]
"""A log axis has no zero: a distance that lies below is drawn here."""


def below_floor(distances: Iterable[float]) -> str:
    """What to say where some of these lie below the floor: "; below 2e-06 drawn at 2e-06"; "" where none does."""
    return f"; below {LOG_FLOOR:g} drawn at {LOG_FLOOR:g}" if min(distances, default=LOG_FLOOR) < LOG_FLOOR else ""


def decades(values: Sequence[float], **look: Any) -> dict[str, Any]:
    """Scale and axis from the decade below the smallest value to the one above the largest, labelled at each."""
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    scale = alt.Scale(type="log", domain=[10.0**low, 10.0**high], nice=False)
    axis = alt.Axis(values=[10.0**n for n in range(low, high + 1)], format="~g", **look)
    return {"scale": scale, "axis": axis}
