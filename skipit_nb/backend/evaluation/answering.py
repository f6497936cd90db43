"""Answers to questions under one or more skip sets: the same batches for every arm."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.scoring import Score, score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoImagesError
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, answered under each arm."""

    example: Example
    texts: tuple[str, ...]
    """One answer per arm."""
    scores: tuple[Score, ...]
    """One score per arm."""


def refuse_without_images(examples: Sequence[Example], skipsets: Sequence[SkipSet]) -> None:
    """Refuse to look for vision tokens where there are none.

    Raises:
        NoImagesError: If a set names vision tokens and no question has an image.
    """
    about_vision = next((skipset for skipset in skipsets if "vision" in skipset.modalities), None)
    if about_vision is not None and all(example.image is None for example in examples):
        raise NoImagesError(about_vision)


def answer_batch(
    live: LiveModel, batch: Sequence[Example], *, arms: Sequence[SkipSet], max_new_tokens: int
) -> list[tuple[str, ...]]:
    """Answer one batch under every arm: a tuple per question, with one text per arm."""
    inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
    texts = []
    for skipset in arms:
        with live.skipping(skipset):
            generated = live.generate(inputs, max_new_tokens=max_new_tokens)
        texts.append([answer.text for answer in generated])
    return list(zip(*texts, strict=True))


def scored(examples: Sequence[Example], texts: Sequence[tuple[str, ...]]) -> list[Answered]:
    """The answers with their scores."""
    return [
        Answered(example, given, tuple(score(text, example) for text in given))
        for example, given in zip(examples, texts, strict=True)
    ]
