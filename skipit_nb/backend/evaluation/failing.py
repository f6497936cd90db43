"""What is wrong with one question, and what with the whole run: the first becomes a row, the second is raised.

A question *fails* if, asked alone, opening its image, making its prompt or answering it raises an `Exception`. These
are about the run and always raised: an interrupt, memory that ran out (here or on a card), a card that broke, a lost
connection, a missing package, and each of our own errors but the three of `OF_A_QUESTION`. So is what a user's own
`process_results` raises: leaving out the questions whose *answers* break it would flatter the arm that writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import ImageError, PromptError, QuestionError, SkipitError

if TYPE_CHECKING:
    from skipit_nb.backend.evaluation.batches import Work

R = TypeVar("R")

OF_A_QUESTION = (ImageError, QuestionError, PromptError)
"""Our own errors that are about one question."""
OF_THE_RUN = (MemoryError, torch.OutOfMemoryError, torch.AcceleratorError, ConnectionError, TimeoutError, ImportError)
"""Others' errors that would meet the next question too."""
_NO_MEMORY = ("allocate memory", "not enough memory")
"""What PyTorch's RuntimeError says where the processor's own memory ran out."""
_MOST_LETTERS = 1000


@dataclass(frozen=True, slots=True)
class Failed:
    """A question without an answer, and why."""

    error: str
    """The error's class, its message, and its notes: which file, which arm."""

    @classmethod
    def of(cls, error: Exception) -> Failed:
        """What an error says, at most 1,000 letters of it."""
        said = [f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]
        return cls(" · ".join(dict.fromkeys(said))[:_MOST_LETTERS])


def is_of_a_question(error: Exception) -> bool:
    """Whether an error is about the question that was asked, and not about the run."""
    if isinstance(error, SkipitError):
        return isinstance(error, OF_A_QUESTION)
    return not isinstance(error, OF_THE_RUN) and not any(words in str(error) for words in _NO_MEMORY)


@dataclass(frozen=True, slots=True)
class Careful(Generic[R]):
    """Work in which a question may fail without the others of its batch.

    A batch that raises is done again: without the questions whose images cannot be opened, if there are any, else one
    question at a time.
    """

    work: Work[R]

    def __call__(self, live: LiveModel, batch: Sequence[Example]) -> list[R | Failed]:
        """Do a batch: a row per question, `Failed` for those that fail."""
        try:
            return list(self.work(live, batch))
        except Exception as error:
            if not is_of_a_question(error):
                raise
            if len(batch) == 1:
                return [Failed.of(error)]
        failed = [unseen(example) for example in batch]
        sound = [example for example, why in zip(batch, failed, strict=True) if why is None]
        parts = [sound] if len(sound) < len(batch) else [[example] for example in batch]
        again = (row for part in parts if part for row in self(live, part))
        return [next(again) if why is None else why for why in failed]


def unseen(example: Example) -> Failed | None:
    """Why the image of a question cannot be opened; None if it can, or if it has none."""
    try:
        example.image  # noqa: B018 - opened to see whether it can be
    except Exception as error:
        if not is_of_a_question(error):
            raise
        return Failed.of(error)
    return None
