"""Benchmarks that are answered with yes or no: POPE, MME."""

from __future__ import annotations

from collections.abc import Iterable

from skipit_nb.backend.tasks.hub.benchmark import SHORT_ANSWER, Asked, Benchmark
from skipit_nb.backend.tasks.hub.tables import Row

_OWN_SUFFIX = "Please answer yes or no."


def _pope(row: Row) -> Iterable[Asked]:
    yield Asked(row["question"] + SHORT_ANSWER, row["answer"].strip().lower(), row["category"])


def _mme(row: Row) -> Iterable[Asked]:
    question = row["question"].strip().removesuffix(_OWN_SUFFIX).rstrip()
    # A category's number may be another category's too.
    group = f"{row['category']}/{row['question_id']}"
    yield Asked(question + SHORT_ANSWER, row["answer"].strip().lower(), row["category"], group=group)


POPE = Benchmark(
    name="pope",
    repo="lmms-lab-encoder/POPE",
    splits=("test",),
    columns=("question", "answer", "category", "image_source"),
    ask=_pope,
    scorer="yes_no",
    metric="f1",
    max_new_tokens=16,
    cluster=lambda row: row["image_source"],
    cluster_columns=("image_source",),
)
MME = Benchmark(
    name="mme",
    repo="lmms-lab-encoder/MME",
    splits=("test",),
    columns=("question_id", "question", "answer", "category"),
    ask=_mme,
    scorer="yes_no",
    metric="mme",
    max_new_tokens=16,
    cluster=lambda row: f"{row['category']}/{row['question_id']}",
    cluster_columns=("category", "question_id"),
)
