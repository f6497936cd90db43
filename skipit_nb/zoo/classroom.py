"""What a stage of a recipe needs: its plan, the model, the lessons, and who deals out images and questions."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import LlavaForConditionalGeneration

from skipit_nb.zoo.corpus import Item, pixel_values
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.lessons import Lesson, draw_items
from skipit_nb.zoo.packing import Packed, image_prefix, pack

_YES_NO = ("yes", "no")


@dataclass(frozen=True)
class StagePlan:
    """How long and how fast a stage learns."""

    name: str
    """What it teaches."""
    num_steps: int
    """Optimizer steps."""
    num_images: int
    """Images a step and task."""
    learning_rate: float
    """Highest rate; cosine down to 1 % after a short warm-up."""
    num_questions: int = 6
    """Questions an image; a stage without a decoder asks none."""


@dataclass(frozen=True)
class StageProgress:
    """Where the training is."""

    stage: str
    """Name of the stage."""
    step: int
    """Steps done in this stage."""
    num_steps: int
    """Steps of this stage."""
    loss: float
    """Loss of this step, in nats."""


Progress = Callable[[StageProgress], None]


@dataclass
class Classroom:
    """The model, the lessons, and the symbols that decoder and projector agree upon: all that a stage needs."""

    model: LlavaForConditionalGeneration
    dialect: Dialect
    lessons: Sequence[Lesson]
    symbols: nn.Module
    """Gives the vector of each patch from a scene and the decoder's embeddings."""
    seed: int
    progress: Progress

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.model.device
        return device


@dataclass(frozen=True)
class Batch:
    """Images drawn from all lessons in equal parts."""

    pixels: Tensor
    """As the model takes them, image x 3 x 64 x 64."""
    scenes: Tensor
    """What is to be seen, image x patch x facet."""
    items: Sequence[Sequence[Item]]
    """All questions about each image."""


class Dealer:
    """Deals batches and questions; each stage has one of its own, seeded by the stage's name."""

    def __init__(self, room: Classroom, plan: StagePlan) -> None:
        self.room, self.plan = room, plan
        self.rng = random.Random(f"{room.seed}/{plan.name}")  # noqa: S311  seeded training, not a secret
        self.generator = torch.Generator().manual_seed(self.rng.getrandbits(32))

    def deal(self, *, told: bool = False) -> Batch:
        """Draw images of each lesson; with `told`, only those of which the whole scene is known."""
        pixels, scenes, items = [], [], []
        for lesson in self.room.lessons:
            among = lesson.told if told else torch.arange(len(lesson.corpus))
            drawn = among[torch.randint(len(among), (self.plan.num_images,), generator=self.generator)]
            picture, scene = lesson.look(drawn, self.generator)
            pixels.append(picture)
            scenes.append(scene)
            items += [lesson.corpus.items[image] for image in drawn.tolist()]
        device = self.room.device
        return Batch(pixel_values(torch.cat(pixels)).to(device), torch.cat(scenes).to(device), items)

    def ask(self, batch: Batch, shown: Tensor | None = None, *, yes_no: bool = True) -> Packed:
        """Draw questions about each image and pack them.

        Args:
            batch: The images.
            shown: Whether each patch is shown, row x 64; None shows all.
            yes_no: Also ask questions that are answered with yes or no.
        """
        asked = batch.items if yes_no else [[item for item in items if is_open(item)] for items in batch.items]
        rows = [draw_items(items, self.plan.num_questions, self.rng) for items in asked]
        dialect = self.room.dialect
        if shown is None:
            prefixes = [image_prefix(dialect)] * len(rows)
        else:
            prefixes = [image_prefix(dialect, row.nonzero()[:, 0].tolist()) for row in shown.cpu()]
        return pack(dialect, prefixes, rows).to(self.room.device)

    def some_patches(self, scenes: Tensor) -> Tensor:
        """Choose all patches that show something and some of the empty ones, image x patch.

        Among few patches a decoder learns sooner to compare what it sees with what it is asked.
        """
        full = (scenes != 0).any(dim=-1)
        share = torch.rand(len(scenes), 1, generator=self.generator) ** 3
        return full | (torch.rand(full.shape, generator=self.generator) < share).to(full.device)


def is_open(item: Item) -> bool:
    """Whether a question asks for more than yes or no."""
    return item.example.answer not in _YES_NO
