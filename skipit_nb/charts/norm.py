"""What a cosine cannot see, as a picture: how long states are, and how much each layer adds to them."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from skipit_nb.charts.marks import check_tokens
from skipit_nb.charts.paper import (
    Row,
    finished,
    layer_axis,
    layered,
    measured_on,
    panel,
    rows,
    shaded,
    stacked,
    token_looks,
)
from skipit_nb.results import RedundancyProfile
from skipit_nb.skipset import SkipSet

FLOOR = 1e-6
"""A log axis has no zero: what lies below is drawn here."""
PANELS = {
    "norm": ("Norm: length of the state before each layer", "length"),
    "update": ("Update: what the layer adds, as a share of that length", "‖after \N{MINUS SIGN} before‖ / ‖before‖"),
}


def norm_chart(
    profile: RedundancyProfile,
    tokens: Sequence[str] = ("vision", "text", "first"),
    skipset: SkipSet | str | None = None,
) -> alt.VConcatChart:
    """Two panels over the same layers, logarithmic: how long states are, and how much each layer changes them.

    A layer that writes a massive activation, most often into the first token, stands out here: its update is large and
    the norm jumps behind it, where its distance may be as small as its neighbours'. Skipping such a layer tends to
    break a model, whatever the distance says.

    Args:
        profile: What was measured.
        tokens: Kinds of tokens to draw: some of "vision", "text", "first", or kinds whose rows were given by hand.
        skipset: Layers to shade.

    Raises:
        SettingError: If a kind of token did not occur.
    """
    check_tokens(tokens)
    values = norm_rows(profile, tokens)
    panels = [panel(_lines(profile, values, name, tokens, skipset), heading) for name, (heading, _) in PANELS.items()]
    title = "What a cosine cannot see: lengths"
    picture = stacked(*panels, x="shared")
    subtitle = [measured_on(profile.provenance), f"means over questions; below {FLOOR:g} drawn at {FLOOR:g}"]
    return finished(picture, title, subtitle, f"{title}, per layer. {_jumps(profile, tokens)}")


def norm_rows(profile: RedundancyProfile, tokens: Sequence[str]) -> list[Row]:
    """One row per layer and kind of token: layer, tokens, norm and update."""
    return [
        {"layer": row.layer, "tokens": kind, "norm": max(row.norm, FLOOR), "update": max(row.update, FLOOR)}
        for kind in tokens
        for row in profile.of(kind)
    ]


def _lines(
    profile: RedundancyProfile, values: list[Row], field: str, tokens: Sequence[str], skipset: SkipSet | str | None
) -> alt.LayerChart:
    looks = token_looks(tokens)
    axis = alt.Axis(values=[10.0**n for n in range(-6, 9)], format="~g")
    y = alt.Y(f"{field}:Q", title=PANELS[field][1], scale=alt.Scale(type="log"), axis=axis)
    base = rows(values).encode(x=layer_axis(profile.num_layers), y=y, color=looks["color"])
    line = base.mark_line(strokeWidth=2).encode(strokeDash=looks["strokeDash"])
    tooltip = ["layer:Q", "tokens:N", alt.Tooltip(f"{field}:Q", format=".4g")]
    points = base.mark_point(filled=True, size=45, opacity=1).encode(shape=looks["shape"], tooltip=tooltip)
    return layered(*shaded(skipset, profile.num_layers), line, points)


def _jumps(profile: RedundancyProfile, tokens: Sequence[str]) -> str:
    """The layer that adds most to each kind of token, in words."""
    most = {kind: max(profile.of(kind), key=lambda row: row.update) for kind in tokens}
    return " ".join(
        f"{kind}: layer {row.layer} adds most ({row.update:.3g} times its length)." for kind, row in most.items()
    )
