"""Informational redundancy as a picture: what boundaries tell and layers add, beside what chance gives."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.boundaries import boundary_axis
from skipit_nb.charts.marks import numbered_looks
from skipit_nb.charts.paper import FAINT, Row, finished, layered, measured_on, panel, rows, series_looks
from skipit_nb.results import Information

SIZE = (220, 150)
QUANTITIES = {
    "told": ["told, nats", "(high = informative)"],
    "added": ["added, nats", "(low = redundant)"],
}
"""What is drawn, with the title of its axis."""
FORMULAS = "told: I(X_l; Z), by boundary l · added: I(X_l; Z | X_l\N{MINUS SIGN}1), by the layer before it"
VIEWS = {"vision": "vision tokens, mean", "text": "text tokens, mean", "last": "last prompt token"}


def information_chart(information: Information) -> alt.VConcatChart:
    """A column per view: above what each boundary tells about the answer, below what the layer before it adds.

    A line per size of the codebook; the shading in its colour is what 95 % of shuffled answers stay below, so a line
    inside its own shading is nothing. Larger codebooks see more and find more by chance. All in nats.

    Source:
        The notion: Hartman et al., arXiv:2509.25584. Views, codes and nulls are ours.
    """
    views = [view for view in VIEWS if any(row.view == view for row in information.rows)]
    grid = [
        [_panel(information, quantity, view, has_title=view == views[0]) for view in views] for quantity in QUANTITIES
    ]
    picture = alt.vconcat(*(alt.hconcat(*row, spacing=14).resolve_scale(y="shared") for row in grid), spacing=18)
    title = "What the boundaries tell about the answer, and what layers add"
    counted = f"counted on {information.counted} questions, {len(information.answers)} answers"
    shaded = "shaded: what 95 % of shuffled answers stay below, for codes of the same colour"
    subtitle = [measured_on(information.provenance), FORMULAS, f"{counted}; {shaded}"]
    return finished(picture, title, subtitle, f"{title}, in nats. {_words(information, views)}")


def information_rows(information: Information, quantity: str, view: str) -> list[Row]:
    """One row per boundary and size of the codebook: boundary, codes, value, and null, the top of the shading."""
    return [
        {
            "boundary": row.boundary,
            "codes": f"{row.k} codes",
            "value": row.value,
            "null": max(row.null_high or 0.0, 0.0),
            "none": 0.0,
            "p": row.p,
            "distortion": row.distortion,
        }
        for row in information.rows
        if (row.quantity, row.view) == (quantity, view)
    ]


def _panel(information: Information, quantity: str, view: str, *, has_title: bool) -> alt.LayerChart:
    values = information_rows(information, quantity, view)
    looks = series_looks("codes", numbered_looks(list(dict.fromkeys(row["codes"] for row in values))))
    title = QUANTITIES[quantity] if has_title else None
    y = alt.Y("value:Q", title=title)
    axis = boundary_axis(information.provenance.num_layers, is_narrow=True)
    base = rows(values).encode(x=axis, color=looks["color"])
    chance = base.mark_area(opacity=0.2).encode(y=alt.Y("null:Q", title=title), y2="none:Q")
    line = base.mark_line(strokeWidth=2).encode(y=y, strokeDash=looks["strokeDash"])
    tooltip = ["boundary:Q", "codes:N", alt.Tooltip("value:Q", title="nats", format=".3f")]
    tooltip += [alt.Tooltip("p:Q", format=".3f"), alt.Tooltip("distortion:Q", format=".3g")]
    points = base.mark_point(filled=True, size=40, opacity=1).encode(y=y, shape=looks["shape"], tooltip=tooltip)
    zero = rows([{"value": 0}]).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(y=y)
    heading = VIEWS[view] if quantity == "told" else ""
    return panel(layered(zero, chance, line, points), heading, SIZE[1], SIZE[0])


def _words(information: Information, views: list[str]) -> str:
    """For the largest codebook, what the first and last boundary of each view tell."""
    k = max(row.k for row in information.rows)
    sentences = []
    for view in views:
        first, *_, last = information.of("told", view, k)
        sentences.append(f"{VIEWS[view]}, {k} codes: {first.value:.2f} at boundary 0, {last.value:.2f} at the last.")
    return " ".join(sentences)
