"""The choices of a question, and which of them a model takes: the likeliest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from string import ascii_uppercase

from skipit_nb.backend.tasks.scoring import Score
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.errors import SettingError, TaskDataError
from skipit_nb.results.likelihood import likeliest

YES_OR_NO = ("Yes", "No")
_MARKS = ".:)"
"""What stands behind an option's letter."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What one question may be answered with. In an `Example` it stands in the place of a scorer."""

    key: str
    """Of the question."""
    texts: tuple[str, ...]
    """What the model is asked about, each as it would be the whole answer."""
    right: int
    """Which one is right. Those with the same text are right too."""

    @classmethod
    def of(cls, example: Example) -> Choices:
        """The choices of a question that `by_likelihood` made."""
        assert isinstance(example.judge, cls), example.key  # noqa: S101  our own mistake
        return example.judge

    def written(self, log_likelihoods: Sequence[float]) -> str:
        """What is found, as a text that a ledger can keep."""
        return json.dumps(list(zip(self.texts, log_likelihoods, strict=True)))

    def read(self, text: str) -> tuple[float, ...]:
        """What `written` wrote: the log-likelihood of each choice, in nats.

        Raises:
            TaskDataError: If it was written about other choices.
        """
        rows = json.loads(text)
        if tuple(choice for choice, _ in rows) != self.texts:
            known = ", ".join(choice for choice, _ in rows)
            expected = f"its choices {', '.join(self.texts)}; begin a new ledger for changed questions"
            raise TaskDataError(f"the question {self.key!r}", f"what the ledger holds is about {known}", expected)
        return tuple(float(value) for _, value in rows)

    def __call__(self, text: str) -> Score:
        """Right if the likeliest choice is, by the sum over its tokens; of equally likely ones the first is taken."""
        chosen = self.chosen(text)
        return (
            Score(float(chosen == self.texts[self.right]), parsed=True, rule="likelihood")
            if chosen
            else Score.unparsed()
        )

    def chosen(self, text: str) -> str:
        """The likeliest choice; "" where the model gave no numbers."""
        number = likeliest(self.read(text))
        return "" if number is None else self.texts[number]


def by_likelihood(task: Task, examples: Sequence[Example]) -> tuple[Example, ...]:
    """The questions, to be answered by the likeliest of their choices.

    The choices are the letters of a question that writes its options below it; the options themselves where it does
    not; Yes and No where that is asked; else the answers that the task names for all its questions.

    Raises:
        SettingError: If a question has no choices.
        TaskDataError: If a choice is empty, or the right answer is none of them.
    """
    return tuple(replace(example, judge=_choices(example, task)) for example in examples)


def _choices(example: Example, task: Task) -> Choices:
    texts, where = _texts(example, task), f"the question {example.key!r}"
    if not texts:
        expected = f"a task whose questions have choices ({example.key!r} has none); name them by doc_to_choice"
        raise SettingError("output_type", "multiple_choice", expected)
    if any(not text.strip() for text in texts):
        # Nothing at all follows a prompt with probability 1, so it would win everywhere.
        raise TaskDataError(where, "one of its choices is empty", "a text for each choice")
    return Choices(example.key, texts, _right(example, texts, where))


def _texts(example: Example, task: Task) -> tuple[str, ...]:
    if not example.choices:
        return task.choices or (YES_OR_NO if example.scorer == "yes_no" else ())
    return tuple(ascii_uppercase[: len(example.choices)]) if is_lettered(example) else example.choices


def is_lettered(example: Example) -> bool:
    """Whether a question writes each of its options behind a letter, so that a letter is the answer."""
    lettered = zip(ascii_uppercase, example.choices, strict=False)
    return all(any(f"{letter}{mark} {option}" in example.question for mark in _MARKS) for letter, option in lettered)


def _right(example: Example, texts: Sequence[str], where: str) -> int:
    """Which choice is right: named by its letter where a question has options, else by what it says."""
    letters = ascii_uppercase[: len(texts)] if example.choices else ""
    if example.answer in tuple(letters):
        return letters.index(example.answer)
    said = [text.casefold() for text in texts]
    if example.answer.casefold() not in said:
        raise TaskDataError(where, f"its answer is {example.answer!r}", f"one of its choices {', '.join(texts)}")
    return said.index(example.answer.casefold())
