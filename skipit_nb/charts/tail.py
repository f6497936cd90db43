"""Proximal redundancy as a picture: the share of tokens that a layer moves by more than ε."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt

from skipit_nb.charts.marks import COLORS, DASHES, DISTANCE_UNIT, check_tokens
from skipit_nb.charts.paper import HEIGHT, WIDTH, finished, layer_axis, layered, measured_on, rows, shaded, token_looks
from skipit_nb.errors import LayerIndexError, SettingError
from skipit_nb.results import EPSILONS, RedundancyProfile
from skipit_nb.skipset import SkipSet

MOST_CURVES = len(DASHES)
"""More dashes than these cannot be told apart."""


def tail_chart(
    profile: RedundancyProfile,
    epsilon: float,
    tokens: Sequence[str] = ("vision", "text"),
    skipset: SkipSet | str | None = None,
) -> alt.LayerChart:
    """A line per kind of token: the share of tokens that each layer moves by more than ε. Low = redundant.

    Args:
        profile: What was measured.
        epsilon: The threshold on d = 1 - cos, above 0 and at most 2; taken up to the next value of the stored grid.
        tokens: Kinds of tokens to draw: some of "vision", "text", "first".
        skipset: Layers to shade.

    Raises:
        SettingError: If ε is out of range, or a kind of token did not occur.
    """
    title = f"Share of tokens moved by more than ε = {epsilon:g}"
    words = f"{title} at each layer: P[d > ε], 0 to 1, low is redundant. d = {DISTANCE_UNIT}."
    picture = tail_layers(profile, epsilon, tokens, skipset)
    return finished(picture, title, [measured_on(profile.provenance)], words)


def tail_layers(
    profile: RedundancyProfile, epsilon: float, tokens: Sequence[str], skipset: SkipSet | str | None = None
) -> alt.LayerChart:
    """The marks of `tail_chart`, to be laid beside others."""
    check_tokens(tokens)
    values = [
        {"layer": layer, "tokens": kind, "tail": tail}
        for kind in tokens
        for layer, tail in enumerate(profile.tails(epsilon, kind))
    ]
    looks = token_looks(tokens)
    y = alt.Y("tail:Q", title=["P[d > ε]", "(low = redundant)"], scale=alt.Scale(domain=[0, 1]))
    base = rows(values).encode(x=layer_axis(profile.num_layers), y=y, color=looks["color"])
    line = base.mark_line(strokeWidth=2).encode(strokeDash=looks["strokeDash"])
    tooltip = ["layer:Q", "tokens:N", alt.Tooltip("tail:Q", format=".3f")]
    points = base.mark_point(filled=True, size=45, opacity=1).encode(shape=looks["shape"], tooltip=tooltip)
    return layered(*shaded(skipset, profile.num_layers), line, points)


def tail_curve_chart(profile: RedundancyProfile, layers: Sequence[int], tokens: str = "vision") -> alt.Chart:
    """A curve per layer: the share of tokens moved by more than ε, for every ε. Further left and lower = redundant.

    Args:
        profile: What was measured.
        layers: One to six layers.
        tokens: The kind of token.

    Raises:
        SettingError: If there are no layers or too many.
        LayerIndexError: If one is not there.
    """
    if not 1 <= len(layers) <= MOST_CURVES:
        raise SettingError("layers", list(layers), f"1 to {MOST_CURVES} layers")
    for layer in layers:
        if not 0 <= layer < profile.num_layers:
            raise LayerIndexError(layer, profile.num_layers)
    measured = profile.of(tokens)
    values = [
        {"layer": str(layer), "epsilon": epsilon, "tail": tail}
        for layer in layers
        for epsilon, tail in zip(EPSILONS, measured[layer].tail, strict=True)
    ]
    title = f"Share of {tokens} tokens moved by more than ε, for every ε"
    words = f"{title}, at layers {', '.join(map(str, layers))}. Lower is more redundant."
    marks = rows(values).mark_line(strokeWidth=2).properties(width=WIDTH, height=HEIGHT)
    picture: alt.Chart = marks.encode(x=_epsilon_axis(), y=_share_axis(), **_curves(layers))
    return finished(picture, title, [measured_on(profile.provenance)], words)


def _epsilon_axis() -> alt.X:
    scale = alt.Scale(type="log", domain=[EPSILONS[0], EPSILONS[-1]], nice=False)
    axis = alt.Axis(values=[1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1], format="~g")
    return alt.X("epsilon:Q", title=f"ε, in {DISTANCE_UNIT}", scale=scale, axis=axis)


def _share_axis() -> alt.Y:
    return alt.Y("tail:Q", title=["P[d > ε]", "(low = redundant)"], scale=alt.Scale(domain=[0, 1]))


def _curves(layers: Sequence[int]) -> dict[str, alt.Color | alt.StrokeDash]:
    domain = [str(layer) for layer in layers]
    color = alt.Scale(domain=domain, range=list(COLORS[: len(domain)]))
    dash = alt.Scale(domain=domain, range=[list(dash) for dash in DASHES[: len(domain)]])
    return {
        "color": alt.Color("layer:N", title="layer", scale=color),
        "strokeDash": alt.StrokeDash("layer:N", title="layer", scale=dash),
    }
