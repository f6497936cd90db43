"""A comparison in words: the rows of the evaluator's tables."""

from __future__ import annotations

from skipit_nb.results import Comparison, Metric, Standing
from skipit_nb.widgets.readout import quantity

FLOPS_UNITS = {"GFLOPs": 1e9, "FLOPs": 1.0}


def metric_rows(comparison: Comparison) -> list[list[str]]:
    """Metric, A, B, effect, its 95 % interval, and how it was found."""
    return [
        [
            metric.name,
            value(metric.a, metric.unit),
            value(metric.b, metric.unit),
            _written(metric.value, metric),
            interval(metric),
            metric.method,
        ]
        for metric in comparison.metrics
    ]


def kind_rows(comparison: Comparison) -> list[list[str]]:
    """Question type, number of questions, accuracy under A and B, difference, its interval, worse, better."""
    return [
        [
            row.kind,
            f"{row.n:,}",
            value(row.accuracy_a, "share"),
            value(row.accuracy_b, "share"),
            _bare(points(row.delta)),
            f"{_bare(points(row.low))} to {_bare(points(row.high))}",
            f"{row.worse:,}",
            f"{row.better:,}",
        ]
        for row in comparison.kinds
    ]


def metric_bars(comparison: Comparison) -> list[list[float]]:
    """Lengths of two bars a metric: a share as it is, what is only ever positive against the larger of the two."""
    return [lengths(metric) for metric in comparison.metrics]


def kind_bars(comparison: Comparison) -> list[list[float]]:
    """The accuracies of a question type as lengths of two bars."""
    return [[row.accuracy_a, row.accuracy_b] for row in comparison.kinds]


def standing_words(found: Standing) -> str:
    """How a run stands, in one sentence that says what may be done with it."""
    interval = f"{_bare(points(found.low))} to {_bare(points(found.high))}"
    return (
        f"So far, {found.num_questions:,} of {found.planned:,} questions: B − A is {points(found.delta)}, "
        f"anytime-valid 95 % interval {interval}. It holds however often you look."
    )


def facts(comparison: Comparison) -> str:
    """What a careful reader asks next, on one line."""
    made = comparison.provenance
    asked = f"{comparison.num_questions:,} questions on {comparison.num_clusters:,} images"
    return " · ".join(
        [
            f"{asked} of {made.task or 'own examples'}",
            f"seed {made.seed}",
            f"margin {_unsigned(comparison.verdict.margin)}",
            f"smallest difference found 4 times in 5: {_unsigned(comparison.mde)}",
            f"McNemar p = {comparison.p_mcnemar:.2g}",
            f"{made.model}, {made.dtype} on {made.device}",
        ]
        + ([] if comparison.is_complete else ["stopped before the last question"])
    )


def value(number: float, unit: str) -> str:
    """A number with its unit, as few digits as tell something."""
    if unit == "share":
        return f"{100 * number:.1f} %"
    if unit in FLOPS_UNITS:
        return quantity(number * FLOPS_UNITS[unit], "FLOPs")
    if unit == "kB":
        return quantity(number * 1e3, "B")
    return f"{number:.3g} {unit}"


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    rounded = round(100 * share, 1)
    return (f"{rounded:+.1f}" if rounded else "0.0").replace("-", "−") + " points"


def lengths(metric: Metric) -> list[float]:
    """A and B as lengths of bars; none where a length would say nothing."""
    if metric.unit == "share":
        return [metric.a, metric.b]
    most = max(metric.a, metric.b)
    return [metric.a / most, metric.b / most] if metric.effect == "A / B" and most > 0 else []


def _unsigned(share: float) -> str:
    count = f"{100 * share:.2g}"
    return f"{count} point{'' if count == '1' else 's'}"


def interval(metric: Metric) -> str:
    """The 95 % interval of a metric's effect; "" where it is arithmetic."""
    if metric.low == metric.high:
        return ""
    low, high = (_bare(_written(number, metric), metric.unit) for number in (metric.low, metric.high))
    return f"{low} to {high}"


def _written(number: float, metric: Metric) -> str:
    if metric.effect != "B - A":
        return f"{number:.2f}×"
    return points(number) if metric.unit == "share" else f"{number:+.3g} {metric.unit}".replace("-", "−")


def _bare(text: str, unit: str = "") -> str:
    """Without its unit, which stands beside already."""
    return text.removesuffix(" points").removesuffix(f" {unit}")
