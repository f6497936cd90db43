"""A whole redundancy profile as one picture: distance, tail and flow above one axis of layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import altair as alt

from skipit_nb.charts.distance import distance_layers
from skipit_nb.charts.flow import asking, flow_layers
from skipit_nb.charts.paper import finished, measured_on, panel, stacked
from skipit_nb.charts.tail import tail_layers
from skipit_nb.results import RedundancyProfile
from skipit_nb.skipset import SkipSet


def profile_chart(
    profile: RedundancyProfile,
    epsilon: float,
    tokens: Sequence[str] = ("vision", "text"),
    scale: Literal["linear", "log"] = "linear",
    skipset: SkipSet | str | None = None,
) -> alt.VConcatChart:
    """Three panels over the same layers: mean distance, P[d > ε] and cross-modal flow (left out if not measured).

    A layer that is low in all three meets the paper's conditions: the image's tokens hardly change there, and the
    text hardly reads them.

    Raises:
        SettingError: If ε is out of range, a kind of token did not occur, or the scale is neither.
    """
    panels = [
        panel(distance_layers(profile, tokens, scale, skipset), "Distance: how far each layer moves a token"),
        panel(
            tail_layers(profile, epsilon, tokens, skipset), f"Tail: share of tokens moved by more than ε = {epsilon:g}"
        ),
    ]
    if profile.flow:
        panels.append(panel(flow_layers(profile, skipset), f"Flow: attention of {asking(profile)} on the image"))
    title = "Where the model is redundant"
    words = f"{title}, per layer: mean distance, tail probability at ε = {epsilon:g}, and cross-modal flow."
    picture = stacked(*panels, x="shared")
    return finished(picture, title, [measured_on(profile.provenance)], words)
