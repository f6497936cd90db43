"""The difference on each kind of question, and p corrected for having looked at all kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from skipit_nb.backend.evaluation.statistics.holm import holm
from skipit_nb.backend.evaluation.statistics.paired import Paired, flips
from skipit_nb.backend.evaluation.statistics.sign_flip import cluster_sign_flip
from skipit_nb.results import KindDelta


def subgroups(
    a: Sequence[float], b: Sequence[float], clusters: Sequence[str], kinds: Sequence[str]
) -> tuple[KindDelta, ...]:
    """One row per kind, sorted by name: the difference with its interval, p by sign-flips of images, Holm's p.

    The intervals are each for itself; `p_holm` is for all. A kind that no one asked about before the run and that looks
    bad here is a reason for another run, on other questions, not a finding.

    Args:
        a: Scores under A, 0 to 1.
        b: Scores under B.
        clusters: The image of each question.
        kinds: The kind of each question.
    """
    rows = [_row(kind, a, b, clusters, kinds) for kind in sorted(set(kinds))]
    corrected = holm([row.p for row in rows])
    return tuple(replace(row, p_holm=p) for row, p in zip(rows, corrected, strict=True))


def _row(kind: str, a: Sequence[float], b: Sequence[float], clusters: Sequence[str], kinds: Sequence[str]) -> KindDelta:
    picked = [index for index, other in enumerate(kinds) if other == kind]
    one, two, images = [a[i] for i in picked], [b[i] for i in picked], [clusters[i] for i in picked]
    delta, (worse, better), n = Paired.of(one, two, images).interval(), flips(one, two), len(picked)
    return KindDelta(
        kind=kind,
        n=n,
        accuracy_a=sum(one) / n,
        accuracy_b=sum(two) / n,
        delta=delta.value,
        low=delta.low,
        high=delta.high,
        worse=worse,
        better=better,
        p=cluster_sign_flip(one, two, images),
    )
