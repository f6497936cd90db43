"""What each task has to teach: images, what is to be seen in them, and questions."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from skipit_nb.backend.tasks import load_task
from skipit_nb.backend.tasks.digits_vqa import canvases
from skipit_nb.errors import UnknownTaskError
from skipit_nb.zoo.augment import Movable, movable
from skipit_nb.zoo.corpus import Corpus, Item, make_corpus
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.scenes import UNKNOWN, digit_scenes, shape_scenes, told


class Lesson(Protocol):
    """One task, ready to be taught."""

    @property
    def corpus(self) -> Corpus:
        """The images and the questions about them."""

    @property
    def told(self) -> Tensor:
        """Numbers of the images of which everything to be seen is known."""

    def look(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Give the pixels of these images, varied where that changes no answer, and their scenes."""


@dataclass(frozen=True)
class ShapesLesson:
    """easy-VQA, its shapes moved about."""

    corpus: Corpus
    pool: Movable
    colors: Tensor
    shapes: Tensor

    @property
    def told(self) -> Tensor:
        """Numbers of the images of which color and shape are known: nearly nine in ten."""
        return ((self.colors != UNKNOWN) & (self.shapes != UNKNOWN)).nonzero()[:, 0]

    def look(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Give the images, each shape moved to anywhere on its ground, and their scenes."""
        moved = self.pool.moved(images, generator)
        return moved, shape_scenes(self.pool.mask(moved, images), self.colors[images], self.shapes[images])


@dataclass(frozen=True)
class DigitsLesson:
    """Digits-VQA, as it is: there are enough canvases."""

    corpus: Corpus
    scenes: Tensor

    @property
    def told(self) -> Tensor:
        """Numbers of all images."""
        return torch.arange(len(self.corpus))

    def look(self, images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:  # noqa: ARG002
        """Give the images and their scenes."""
        return self.corpus.images[images], self.scenes[images]


def make_lesson(task: str, dialect: Dialect, max_images: int | None = None) -> Lesson:
    """Prepare the training split of a task for teaching.

    Args:
        task: Name of the task.
        dialect: How the model's prompts are made of token ids.
        max_images: The most images, for a try-out; None for all.

    Raises:
        UnknownTaskError: If there is no lesson for it.
    """
    makers = {"easy-vqa": _shapes_lesson, "digits-vqa": _digits_lesson}
    if task not in makers:
        raise UnknownTaskError(task, makers)
    return makers[task](make_corpus(load_task(task, "train"), dialect, max_images))


def draw_items(items: Sequence[Item], number: int, rng: random.Random) -> list[Item]:
    """Draw questions about one image without repetition, each with a chance that grows with its weight."""
    # Efraimidis and Spirakis 2006: the largest of u ** (1 / weight) are such a draw.
    return sorted(items, key=lambda item: -(rng.random() ** (1 / item.weight)))[:number]


def _shapes_lesson(corpus: Corpus) -> Lesson:
    colors = torch.tensor([told(row, "color") for row in corpus.items])
    shapes = torch.tensor([told(row, "shape") for row in corpus.items])
    return ShapesLesson(corpus, movable(corpus.images), colors, shapes)


def _digits_lesson(corpus: Corpus) -> Lesson:
    return DigitsLesson(corpus, digit_scenes(canvases("train")[: len(corpus)]))
