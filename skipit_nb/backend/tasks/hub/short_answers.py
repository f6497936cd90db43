"""Benchmarks that are answered with a word or two: VQAv2, GQA, TextVQA, CLEVR."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from skipit_nb.backend.tasks.hub.benchmark import SHORT_ANSWER, Asked, Benchmark, ImageTable
from skipit_nb.backend.tasks.hub.tables import Row


def _vqav2(row: Row) -> Iterable[Asked]:
    answers = tuple(given["answer"] for given in row["answers"])
    yield Asked(row["question"] + SHORT_ANSWER, row["multiple_choice_answer"], row["answer_type"], answers)


def _gqa(row: Row) -> Iterable[Asked]:
    yield Asked(row["question"] + SHORT_ANSWER, row["answer"], row["types"]["structural"])


def _textvqa(row: Row) -> Iterable[Asked]:
    # As the harnesses ask it: without the words that were read in the image, which are worth 5 to 13 points.
    question = row["question"].capitalize() + SHORT_ANSWER
    yield Asked(question, _most_common(row["answers"]), "", tuple(row["answers"]))


def _clevr(row: Row) -> Iterator[Asked]:
    for turn in row["texts"]:
        yield Asked(turn["user"], turn["assistant"].strip().rstrip(".").lower())


def _most_common(answers: Sequence[str]) -> str:
    """The answer that most people gave; of several the first."""
    return Counter(answers).most_common(1)[0][0]


VQAV2 = Benchmark(
    name="vqav2",
    repo="lmms-lab-encoder/VQAv2",
    splits=("validation",),
    columns=("question", "multiple_choice_answer", "answers", "answer_type", "image_id"),
    ask=_vqav2,
    scorer="vqa_soft",
    max_new_tokens=16,
    cluster=lambda row: row["image_id"],
    cluster_columns=("image_id",),
)
GQA = Benchmark(
    name="gqa",
    repo="lmms-lab-encoder/GQA",
    config="testdev_balanced_instructions",
    splits=("testdev",),
    columns=("question", "answer", "types", "imageId"),
    ask=_gqa,
    scorer="gqa",
    max_new_tokens=16,
    cluster=lambda row: row["imageId"],
    cluster_columns=("imageId",),
    images=ImageTable("testdev_balanced_images", key="id", of="imageId"),
)
TEXTVQA = Benchmark(
    name="textvqa",
    repo="lmms-lab-encoder/textvqa",
    splits=("validation", "train"),
    columns=("question", "answers", "image_id"),
    ask=_textvqa,
    scorer="textvqa",
    max_new_tokens=16,
    cluster=lambda row: row["image_id"],
    cluster_columns=("image_id",),
)
CLEVR = Benchmark(
    name="clevr",
    repo="HuggingFaceM4/the_cauldron",
    config="clevr",
    splits=("train",),
    columns=("texts",),
    ask=_clevr,
    scorer="exact",
    max_new_tokens=16,
    image="images",
    is_image_a_row=True,
)
