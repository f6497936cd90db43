"""Scores under A and under B, judged: of a run of ours, or lists that someone already has. No model, no torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from skipit_nb.backend.evaluation.statistics import (
    Interval,
    Paired,
    cluster_sign_flip,
    equivalence_p,
    exact_mcnemar,
    flips,
    mid_p_mcnemar,
    minimal_detectable_effect,
    noninferiority_p,
    subgroups,
)
from skipit_nb.backend.evaluation.verdict import verdict
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.results import Metric, PairedComparison, PairedTests
from skipit_nb.results.statistics import even_images


def paired_comparison(
    a: Sequence[float],
    b: Sequence[float],
    clusters: Sequence[object] | None = None,
    *,
    kinds: Sequence[object] | None = None,
    margin: float = 0.01,
) -> PairedComparison:
    """Judge two lists of scores on the same questions, as `session.compare` judges its own.

    For runs that were made elsewhere: read the score of each question under A and under B, in the same order.

    Args:
        a: Scores under A, 0 to 1 (or True and False), one a question.
        b: Scores under B, of the same questions.
        clusters: What a question shares with others, most often its image; by default every question stands alone,
            which makes intervals too narrow if it does not.
        kinds: The kind of each question, for `.frame`.
        margin: The loss of accuracy you would accept, as a share; fix it before you look.

    Raises:
        NoExamplesError: If there are no scores.
        SettingError: If lists differ in length, a score is outside 0 to 1, or the margin out of range.

    Example:
        >>> found = paired_comparison([1, 1, 0, 1] * 100, [1, 1, 0, 1] * 100, margin=0.02)
        >>> found.verdict.kind, found.p_mcnemar
        ('not worse', 1.0)
    """
    if not len(a):
        raise NoExamplesError("a comparison")
    if not 0 < margin < 1:
        raise SettingError("margin", margin, "a share above 0 and below 1, such as 0.01 for one point")
    n = len(a)
    for name, values in (("b", b), ("clusters", clusters), ("kinds", kinds)):
        if values is not None and len(values) != n:
            raise SettingError(f"the length of {name}", len(values), f"{n}, as there are scores under A")
    images, of_kinds = (range(n) if clusters is None else clusters), ([""] * n if kinds is None else kinds)
    return judge(_scores("a", a), _scores("b", b), [*map(str, images)], [*map(str, of_kinds)], margin)


def judge(
    a: Sequence[float],
    b: Sequence[float],
    clusters: Sequence[str],
    kinds: Sequence[str],
    margin: float,
    delta: Interval | None = None,
) -> PairedComparison:
    """Everything the scores say.

    Args:
        a: Scores under A, 0 to 1.
        b: Scores under B.
        clusters: The image of each question.
        kinds: The kind of each question.
        margin: Of non-inferiority, a share.
        delta: The interval that decides, where it is not that of `Paired`: a run that may stop early has another.
    """
    paired, n = Paired.of(a, b, clusters), len(a)
    fixed = paired.interval()
    interval = delta or fixed
    worse, better = flips(a, b)
    # A run that may stop early has a wider interval, and so finds less.
    wider = max(1.0, (interval.high - interval.low) / (fixed.high - fixed.low))
    mde = min(1.0, wider * minimal_detectable_effect(worse, better, n, paired.mean.design_effect))
    return PairedComparison(
        num_questions=n,
        num_clusters=len(set(clusters)),
        accuracy=Metric(
            "accuracy", "share", sum(a) / n, sum(b) / n, "B - A", interval.value, interval.low, interval.high,
            interval.method,
        ),
        kinds=subgroups(a, b, clusters, kinds),
        verdict=verdict(interval, margin, mde),
        p_mcnemar=exact_mcnemar(worse, better),
        mde=mde,
        design_effect=paired.mean.design_effect,
        tests=PairedTests(
            p_sign_flip=cluster_sign_flip(a, b, clusters),
            p_mid=mid_p_mcnemar(worse, better),
            p_not_worse=noninferiority_p(paired, margin),
            p_equivalent=equivalence_p(paired, margin),
            agreement=1 - (worse + better) / n,
            correlation=_correlation(a, b),
        ),
        even_images=even_images(clusters),
    )  # fmt: skip


def _scores(name: str, values: Sequence[float]) -> list[float]:
    scores = []
    for index, value in enumerate(values):
        try:
            score = float(value)
        except (TypeError, ValueError):  # such as None, or pandas' NA
            score = math.nan
        if not 0 <= score <= 1:  # nan is neither
            raise SettingError(f"{name}[{index}]", value, "a score from 0 (wrong) to 1 (right)")
        scores.append(score)
    return scores


def _correlation(a: Sequence[float], b: Sequence[float]) -> float | None:
    if len(set(a)) == 1 or len(set(b)) == 1:
        return None
    found = float(np.corrcoef(a, b)[0, 1])
    return found if math.isfinite(found) else None
