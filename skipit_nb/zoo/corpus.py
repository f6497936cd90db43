"""A task as tensors: images, questions as token ids, and how often each question should be asked."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from skipit_nb.backend.tasks import Example, Task
from skipit_nb.zoo.dialect import Dialect

_MOST_WEIGHT = 5.0
_BRIGHTEST = 255.0


@dataclass(frozen=True)
class Item:
    """One question in token ids."""

    question: tuple[int, ...]
    """Ids of the question's words."""
    answer: tuple[int, ...]
    """Ids of the answer."""
    weight: float
    """How often to ask it in training, relative to the others about the same image."""
    example: Example
    """Where it comes from."""


@dataclass(frozen=True)
class Corpus:
    """The images of a task and the questions about each."""

    name: str
    """Name of the task."""
    images: Tensor
    """Pixels, image x 3 x 64 x 64, 0 to 255."""
    items: tuple[tuple[Item, ...], ...]
    """The questions about each image."""

    def __len__(self) -> int:
        """Give the number of images."""
        return len(self.items)


def make_corpus(task: Task, dialect: Dialect, max_images: int | None = None) -> Corpus:
    """Read a task into tensors.

    Args:
        task: The task.
        dialect: How the model's prompts are made of token ids.
        max_images: The most images, the first ones; None for all.
    """
    clusters = _clusters(task.examples, max_images)
    ids = cache(lambda text: tuple(dialect.ids_of(text)))
    weights = _weights(task.examples)
    items = tuple(
        tuple(Item(ids(e.question), ids(e.answer), weights[e.question, e.answer], e) for e in cluster)
        for cluster in clusters.values()
    )
    images = np.stack([np.asarray(cluster[0].image) for cluster in clusters.values()])
    return Corpus(task.name, torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), items)


def pixel_values(images: Tensor) -> Tensor:
    """Give pixels from 0 to 255 as the processor would give them, from -1 to 1."""
    return images.float() / (_BRIGHTEST / 2) - 1


def _clusters(examples: Sequence[Example], most: int | None) -> dict[str, list[Example]]:
    clusters: dict[str, list[Example]] = {}
    for example in examples:
        clusters.setdefault(example.cluster, []).append(example)
    return dict(itertools.islice(clusters.items(), most))


def _weights(examples: Sequence[Example]) -> dict[tuple[str, str], float]:
    """Weigh each question by one over its answer's share among all answers to the same question.

    Questions about a colour that is there make up an eighth of easy-VQA's yes/no colour questions. Asked as
    often as they occur, a model learns to answer them without looking.
    """
    pairs = Counter((e.question, e.answer) for e in examples)
    questions = Counter(e.question for e in examples)
    return {pair: min(questions[pair[0]] / count, _MOST_WEIGHT) for pair, count in pairs.items()}
