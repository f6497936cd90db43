"""Benchmarks of multiple choice: ScienceQA, MMBench, MMStar, AI2D, SEED."""

from __future__ import annotations

import re
from collections.abc import Iterable
from string import ascii_uppercase
from typing import Any

from skipit_nb.backend.tasks.hub.benchmark import LETTER, Asked, Benchmark, with_options
from skipit_nb.backend.tasks.hub.tables import Row

ROTATED_BY = 1_000_000
"""MMBench's rotations of question k have the indices k, k + 1,000,000, k + 2,000,000, …"""

_OPTION = re.compile(r"(?:^|[\s,])([A-H]): ")


def _scienceqa(row: Row) -> Iterable[Asked]:
    choices = tuple(row["choices"])
    context = f"Context: {row['hint']}\n" if _is_said(row["hint"]) else ""
    question = context + with_options(row["question"], choices)
    yield Asked(question, ascii_uppercase[int(row["answer"])], row["subject"], choices=choices)


def _mmbench(row: Row) -> Iterable[Asked]:
    choices = tuple(str(row[letter]) for letter in "ABCD" if _is_said(row[letter]))
    hint = f"{row['hint']}\n" if _is_said(row["hint"]) else ""
    question = hint + with_options(row["question"], choices)
    yield Asked(question, row["answer"], row["category"], choices=choices, group=_circle(row))


def _mmstar(row: Row) -> Iterable[Asked]:
    # The options stand in the question; the harness ends this one suffix without its full stop.
    question = f"{row['question'].strip()}\n{LETTER.removesuffix('.')}"
    yield Asked(question, row["answer"].strip().upper(), row["category"], choices=_written_options(row["question"]))


def _ai2d(row: Row) -> Iterable[Asked]:
    choices = tuple(row["options"])
    yield Asked(with_options(row["question"], choices), ascii_uppercase[int(row["answer"])], "diagram", choices=choices)


def _seed(row: Row) -> Iterable[Asked]:
    choices = tuple(row[f"choice_{letter}"] for letter in "abcd")
    question = with_options(row["question"], choices)
    yield Asked(question, row["answer"].strip().upper(), str(row["data_type"]), choices=choices)


def _circle(row: Row) -> str:
    """The number of the question that this one is a rotation of; the index is a text in some copies."""
    return str(int(row["index"]) % ROTATED_BY)


def _is_said(value: Any) -> bool:
    """Whether a cell holds something: the sets write nothing as None, as a NaN, and as the word "nan"."""
    return value is not None and str(value).strip().lower() not in ("", "nan")


def _written_options(question: str) -> tuple[str, ...]:
    """The options of a question that holds them as "A: …, B: …"; none if they cannot be told apart."""
    parts = _OPTION.split(question)[1:]
    letters, texts = parts[::2], parts[1::2]
    if len(letters) < 2 or "".join(letters) != ascii_uppercase[: len(letters)]:  # noqa: PLR2004  one option is no choice
        return ()
    return tuple(text.strip().rstrip(",").strip() for text in texts)


SCIENCEQA = Benchmark(
    name="scienceqa",
    repo="lmms-lab-encoder/ScienceQA",
    config="ScienceQA-IMG",
    splits=("test", "validation"),
    columns=("question", "choices", "answer", "hint", "subject"),
    ask=_scienceqa,
    scorer="choice",
    max_new_tokens=16,
)
MMBENCH = Benchmark(
    name="mmbench",
    repo="lmms-lab-encoder/MMBench",
    config="en",
    splits=("dev",),
    columns=("index", "question", "hint", "answer", "A", "B", "C", "D", "category"),
    ask=_mmbench,
    scorer="choice",
    metric="circular",
    max_new_tokens=16,
    cluster=_circle,
    cluster_columns=("index",),
)
MMSTAR = Benchmark(
    name="mmstar",
    repo="Lin-Chen/MMStar",
    splits=("val",),
    columns=("question", "answer", "category"),
    ask=_mmstar,
    scorer="choice",
    metric="macro",
    max_new_tokens=16,
    is_image_a_row=True,
)
AI2D = Benchmark(
    name="ai2d",
    repo="lmms-lab-encoder/ai2d",
    splits=("test",),
    columns=("question", "options", "answer"),
    ask=_ai2d,
    scorer="choice",
    max_new_tokens=16,
)
SEED = Benchmark(
    name="seed",
    repo="lmms-lab-encoder/SEED-Bench",
    splits=("test",),
    columns=("question", "choice_a", "choice_b", "choice_c", "choice_d", "answer", "data_type", "data_id"),
    ask=_seed,
    scorer="choice",
    max_new_tokens=16,
    cluster=lambda row: row["data_id"],
    cluster_columns=("data_id",),
)
