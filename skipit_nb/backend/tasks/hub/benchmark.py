"""What a benchmark is to us: where its rows are, and how a row becomes questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any

from skipit_nb.backend.tasks.hub.tables import Row

SHORT_ANSWER = "\nAnswer the question using a single word or phrase."
"""Appended to a question whose answer is a word or two; LLaVA's words, used by the harnesses too."""
LETTER = "Answer with the option's letter from the given choices directly."
"""Appended to a multiple choice, likewise."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as a row gives it, without its image."""

    question: str
    """With all the words that go with it."""
    answer: str
    kind: str = ""
    answers: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    group: str = ""


@dataclass(frozen=True, slots=True)
class ImageTable:
    """Images in a configuration of their own, to be joined by a key."""

    config: str
    key: str
    """Its column of keys."""
    of: str
    """The questions' column of the same keys."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A public set of questions about images, by its published columns."""

    name: str
    """The task's name, such as ``pope``."""
    repo: str
    """Its home on the Hugging Face hub."""
    splits: tuple[str, ...]
    """Splits with answers, the one that is reported first."""
    columns: tuple[str, ...]
    """Columns that a question is made of, the image's left out."""
    ask: Callable[[Row], Iterable[Asked]]
    """Makes the questions of one row."""
    scorer: str
    max_new_tokens: int
    config: str | None = None
    metric: str = "accuracy"
    cluster: Callable[[Row], Any] | None = None
    """Names the image of a row; None where no column does, and the image's own bytes must."""
    cluster_columns: tuple[str, ...] = ()
    """The columns that `cluster` reads."""
    is_image_a_row: bool = False
    """Whether no two rows are about the same image, so that a row is a cluster."""
    image: str = "image"
    """The column of the image, or of a list of them."""
    images: ImageTable | None = None
    """Where the images are, if not beside the questions."""
    revision: str | None = None
    """The commit that is read; None for the newest, which then stands in the task's version."""

    @property
    def source(self) -> str:
        """Where the rows come from, for people."""
        return f"{self.repo}{f', {self.config}' if self.config else ''} on the Hugging Face hub"


def with_options(question: str, choices: Iterable[str], end: str = LETTER) -> str:
    """The question, an option a line with its letter, and what to answer with."""
    options = (f"{letter}. {option}" for letter, option in zip(ascii_uppercase, choices, strict=False))
    return "\n".join([question, *options, end])
