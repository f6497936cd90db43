"""Geometric redundancy as a picture: mean distance per layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt

from skipit_nb.charts.log_axis import LOG_FLOOR, below_floor, decades
from skipit_nb.charts.marks import DISTANCE_UNIT, check_tokens
from skipit_nb.charts.paper import Row, finished, layer_axis, layered, measured_on, rows, shaded, token_looks
from skipit_nb.errors import SettingError
from skipit_nb.results import RedundancyProfile
from skipit_nb.skipset import SkipSet

Scale = Literal["linear", "log"]


def distance_chart(
    profile: RedundancyProfile,
    tokens: Sequence[str] = ("vision", "text"),
    scale: Scale = "linear",
    skipset: SkipSet | str | None = None,
) -> alt.LayerChart:
    """A line per kind of token: how far each layer turns it. Low = redundant.

    You see the mean distance d = 1 - cos between a token's state before and after each layer, in a band of one
    standard deviation over questions to either side. Skipped layers are shaded and named.

    Args:
        profile: What was measured.
        tokens: Kinds of tokens to draw: some of "vision", "text", "first".
        scale: "linear", or "log" where distances differ by orders of magnitude. A log axis has no zero: what lies
            below 2e-6 is drawn at 2e-6.
        skipset: Layers to shade.

    Raises:
        SettingError: If a kind of token did not occur, or the scale is neither.
    """
    title = "How far each layer moves a token"
    words = f"{title}: mean distance d = {DISTANCE_UNIT}, 0 to 2, low is redundant. {_extremes(profile, tokens)}"
    drawn = "mean ± 1 standard deviation over questions"
    if scale == "log":
        drawn += below_floor(row.distance for kind in tokens for row in profile.of(kind))
    subtitle = [measured_on(profile.provenance), drawn]
    return finished(distance_layers(profile, tokens, scale, skipset), title, subtitle, words)


def distance_layers(
    profile: RedundancyProfile, tokens: Sequence[str], scale: Scale = "linear", skipset: SkipSet | str | None = None
) -> alt.LayerChart:
    """The marks of `distance_chart`, to be laid beside others."""
    check_tokens(tokens)
    if scale not in ("linear", "log"):
        raise SettingError("scale", scale, "'linear' or 'log'")
    looks = token_looks(tokens)
    values = distance_rows(profile, tokens, scale)
    base = rows(values).encode(x=layer_axis(profile.num_layers), color=looks["color"])
    title = [f"distance d = {DISTANCE_UNIT}", "(low = redundant)"]
    # By the lines: a band that reaches to 0 is cut off.
    axis = decades([row["distance"] for row in values]) if scale == "log" else {}
    y = alt.Y("distance:Q", title=title, **axis)
    band = base.mark_area(opacity=0.18, clip=True).encode(y=alt.Y("low:Q", title=title, **axis), y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=y, strokeDash=looks["strokeDash"])
    tooltip = ["layer:Q", "tokens:N", alt.Tooltip("distance:Q", format=".4g"), alt.Tooltip("spread:Q", format=".4g")]
    points = base.mark_point(filled=True, size=45, opacity=1).encode(y=y, shape=looks["shape"], tooltip=tooltip)
    return layered(*shaded(skipset, profile.num_layers), band, line, points)


def distance_rows(profile: RedundancyProfile, tokens: Sequence[str], scale: Scale = "linear") -> list[Row]:
    """One row per layer and kind of token: layer, tokens, distance, spread, and the band's ends low and high."""
    floor = LOG_FLOOR if scale == "log" else 0.0
    return [
        {
            "layer": row.layer,
            "tokens": kind,
            "distance": max(row.distance, floor),
            "spread": row.spread,
            "low": max(row.distance - row.spread, floor),
            "high": max(row.distance + row.spread, floor),
        }
        for kind in tokens
        for row in profile.of(kind)
    ]


def _extremes(profile: RedundancyProfile, tokens: Sequence[str]) -> str:
    """Where each line is lowest and highest, in words."""
    sentences = []
    for kind in tokens:
        low, *_, high = sorted(profile.of(kind), key=lambda row: row.distance)
        sentences.append(
            f"{kind} tokens: lowest at layer {low.layer} ({low.distance:.4g}), "
            f"highest at layer {high.layer} ({high.distance:.4g})."
        )
    return " ".join(sentences)
