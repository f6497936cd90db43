"""What scores are put together to: F1, MME's pairs, MMBench's circles, means of means.

The score of a question stays a number from 0 to 1 whatever its task's metric is, so that all paired statistics hold
for it; these numbers say the same answers in the benchmark's own words. Each is a function of counts that add up over
images, which is what lets an interval draw whole images again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.score import Score
from skipit_nb.backend.tasks.scoring.yes_no import read_yes_no
from skipit_nb.errors import NoExamplesError, SettingError, TooFewSamplesError

PERCEPTION = (
    "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR",
)  # fmt: skip
"""MME's ten categories of perception, 200 points each; all others are cognition."""
PAIR = 2
"""Questions about each image of MME: one to be answered yes, one no."""

Rows = Sequence[tuple[Example, Score]]
Counts = Mapping[str, Any]
"""Counts by name: numbers, or arrays with one entry per draw."""
Numbers = dict[str, Any]
"""What a metric says, its headline first; numbers or arrays, as the counts are."""


@dataclass(frozen=True, slots=True)
class GroupMetric:
    """A metric as counts of some questions, and the numbers that all counts together make."""

    count: Callable[[Rows], dict[str, float]]
    say: Callable[[Counts], Numbers]


def put_together(metric: str, examples: Sequence[Example], scores: Sequence[Score]) -> dict[str, float]:
    """Put the scores of a run together.

    Args:
        metric: One of `metric_names()`, such as the task's.
        examples: The questions.
        scores: Their scores, in the same order.

    Returns:
        Numbers by name, the metric's headline first; each has `accuracy` and `parsed_rate`, shares of all questions.

    Raises:
        SettingError: If there is no such metric.
        NoExamplesError: If there are no questions.
        TooFewSamplesError: If a pair of MME is not whole.
    """
    counts = {name: sum(values) for name, values in counts_by_cluster(metric, examples, scores).items()}
    return {name: float(value) for name, value in say(metric, counts).items()}


def counts_by_cluster(metric: str, examples: Sequence[Example], scores: Sequence[Score]) -> dict[str, list[float]]:
    """What a metric counts: for each count one number per cluster, clusters as they first come.

    Raises:
        SettingError: If there is no such metric.
        NoExamplesError: If there are no questions.
        TooFewSamplesError: If a pair of MME is not whole.
    """
    if metric not in _METRICS:
        raise SettingError("metric", metric, f"one of {', '.join(metric_names())}")
    if not examples:
        raise NoExamplesError(f"the metric {metric!r}")
    clusters = _parts(zip(examples, scores, strict=True), lambda example: example.cluster)
    counted = [_usual(rows) | _METRICS[metric].count(rows) for rows in clusters.values()]
    names = dict.fromkeys(name for counts in counted for name in counts)
    return {name: [counts.get(name, 0.0) for counts in counted] for name in names}


def say(metric: str, counts: Counts) -> Numbers:
    """The numbers that counts make, the metric's headline first."""
    usual = {
        "accuracy": _share(counts["right"], counts["n"]),
        "parsed_rate": _share(counts["parsed"], counts["n"]),
    }
    return _METRICS[metric].say(counts) | usual


def metric_names() -> tuple[str, ...]:
    """Give the names of the metrics that `put_together` knows."""
    return tuple(_METRICS)


def _usual(rows: Rows) -> dict[str, float]:
    return {
        "n": len(rows),
        "right": sum(score.value for _, score in rows),
        "parsed": sum(score.parsed for _, score in rows),
    }


# ── F1 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _count_yes(rows: Rows) -> dict[str, float]:
    """Hits, misses and false alarms of "yes", and how often yes was said.

    An output that is neither yes nor no is an error of its question: a miss where yes is right, a false alarm where
    no is. Left out, as some do, a model that writes nonsense would keep its F1. The yes ratio counts what was said.
    """
    hits = misses = alarms = said_yes = 0
    for example, score in rows:
        is_yes, is_right = read_yes_no(example.answer) == "yes", score.value == 1
        hits += is_yes and is_right
        misses += is_yes and not is_right
        alarms += not is_yes and not is_right
        said_yes += score.parsed and is_yes == is_right
    return {"hits": hits, "misses": misses, "alarms": alarms, "said yes": said_yes}


def _say_f1(counts: Counts) -> Numbers:
    hits, misses, alarms = counts["hits"], counts["misses"], counts["alarms"]
    return {
        "f1": _share(2 * hits, 2 * hits + misses + alarms),
        "precision": _share(hits, hits + alarms),
        "recall": _share(hits, hits + misses),
        "yes_ratio": _share(counts["said yes"], counts["n"]),
    }


# ── groups that are right together ───────────────────────────────────────────────────────────────────────────────────


def _count_groups(rows: Rows) -> dict[str, float]:
    groups = _parts(rows, _group).values()
    return {"groups": len(groups), "whole": sum(_is_whole(group) for group in groups)}


def _say_circular(counts: Counts) -> Numbers:
    """The share of questions that are right in every rotation of their options."""
    return {"circular": _share(counts["whole"], counts["groups"])}


def _count_pairs(rows: Rows) -> dict[str, float]:
    counts = _count_groups(rows)
    for kind, of_kind in _parts(rows, lambda example: example.kind).items():
        for group, pair in _parts(of_kind, _group).items():
            if len(pair) != PAIR:
                raise TooFewSamplesError(
                    f"the questions about {group}", len(pair), PAIR, "Take whole images, as `task.sample` does."
                )
        counts |= {f"{name} of {kind}": count for name, count in (_usual(of_kind) | _count_groups(of_kind)).items()}
    return counts


def _say_mme(counts: Counts) -> Numbers:
    """MME's points: in each category 100 x the share of right answers + 100 x the share of images right twice.

    The total is at most 2,800: 2,000 of perception and 800 of cognition. Categories that are not there give nothing,
    so totals compare only over the same questions.
    """
    points = {
        kind: 100 * (_of(counts, "right", "n", kind) + _of(counts, "whole", "groups", kind)) for kind in _kinds(counts)
    }
    perception = sum(value for kind, value in points.items() if kind in PERCEPTION)
    total = sum(points.values())
    return {
        "mme": total,
        "perception": perception,
        "cognition": total - perception,
        "accuracy_plus": _share(counts["whole"], counts["groups"]),
    }


# ── means of means ───────────────────────────────────────────────────────────────────────────────────────────────────


def _count_kinds(rows: Rows) -> dict[str, float]:
    kinds = _parts(rows, lambda example: example.kind)
    return {f"{name} of {kind}": count for kind, part in kinds.items() for name, count in _usual(part).items()}


def _say_macro(counts: Counts) -> Numbers:
    """The mean over types of question of their accuracy, whatever their size."""
    kinds = _kinds(counts)
    there = sum(np.greater(counts[f"n of {kind}"], 0) * 1.0 for kind in kinds)
    return {"macro_accuracy": _share(sum(_of(counts, "right", "n", kind) for kind in kinds), there)}


_METRICS: Mapping[str, GroupMetric] = {
    "accuracy": GroupMetric(lambda _: {}, lambda counts: {"accuracy": _share(counts["right"], counts["n"])}),
    "f1": GroupMetric(_count_yes, _say_f1),
    "mme": GroupMetric(_count_pairs, _say_mme),
    "circular": GroupMetric(_count_groups, _say_circular),
    "macro": GroupMetric(_count_kinds, _say_macro),
}


def _group(example: Example) -> str:
    return example.group or example.cluster


def _parts(
    rows: Iterable[tuple[Example, Score]], part: Callable[[Example], str]
) -> dict[str, list[tuple[Example, Score]]]:
    parts: dict[str, list[tuple[Example, Score]]] = {}
    for row in rows:
        parts.setdefault(part(row[0]), []).append(row)
    return parts


def _is_whole(group: Rows) -> bool:
    return all(score.value == 1 for _, score in group)


def _kinds(counts: Counts) -> list[str]:
    return [name.removeprefix("n of ") for name in counts if name.startswith("n of ")]


def _of(counts: Counts, part: str, whole: str, kind: str) -> Any:
    return _share(counts[f"{part} of {kind}"], counts[f"{whole} of {kind}"])


def _share(part: Any, whole: Any) -> Any:
    """A share, 0 of nothing."""
    part, whole = np.asarray(part, float), np.asarray(whole, float)
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole > 0)
