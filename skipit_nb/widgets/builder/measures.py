"""What was measured at each layer, as the strip draws it: bars behind the cells, and signs below them."""

from __future__ import annotations

from collections.abc import Sequence

from skipit_nb.results import LayerReason, Recommendation, RedundancyProfile
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.layer_strip import Mark, Measure
from skipit_nb.widgets.readout import broken_conditions, skipped_layers

LINE = 0.5
"""Where a threshold stands: a bar that fills its cell is at least twice the threshold."""

Numbers = Sequence[float | None]


def measures(profile: RedundancyProfile | None, recommendation: Recommendation | None) -> dict[str, Measure]:
    """The vision tokens' distance behind the vision row, and how much the text reads the image behind the text row.

    With a recommendation every bar stands against its threshold, otherwise against the highest of its row.
    """
    if recommendation is not None:
        reasons = recommendation.reasons
        distance = _against_limits(
            "vision distance",
            "bar: distance,\nbelow line = redundant",
            [reason.distance for reason in reasons],
            [recommendation.max_distance] * len(reasons),
        )
        flow = [reason.var for reason in reasons]
        var = _against_limits("VAR", "bar: reads image,\nbelow line = hardly", flow, recommendation.max_vars)
        return _known(vision=distance, text=var)
    if profile is not None:
        flow = [None if row is None else row.var for row in profile.flow_by_layer]
        return _known(
            vision=_against_most("vision distance", "bar: distance,\nlow = redundant", profile.distances()),
            text=_against_most("VAR", "bar: reads image,\nlow = hardly", flow),
        )
    return {}


def marks(skipset: SkipSet, recommendation: Recommendation | None) -> list[Mark]:
    """Which of the paper's conditions each layer breaks; louder where the vision tokens are skipped."""
    if recommendation is None:
        return []
    chosen = set(skipped_layers(skipset))
    return [_mark(reason, reason.layer in chosen) for reason in recommendation.reasons]


def _known(**rows: Measure | None) -> dict[str, Measure]:
    return {row: measure for row, measure in rows.items() if measure is not None}


def _against_limits(label: str, hint: str, values: Numbers, limits: Numbers) -> Measure | None:
    if all(value is None for value in values):
        return None
    return Measure(
        label=label,
        hint=hint,
        heights=[_height(value, limit) for value, limit in zip(values, limits, strict=True)],
        line=LINE,
        texts=[
            _said(value) + ("" if limit is None else f" (threshold {limit:.3g})")
            for value, limit in zip(values, limits, strict=True)
        ],
    )


def _height(value: float | None, limit: float | None) -> float:
    """Half the cell at the threshold, all of it from twice the threshold on."""
    if not value:
        return 0.0
    return min(1.0, LINE * value / limit) if limit else 1.0


def _against_most(label: str, hint: str, values: Numbers) -> Measure | None:
    most = max((value for value in values if value is not None), default=None)
    if most is None:
        return None
    heights = [(value or 0.0) / most if most else 0.0 for value in values]
    return Measure(label=label, hint=hint, heights=heights, line=None, texts=[_said(value) for value in values])


def _said(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3g}"


def _mark(reason: LayerReason, is_chosen: bool) -> Mark:
    broken = broken_conditions(reason)
    tone = "good" if not broken else "bad" if is_chosen else "quiet"
    return Mark(sign=broken or "✓", text=reason.why, tone=tone)
