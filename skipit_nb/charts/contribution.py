"""What each layer contributes to the next token, as a picture: KL without it, in both directions."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import LOOKS, Look
from skipit_nb.charts.paper import (
    FAINT,
    Row,
    finished,
    layer_axis,
    layered,
    measured_on,
    panel,
    rows,
    series_looks,
    stacked,
)
from skipit_nb.results import Contribution

FLOOR = 1e-5
"""Nats. A log axis has no zero: what lies below is drawn here."""

SERIES = {
    "vision frozen": Look(LOOKS["vision"].color, "circle", (1, 0)),
    "vision absent": Look(LOOKS["vision"].color, "diamond", (6, 3)),
    "text frozen": Look(LOOKS["text"].color, "square", (1, 0)),
    "text absent": Look(LOOKS["text"].color, "triangle-up", (6, 3)),
}
ASIDE = {"frozen": -0.1, "absent": 0.1}
"""In layers. Where vision stands before the text and hears nothing of it, frozen and absent text fall into one."""
DIRECTIONS = {
    "kl_full_skipped": "KL(full ‖ skipped): large where the skipped model finds the full one's tokens unlikely",
    "kl_skipped_full": "KL(skipped ‖ full): large where it says what the full model finds unlikely",
}


def contribution_chart(contribution: Contribution) -> alt.VConcatChart:
    """A panel per direction of KL, a line per kind of token and action: how far the next token moves without a layer.

    Colour tells vision from text, dashes tell absent from frozen. The axis is logarithmic, in nats: low = redundant.
    What is below 1e-5 nats is drawn there. In half precision a dashed line shows what rounding alone gives.
    """
    values = contribution_rows(contribution)
    present = {row["series"] for row in values}
    looks = {name: look for name, look in SERIES.items() if name in present}
    panels = [
        panel(_lines(contribution, values, looks, direction), heading) for direction, heading in DIRECTIONS.items()
    ]
    title = "What each layer contributes to the next token"
    subtitle = [measured_on(contribution.provenance), f"mean over questions; below {FLOOR:g} nats drawn at {FLOOR:g}"]
    if contribution.noise_floor is not None:
        subtitle.append(f"dashed line: rounding alone, {contribution.noise_floor:.2g} nats")
    picture = stacked(*panels, x="shared", y="shared")
    words = f"{title}: KL of the next token when one layer is skipped for one kind of token, in nats, low is redundant."
    return finished(picture, title, subtitle, f"{words} {_extremes(contribution, looks)}")


def contribution_rows(contribution: Contribution) -> list[Row]:
    """One row per layer, kind of token and action: layer, at, a little aside of it, series, and both directions."""
    return [
        {
            "layer": row.layer,
            "at": row.layer + ASIDE.get(row.action, 0.0),
            "series": f"{row.tokens} {row.action}",
            "agreement": row.agreement,
            **{direction: max(getattr(row, direction), FLOOR) for direction in DIRECTIONS},
        }
        for row in contribution.rows
    ]


def _lines(contribution: Contribution, values: list[Row], look: dict[str, Look], direction: str) -> alt.LayerChart:
    looks = series_looks("series", look)
    axis = alt.Axis(values=[10.0**n for n in range(-5, 3)], format="~g")
    y = alt.Y(f"{direction}:Q", title=["nats", "(low = redundant)"], scale=alt.Scale(type="log"), axis=axis)
    base = rows(values).encode(x=layer_axis(contribution.provenance.num_layers, "at"), y=y, color=looks["color"])
    line = base.mark_line(strokeWidth=2).encode(strokeDash=looks["strokeDash"])
    tooltip = ["layer:Q", "series:N", alt.Tooltip(f"{direction}:Q", title="nats", format=".4g")]
    tooltip += [alt.Tooltip("agreement:Q", title="same next token", format=".1%")]
    points = base.mark_point(filled=True, size=45, opacity=1).encode(shape=looks["shape"], tooltip=tooltip)
    if contribution.noise_floor is None:
        return layered(line, points)
    noise = rows([{direction: max(contribution.noise_floor, FLOOR)}]).encode(y=y)
    return layered(noise.mark_rule(strokeDash=[5, 4], color=FAINT), line, points)


def _extremes(contribution: Contribution, looks: dict[str, Look]) -> str:
    """Where each line is highest, in words."""
    sentences = []
    for name in looks:
        most = max(contribution.of(*name.split()), key=lambda row: row.kl_full_skipped)
        sentences.append(f"{name}: most at layer {most.layer} ({most.kl_full_skipped:.3g}).")
    return " ".join(sentences)
