"""A task's own metric under A and under B, with intervals that draw whole images again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.grouped import Numbers, counts_by_cluster, say
from skipit_nb.backend.tasks.scoring.score import Score
from skipit_nb.results import Comparison, Metric

DRAWS = 2000
"""Times that the images are drawn again."""
_AT_ONCE = 200
_OF_GROUPS = ("mme", "circular")
"""Metrics of questions that are right together."""
_USUAL = ("accuracy", "parsed_rate")


def task_metrics(
    metric: str, examples: Sequence[Example], scores_a: Sequence[Score], scores_b: Sequence[Score], *, seed: int = 0
) -> list[Metric]:
    """The numbers of a task's metric for two arms on the same questions.

    Args:
        metric: One of `metric_names()`.
        examples: The questions.
        scores_a: Their scores under A.
        scores_b: Their scores under B.
        seed: Of the draws.

    Returns:
        One `Metric` a number, in shares (MME in points), with the percentile interval of B - A over images drawn again
        in pairs: 95 % at many images, too narrow below about 30. None for plain accuracy, which has a better interval.

    Raises:
        SettingError: If there is no such metric.
        TooFewSamplesError: If a pair of MME is not whole.
    """
    if metric == "accuracy":
        return []
    arms = [counts_by_cluster(metric, examples, scores) for scores in (scores_a, scores_b)]
    a, b = (say(metric, {name: sum(values) for name, values in counts.items()}) for counts in arms)
    drawn = list(_differences(metric, arms, seed))
    how = f"cluster bootstrap, {DRAWS:,} draws, percentiles"
    found = []
    for name in a:
        if name in _USUAL:
            continue
        low, high = np.quantile(np.concatenate([numbers[name] for numbers in drawn]), (0.025, 0.975)).tolist()
        unit = "points" if metric == "mme" and name != "accuracy_plus" else "share"
        one, two = float(a[name]), float(b[name])
        found.append(Metric(name, unit, one, two, "B - A", two - one, low, high, how))
    return found


def refuse_broken_groups(metric: str, examples: Sequence[Example]) -> None:
    """Refuse questions that the metric cannot put together, before they are asked.

    Raises:
        SettingError: If there is no such metric.
        TooFewSamplesError: If a pair of MME is not whole.
    """
    counts_by_cluster(metric, examples, [Score.unparsed()] * len(examples))


def with_task_metrics(comparison: Comparison, metric: str, examples: Sequence[Example]) -> Comparison:
    """The comparison, with its task's own metric behind the accuracy.

    A group of which a question has no answer, by an error or an interrupt, is left out of that metric as a whole.
    """
    answers = {answer.key: answer for answer in comparison.answers}
    torn = {(one.cluster, one.group) for one in examples if one.key not in answers}
    if metric not in _OF_GROUPS:
        torn = set()
    whole = [one for one in examples if one.key in answers and (one.cluster, one.group) not in torn]
    if not whole:
        return comparison
    accuracy, *others = comparison.metrics
    own = task_metrics(
        metric,
        whole,
        [Score(answers[one.key].score_a, answers[one.key].parsed_a, "") for one in whole],
        [Score(answers[one.key].score_b, answers[one.key].parsed_b, "") for one in whole],
    )
    return replace(comparison, metrics=(accuracy, *own, *others))


def _differences(metric: str, arms: Sequence[dict[str, list[float]]], seed: int) -> Iterator[Numbers]:
    """B - A of every number, for some draws at a time; both arms see the same images."""
    rng = np.random.default_rng(seed)
    tables = [{name: np.array(values, float) for name, values in counts.items()} for counts in arms]
    size = len(tables[0]["n"])
    for _ in range(DRAWS // _AT_ONCE):
        times = rng.multinomial(size, np.full(size, 1 / size), size=_AT_ONCE)
        a, b = (say(metric, {name: times @ values for name, values in table.items()}) for table in tables)
        yield {name: b[name] - a[name] for name in a}
