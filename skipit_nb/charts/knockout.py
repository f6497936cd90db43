"""Cross-modal flow beside its causal check: how much the text looks at the image, and what the answer loses blind."""

from __future__ import annotations

import altair as alt

from skipit_nb.charts.flow import asking, flow_layers
from skipit_nb.charts.paper import FAINT, INK, Row, finished, layer_axis, layered, measured_on, panel, rows, stacked
from skipit_nb.errors import LayerCountError
from skipit_nb.results import Knockout, RedundancyProfile

LOST_COLOR = "#D55E00"
HALF = 0.34
"""How far the mark of a band reaches beyond the middle of its first and last layer, in layers."""


def knockout_chart(profile: RedundancyProfile, knockout: Knockout) -> alt.VConcatChart:
    """Three panels over the same layers: attention on the image (VAR), and what blinding the text to it costs.

    Above, VAR with the share that flat attention would give; a tick for each head shows how far heads differ. Below,
    the log-likelihood of the right answer (left out where it cannot be had) and the accuracy that are lost when no text
    token may look at a vision token in a band of layers: a mark as wide as its band, accuracy with its 95 % interval.
    Where VAR is high and nothing is lost, the look was not needed there, or other layers make up for it.

    Args:
        profile: Measured with flow.
        knockout: Of the same model.

    Raises:
        SettingError: If the profile holds no flow.
        LayerCountError: If the two are of models with different numbers of layers.
    """
    if knockout.provenance.num_layers != profile.num_layers:
        raise LayerCountError(knockout.provenance.num_layers, profile.num_layers, "knockout")
    title = "Where the text looks at the image, and what it loses when it may not"
    above = flow_layers(profile, has_heads=True)
    panels = [panel(above, f"VAR: attention of {asking(profile)} on the image"), *_lost(knockout)]
    subtitle = [
        f"VAR: {measured_on(profile.provenance)}",
        f"knockout: {measured_on(knockout.provenance)}; a mark is as wide as its band",
        "green band: ± 1 standard deviation over questions; ticks: single heads; dashed: flat attention",
    ]
    picture = stacked(*panels, x="shared")
    return finished(picture, title, subtitle, f"{title}. {_words(profile, knockout)}")


def knockout_rows(knockout: Knockout) -> list[Row]:
    """One row per band: band, layer, the middle of it, left and right, its ends; what is lost, accuracy in points."""
    return [
        {
            "band": row.band,
            "layer": (row.start + row.stop - 1) / 2,
            "left": row.start - HALF,
            "right": row.stop - 1 + HALF,
            "kl": row.kl,
            "likelihood": row.log_likelihood_drop,
            "likelihood_low": row.log_likelihood_low,
            "likelihood_high": row.log_likelihood_high,
            "accuracy": 100 * row.accuracy_drop,
            "accuracy_low": 100 * row.low,
            "accuracy_high": 100 * row.high,
        }
        for row in knockout.rows
    ]


def _lost(knockout: Knockout) -> list[alt.LayerChart]:
    values, count = knockout_rows(knockout), knockout.provenance.num_layers
    known = [row for row in values if row["likelihood"] is not None]
    panels = []
    if known:
        marks = _marks(known, count, "likelihood", ["nats lost", "(high = it was needed)"])
        with_interval = ", with its 95 % interval" if known[0]["likelihood_low"] is not None else ""
        heading = f"Knockout: log-likelihood of the right answer that is lost{with_interval}"
        panels.append(panel(layered(*marks), heading))
    accuracy = layered(*_marks(values, count, "accuracy", ["points lost", "(high = it was needed)"]))
    heading = f"Knockout: accuracy that is lost, with its 95 % interval (full model {knockout.baseline:.1%})"
    return [*panels, panel(accuracy, heading)]


def _marks(values: list[Row], count: int, field: str, title: list[str]) -> list[alt.Chart]:
    """A line at 0, each band's interval where it has one, a segment as wide as the band, a point in its middle."""
    y = alt.Y(f"{field}:Q", title=title)
    certain = rows([row for row in values if row[f"{field}_low"] is not None])
    interval = certain.mark_rule(color=INK, strokeWidth=1.5).encode(
        x=layer_axis(count), y=alt.Y(f"{field}_low:Q", title=title), y2=f"{field}_high:Q"
    )
    zero = rows([{field: 0}]).mark_rule(color=FAINT, strokeDash=[4, 3]).encode(y=y)
    base = rows(values)
    bands = base.mark_rule(color=LOST_COLOR, strokeWidth=3, opacity=0.55).encode(
        x=layer_axis(count, "left"), x2="right:Q", y=y
    )
    tooltip = ["band:N", alt.Tooltip("kl:Q", title="KL, nats", format=".4f")]
    tooltip += [alt.Tooltip("likelihood:Q", title="nats lost", format="+.4f")]
    tooltip += [alt.Tooltip("accuracy:Q", title="points lost", format="+.1f")]
    points = base.mark_point(filled=True, size=45, opacity=1, color=LOST_COLOR, shape="square")
    return [zero, interval, bands, points.encode(x=layer_axis(count), y=y, tooltip=tooltip)]


def _words(profile: RedundancyProfile, knockout: Knockout) -> str:
    most = max(profile.flow, key=lambda row: row.var)
    words = f"VAR is highest at layer {most.layer} ({most.var:.2f}; flat attention {most.uniform:.2f})."
    if knockout.rows:
        worst = max(knockout.rows, key=lambda row: row.accuracy_drop)
        words += f" Most accuracy is lost blind in layers {worst.band}: {100 * worst.accuracy_drop:.1f} points"
        words += f" ({100 * worst.low:.1f} to {100 * worst.high:.1f})."
    return words
