"""Answers to a list of questions under one or more skip sets: the same batches for every arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.scoring import Score, score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, answered under each arm."""

    example: Example
    texts: tuple[str, ...]
    """One answer per arm."""
    scores: tuple[Score, ...]
    """One score per arm."""


def answer_all(
    live: LiveModel, examples: Sequence[Example], arms: Sequence[SkipSet], *, max_new_tokens: int, batch_size: int
) -> Iterator[list[Answered]]:
    """Answer every question under every arm, a batch at a time; the lock is taken per batch."""
    for start in range(0, len(examples), batch_size):
        batch = examples[start : start + batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        texts = []
        for skipset in arms:
            with live.skipping(skipset):
                generated = live.generate(inputs, max_new_tokens=max_new_tokens)
            texts.append([answer.text for answer in generated])
        yield [_answered(example, tuple(arm[i] for arm in texts)) for i, example in enumerate(batch)]


def _answered(example: Example, texts: tuple[str, ...]) -> Answered:
    return Answered(example, texts, tuple(score(text, example) for text in texts))
