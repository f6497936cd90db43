"""Cross-modal flow as a picture: where the text reads the image."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import FLOW_LOOK
from skipit_nb.charts.paper import INK, WIDTH, Row, finished, layer_axis, layered, measured_on, rows, shaded
from skipit_nb.errors import SettingError
from skipit_nb.results import RedundancyProfile
from skipit_nb.skipset import SkipSet

QUERIES = {"last": "the last prompt token", "text": "the text tokens"}
"""Whose attention it is, in words."""


def flow_chart(profile: RedundancyProfile, skipset: SkipSet | str | None = None) -> alt.LayerChart:
    """The attention that the text pays to vision tokens (VAR), per layer. High = text reads the image.

    It is the last prompt token's, or that of all text tokens, as the profile was measured; the subtitle says which.

    The dashed line is the share a flat attention would give, vision keys / all keys: only above it does the text look
    at the image more than at anything else. The band is one standard deviation over questions to either side.

    Raises:
        SettingError: If the profile holds no flow.
    """
    title = "Where the text reads the image"
    picture, whose = flow_layers(profile, skipset), asking(profile)
    words = f"{title}: attention mass of {whose} on vision tokens (VAR) at each layer, 0 to 1."
    about = f"attention of {whose}: mean ± 1 standard deviation over questions; dashed: flat attention"
    return finished(picture, title, [measured_on(profile.provenance), about], words)


def asking(profile: RedundancyProfile) -> str:
    """Whose attention a profile with flow holds, in words."""
    query = profile.flow[0].query
    return QUERIES.get(query, query)


def flow_layers(
    profile: RedundancyProfile, skipset: SkipSet | str | None = None, *, has_heads: bool = False
) -> alt.LayerChart:
    """The marks of `flow_chart`, to be laid beside others; on request a faint tick for each head that was stored."""
    if not profile.flow:
        how = "session.profile(..., flow=True) on questions with images, of a model whose attention can be recomputed"
        raise SettingError("profile", profile, f"one with cross-modal flow: {how}")
    color = FLOW_LOOK.color
    title = ["VAR", "(high = text reads image)"]
    y = alt.Y("var:Q", title=title, scale=alt.Scale(domain=[0, 1]))
    base = rows(_rows(profile)).encode(x=layer_axis(profile.num_layers))
    band = base.mark_area(opacity=0.18, color=color).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    line = base.mark_line(strokeWidth=2, color=color).encode(y=y)
    tooltip = ["layer:Q", alt.Tooltip("var:Q", format=".3f"), alt.Tooltip("uniform:Q", format=".3f")]
    points = base.mark_point(filled=True, size=50, opacity=1, color=color, shape=FLOW_LOOK.shape).encode(
        y=y, tooltip=tooltip
    )
    flat = base.mark_line(strokeDash=[5, 4], strokeWidth=1.2, color=INK).encode(y="uniform:Q")
    heads = _heads(profile, title) if has_heads else []
    return layered(*shaded(skipset, profile.num_layers), band, *heads, flat, line, points)


def _heads(profile: RedundancyProfile, title: list[str]) -> list[alt.Chart]:
    """No marks where a result of an earlier version holds no heads."""
    values: list[Row] = [
        {"layer": row.layer, "head": number, "share": share}
        for row in profile.flow
        for number, share in enumerate(row.heads)
    ]
    if not values:
        return []
    width = min(14, 0.6 * WIDTH / profile.num_layers)
    ticks = rows(values).mark_tick(color=FLOW_LOOK.color, opacity=0.55, width=width, thickness=1.5, orient="horizontal")
    tooltip = ["layer:Q", "head:O", alt.Tooltip("share:Q", title="VAR", format=".3f")]
    y = alt.Y("share:Q", title=title, scale=alt.Scale(domain=[0, 1]))
    return [ticks.encode(x=layer_axis(profile.num_layers), y=y, tooltip=tooltip)]


def _rows(profile: RedundancyProfile) -> list[Row]:
    return [
        {
            "layer": row.layer,
            "var": row.var,
            "low": max(row.var - row.spread, 0.0),
            "high": min(row.var + row.spread, 1.0),
            "uniform": row.uniform,
        }
        for row in profile.flow
    ]
