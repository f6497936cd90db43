"""A task: a fixed, named list of questions about images.

Questions about the same image form a cluster. A sample takes whole clusters, because questions about
one image are answered right or wrong together, and an interval that forgets it is too narrow.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from PIL import Image

from skipit_nb.errors import LimitError, NoExamplesError, SettingError


@dataclass(frozen=True)
class Example:
    """One question about one image, with the answer that counts as right."""

    key: str
    """Name of the question, unique in its task, such as ``easy-vqa/test/0042``."""
    question: str
    """The question as a person would ask it."""
    answer: str
    """The right answer, in lower case."""
    kind: str
    """The type of question, such as ``color``."""
    cluster: str
    """The image that the question is about; questions with the same cluster share an image."""
    loader: Callable[[], Image.Image] = field(repr=False, compare=False)
    """Gives the image; called anew each time, so that a task holds no pixels."""

    @property
    def image(self) -> Image.Image:
        """The image, in RGB, opened or drawn on demand."""
        return self.loader()


@dataclass(frozen=True, repr=False)
class Task:
    """A named list of questions, the same on every machine."""

    name: str
    """Name of the task, such as ``easy-vqa``."""
    split: str
    """The part of the data that the questions are from: train, validation or test."""
    version: str
    """Where the questions come from, precisely enough to get the same ones again."""
    examples: tuple[Example, ...]
    """All questions, those about one image next to each other."""
    max_new_tokens: int = 4
    """How many tokens a model may write as its answer."""

    def __post_init__(self) -> None:
        if not self.examples:
            raise NoExamplesError(f"task {self.name!r}")

    def __len__(self) -> int:
        """Give the number of questions."""
        return len(self.examples)

    def __repr__(self) -> str:
        """Name the task, its size and its source."""
        return (
            f"Task({self.name!r}, split={self.split!r}, {len(self)} questions about "
            f"{len(self._clusters)} images, version={self.version!r})"
        )

    @property
    def full_name(self) -> str:
        """Name and split, as results carry them: ``easy-vqa/test``."""
        return f"{self.name}/{self.split}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of question in this task, sorted."""
        return tuple(sorted({example.kind for example in self.examples}))

    def sample(self, limit: int | None = None, seed: int = 0) -> tuple[Example, ...]:
        """Give all questions about images drawn at random, until there are at least `limit` questions.

        Args:
            limit: The least number of questions; None for all of them, in their own order.
            seed: The same seed gives the same questions, and a larger limit only adds to them.

        Returns:
            Questions, whole clusters next to each other.

        Raises:
            LimitError: If the limit is below 1.
        """
        if limit is None:
            return self.examples
        if limit < 1:
            raise LimitError(limit)
        order = list(self._clusters)
        random.Random(seed).shuffle(order)  # noqa: S311  a draw of questions, not a secret
        chosen: list[Example] = []
        for cluster in order:
            if len(chosen) >= limit:
                break
            chosen.extend(self._clusters[cluster])
        return tuple(chosen)

    def example(self, key: str) -> Example:
        """Give the question with this key.

        Raises:
            SettingError: If no question has it.
        """
        if key not in self._by_key:
            raise SettingError("key", key, f"the key of a question, such as {self.examples[0].key!r}")
        return self._by_key[key]

    @cached_property
    def _clusters(self) -> dict[str, list[Example]]:
        clusters: dict[str, list[Example]] = {}
        for example in self.examples:
            clusters.setdefault(example.cluster, []).append(example)
        return clusters

    @cached_property
    def _by_key(self) -> dict[str, Example]:
        return {example.key: example for example in self.examples}
