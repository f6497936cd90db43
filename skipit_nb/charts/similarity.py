"""Similarity of states before and after each layer as a picture, beside what unrelated states would score."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.marks import COLORS
from skipit_nb.charts.paper import FAINT, finished, layer_axis, layered, measured_on, rows
from skipit_nb.results import Similarity

NAMES = {"cka": "Debiased linear CKA", "svcca": "SVCCA"}


def similarity_chart(similarity: Similarity) -> alt.LayerChart:
    """A line over layers: how much of the arrangement of states each leaves as it was. High = redundant.

    The dashed line is what shuffled pairs score: at or below it, the states have nothing in common. Layers whose states
    do not vary have no point.
    """
    name, count = NAMES.get(similarity.metric, similarity.metric), similarity.provenance.num_layers
    values = [
        {"layer": row.layer, "value": row.value, "chance": row.chance}
        for row in similarity.layers
        if row.value is not None
    ]
    title = f"{name} of the states before and after each layer"
    y_title = [name, "(high = redundant)"]
    # Debiased CKA of unrelated states can fall a little below 0.
    least = min([0.0, *(end for row in values for end in (row["value"], row["chance"]) if end is not None)])
    scale = alt.Scale(domain=[least, 1])
    y = alt.Y("value:Q", title=y_title, scale=scale)
    base = rows(values).encode(x=layer_axis(count))
    line = base.mark_line(strokeWidth=2, color=COLORS[0]).encode(y=y)
    tooltip = ["layer:Q", alt.Tooltip("value:Q", format=".4f"), alt.Tooltip("chance:Q", format=".4f")]
    points = base.mark_point(filled=True, size=45, opacity=1, color=COLORS[0]).encode(y=y, tooltip=tooltip)
    known = [row for row in values if row["chance"] is not None]
    chance = rows(known).mark_line(strokeDash=[5, 4], strokeWidth=1.2, color=FAINT)
    dashed = chance.encode(x=layer_axis(count), y=alt.Y("chance:Q", title=y_title, scale=scale))
    about = f"{similarity.tokens} tokens, {similarity.view}, {similarity.num_states} states; dashed: shuffled pairs"
    words = f"{title}, of {similarity.tokens} tokens; 1 is the same arrangement, about 0 nothing in common."
    picture = layered(dashed, line, points)
    return finished(picture, title, [measured_on(similarity.provenance), about], words)
