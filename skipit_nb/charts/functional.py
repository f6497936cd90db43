"""Functional redundancy as a picture: the risk of the best reader at each boundary, its fall, and the chain test."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.boundaries import between_axis, boundary_axis
from skipit_nb.charts.marks import VIEW_LOOKS
from skipit_nb.charts.paper import FAINT, INK, WIDTH, Row, finished, layered, measured_on, panel, rows, series_looks
from skipit_nb.results import Functional

ROOM = 0.26
"""Layers from the mark of one view to that of the next, so that intervals do not hide each other."""


def functional_chart(functional: Functional) -> alt.VConcatChart:
    """Three panels: the log loss of a reader of each boundary, what each layer gains it, and whether they are a chain.

    A layer stands between its two boundaries. Its gap is the fall of the log loss from one to the other, with a 95 %
    interval paired by image: near 0 = redundant for this family of readers. Below, the nats that reading the boundary
    before as well would save: an interval above 0 speaks against the chain X_{l-1} → X_l → Z, for that view.
    """
    present = [view for view in VIEW_LOOKS if any(row.view == view for row in functional.rows)]
    gaps = "What each layer gains the reader: fall of the log loss, 95 % interval (near 0 = redundant)"
    chain = "Chain test: nats saved by reading the boundary before as well, 95 % interval (above 0: no chain)"
    panels = [
        panel(_risks(functional, present), "Risk: log loss of the reader at each boundary (dashed: it sees nothing)"),
        panel(_intervals(functional, present, "gap", ["loss before \N{MINUS SIGN} loss after,", "nats"]), gaps),
        panel(_intervals(functional, present, "chain", "nats"), chain),
    ]
    title = "How well a reader tells the answer, and what each layer gains it"
    subtitle = [measured_on(functional.provenance), f"reader: {functional.family}"]
    picture = alt.vconcat(*panels, spacing=18)
    return finished(picture, title, subtitle, f"{title}, in nats. {_words(functional, present)}")


def functional_rows(functional: Functional, views: list[str], quantity: str) -> list[Row]:
    """One row per layer and view: layer, at (aside, so that views stand side by side), value, low and high, p.

    `quantity` is "gap" or "chain". The row of boundary l is about layer l - 1; boundary 0 has none.
    """
    names = {"gap": ("gap", "gap_low", "gap_high"), "chain": ("chain_gain", "chain_low", "chain_high")}[quantity]
    found: list[Row] = []
    for number, view in enumerate(views):
        aside = (number - (len(views) - 1) / 2) * ROOM
        for row in functional.of(view):
            value, low, high = (getattr(row, name) for name in names)
            if value is not None:
                layer = row.boundary - 1
                ends = {"value": value, "low": low, "high": high, "p": row.chain_p}
                found.append({"layer": layer, "at": layer + aside, "view": view} | ends)
    return found


def _risks(functional: Functional, views: list[str]) -> alt.LayerChart:
    values = [
        {"boundary": row.boundary, "view": row.view, "loss": row.log_loss, "error": row.error}
        for view in views
        for row in functional.of(view)
    ]
    looks = series_looks("view", {view: VIEW_LOOKS[view] for view in views})
    y = alt.Y("loss:Q", title=["log loss, nats", "(low = it tells)"])
    base = rows(values).encode(x=boundary_axis(functional.provenance.num_layers), y=y, color=looks["color"])
    line = base.mark_line(strokeWidth=2).encode(strokeDash=looks["strokeDash"])
    tooltip = ["boundary:Q", "view:N", alt.Tooltip("loss:Q", format=".3f"), alt.Tooltip("error:Q", format=".1%")]
    points = base.mark_point(filled=True, size=45, opacity=1).encode(shape=looks["shape"], tooltip=tooltip)
    blind = rows([{"loss": functional.blind_log_loss, "words": f"{functional.blind_log_loss:.2f}"}]).encode(y=y)
    named = blind.mark_text(align="left", dx=4, color=INK, fontSize=10).encode(x=alt.value(WIDTH), text="words:N")
    return layered(blind.mark_rule(strokeDash=[5, 4], color=FAINT), named, line, points)


def _intervals(functional: Functional, views: list[str], quantity: str, title: str | list[str]) -> alt.LayerChart:
    looks = series_looks("view", {view: VIEW_LOOKS[view] for view in views})
    x = between_axis(functional.provenance.num_layers, "at")
    base = rows(functional_rows(functional, views, quantity)).encode(x=x, color=looks["color"])
    y = alt.Y("value:Q", title=title)
    interval = base.mark_rule(strokeWidth=1.5).encode(y=alt.Y("low:Q", title=title), y2="high:Q")
    tooltip = ["layer:Q", "view:N", alt.Tooltip("value:Q", title="nats", format="+.4f")]
    tooltip += [alt.Tooltip("p:Q", title="p of the chain", format=".3f")] if quantity == "chain" else []
    size = min(40, 640 / functional.provenance.num_layers)
    points = base.mark_point(filled=True, size=size, opacity=1).encode(y=y, shape=looks["shape"], tooltip=tooltip)
    zero = rows([{"value": 0}]).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(y=y)
    return layered(zero, interval, points)


def _words(functional: Functional, views: list[str]) -> str:
    sentences = []
    for view in views:
        first, *others = functional.of(view)
        most = max(others, key=lambda row: row.gap or 0.0)
        sentences.append(
            f"{view}: log loss {first.log_loss:.2f} at boundary 0, {others[-1].log_loss:.2f} at the last; "
            f"layer {most.boundary - 1} gains most ({most.gap:.2f})."
        )
    return " ".join(sentences)
