"""What the likelihoods of choices say of a comparison, beside the accuracy of the likeliest one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from skipit_nb.backend.evaluation.answering import Answered
from skipit_nb.backend.evaluation.choices import Choices
from skipit_nb.backend.evaluation.statistics import delta_interval
from skipit_nb.backend.evaluation.statistics.means import mean_interval
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.results import Comparison, Metric
from skipit_nb.results.likelihood import Likelihoods, RankedChoices

ACCURACIES = {"acc_norm": "byte", "acc_per_token": "token"}
"""Accuracies of the choice with the highest log-likelihood per byte, and per token."""


def with_likelihoods(comparison: Comparison, live: LiveModel, answered: Sequence[Answered]) -> Comparison:
    """The comparison with the choices that were ranked, and what follows from them.

    Args:
        comparison: Of these answers.
        live: The model, for its tokenizer.
        answered: Questions that `by_likelihood` made.
    """
    ranked = tuple(_ranked(live, row) for row in answered)
    metrics = _metrics(ranked, [row.example.cluster for row in answered])
    return replace(comparison, choices=Likelihoods(ranked), metrics=(*comparison.metrics, *metrics))


def _ranked(live: LiveModel, row: Answered) -> RankedChoices:
    own = Choices.of(row.example)
    a, b = (tuple(value if math.isfinite(value) else None for value in own.read(text)) for text in row.texts)
    tokens = tuple(len(live.answer_ids(text)) for text in own.texts)
    return RankedChoices(row.example.key, own.texts, own.right, tokens, a, b)


def _metrics(ranked: Sequence[RankedChoices], clusters: Sequence[str]) -> list[Metric]:
    accuracies = [_accuracy(name, per, ranked, clusters) for name, per in ACCURACIES.items()]
    both = [(own.margin("a"), own.margin("b"), cluster) for own, cluster in zip(ranked, clusters, strict=True)]
    known = [(a, b, cluster) for a, b, cluster in both if a is not None and b is not None]
    found = mean_interval([b - a for a, b, _ in known], [cluster for _, _, cluster in known])
    if found is None:
        return accuracies
    a, b = fmean(a for a, _, _ in known), fmean(b for _, b, _ in known)
    return [*accuracies, Metric("margin", "nats", a, b, "B - A", found.value, found.low, found.high, found.method)]


def _accuracy(name: str, per: str, ranked: Sequence[RankedChoices], clusters: Sequence[str]) -> Metric:
    a, b = ([1.0 if own.is_right(arm, per) else 0.0 for own in ranked] for arm in ("a", "b"))
    found, _ = delta_interval(a, b, clusters)
    n = len(ranked)
    return Metric(name, "share", sum(a) / n, sum(b) / n, "B - A", found.value, found.low, found.high, found.method)
