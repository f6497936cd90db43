"""Axes for what is measured at boundaries, and for layers that stand between two of them."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import tick_step

BOUNDARY = "boundary (0: before layer 0; l: after layer l \N{MINUS SIGN} 1)"


def boundary_axis(num_layers: int, *, is_narrow: bool = False) -> alt.X:
    """The x axis of boundaries 0 to `num_layers`. A narrow panel has fewer labels, and a short title."""
    step = tick_step(num_layers * 3 if is_narrow else num_layers)
    axis = alt.Axis(values=list(range(0, num_layers + 1, step)), format="d", grid=False)
    scale = alt.Scale(domain=[-0.5, num_layers + 0.5], nice=False)
    return alt.X("boundary:Q", title="boundary" if is_narrow else BOUNDARY, axis=axis, scale=scale)


def between_axis(num_layers: int, field: str = "layer") -> alt.X:
    """The x axis of layers, each in the middle between its boundaries in a panel above with `boundary_axis`."""
    axis = alt.Axis(values=list(range(0, num_layers, tick_step(num_layers))), format="d", grid=False)
    return alt.X(f"{field}:Q", title="layer", axis=axis, scale=alt.Scale(domain=[-1, num_layers], nice=False))
