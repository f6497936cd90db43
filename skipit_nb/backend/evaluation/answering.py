"""Answers to questions under one or more skip sets: the same batches for every arm."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from skipit_nb.backend.evaluation.batches import Work
from skipit_nb.backend.evaluation.choices import Choices
from skipit_nb.backend.evaluation.failing import unseen
from skipit_nb.backend.evaluation.likelihood import likelihoods_of_choices
from skipit_nb.backend.evaluation.loyalty import Loyal
from skipit_nb.backend.evaluation.seen_once import SeenOnce
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.scoring import Score, score
from skipit_nb.backend.tasks.task import MULTIPLE_CHOICE, Example, Task
from skipit_nb.errors import NoImagesError
from skipit_nb.skipset import SkipSet

Texts = tuple[str, ...]
"""The answers to one question, one per arm."""
Arm = SkipSet | Loyal
"""What has a text for each question: a skip set its answer, loyalty how far two of them agree."""
Ask = Callable[[LiveModel, Inputs, Sequence[Example]], tuple[list[str], Tensor]]
"""Gives a text per question under the skip set at work, and the log-probabilities [batch, vocab] of the first token."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One question, answered under each arm."""

    example: Example
    texts: Texts
    """One answer per arm."""
    scores: tuple[Score, ...]
    """One score per arm."""

    @property
    def said(self) -> Texts:
        """The answers as people read them: what was written, or the likeliest choice."""
        judge = self.example.judge
        return tuple(map(judge.chosen, self.texts)) if isinstance(judge, Choices) else self.texts


def refuse_without_images(examples: Sequence[Example], skipsets: Sequence[SkipSet]) -> None:
    """Refuse to look for vision tokens where there are none. An image that cannot be opened is one.

    Raises:
        NoImagesError: If a set names vision tokens and no question has an image.
    """
    about_vision = next((skipset for skipset in skipsets if "vision" in skipset.modalities), None)
    if about_vision is not None and all(unseen(one) is None and one.image is None for one in examples):
        raise NoImagesError(about_vision)


def answering(task: Task, arms: Sequence[Arm]) -> Work[Texts]:
    """The work of answering a task's questions under some arms, as the task wants them answered."""
    if task.output_type == MULTIPLE_CHOICE:
        return partial(_under_each, arms=tuple(arms), ask=likelihoods_of_choices)
    return partial(answer_batch, arms=tuple(arms), max_new_tokens=task.max_new_tokens, until=task.until)


def answer_batch(
    live: LiveModel,
    batch: Sequence[Example],
    *,
    arms: Sequence[Arm],
    max_new_tokens: int,
    until: tuple[str, ...] = (),
) -> list[Texts]:
    """Answer one batch under every arm: a tuple per question, with one text per arm, cut before any of `until`."""
    return _under_each(live, batch, arms=arms, ask=partial(_written, max_new_tokens=max_new_tokens, until=until))


def _under_each(live: LiveModel, batch: Sequence[Example], *, arms: Sequence[Arm], ask: Ask) -> list[Texts]:
    """One text per question and arm; loyalty comes last, as it knows what the arms before it expected."""
    inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
    texts: list[list[str]] = []
    first: dict[SkipSet, Tensor] = {}
    seen = SeenOnce()
    for arm in arms:
        try:
            if isinstance(arm, Loyal):
                texts.append(arm.texts(live, inputs, first))
                continue
            with live.skipping(arm), seen.by(live.model):
                said, first[arm] = ask(live, inputs, batch)
        except Exception as error:
            error.add_note(f"while answering under {str(arm)!r}")
            raise
        texts.append(said)
    return list(zip(*texts, strict=True))


def _written(
    live: LiveModel, inputs: Inputs, _: Sequence[Example], *, max_new_tokens: int, until: tuple[str, ...]
) -> tuple[list[str], Tensor]:
    """What the model writes, and the log-probabilities [batch, vocab] of its first token."""
    answers = live.generate(inputs, max_new_tokens=max_new_tokens, until=until)
    return [answer.text for answer in answers], torch.stack([answer.first for answer in answers])


def scored(examples: Sequence[Example], texts: Sequence[Texts]) -> list[Answered]:
    """The answers with their scores."""
    return [
        Answered(example, given, tuple(score(text, example) for text in given))
        for example, given in zip(examples, texts, strict=True)
    ]
