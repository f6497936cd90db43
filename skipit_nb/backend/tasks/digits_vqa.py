"""Digits-VQA: one to four handwritten digits on a canvas, questions about which, where and how many.

The digits are scikit-learn's 1,797 real ones of 8 x 8 pixels, enlarged two to three times. Train,
validation and test draw from different digit images, so that the test measures unseen handwriting.
A canvas is kept as a few numbers (`Canvas`) and drawn when it is asked for.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

import numpy as np
from PIL import Image

from skipit_nb.backend.tasks.task import Example, Task

NAME = "digits-vqa"
VERSION = "digits-vqa 1 (scikit-learn digits, seed 0)"
CANVAS_PX = 64
MAX_DIGITS = 4
CHOICES = ("yes", "no", *"0123456789")
"""Everything that is ever right."""

_SEED = 0
_NUM_CANVASES = {"train": 8000, "validation": 300, "test": 1000}
_SHARE_OF_SOURCES = {"train": (0.0, 0.7), "validation": (0.7, 0.78), "test": (0.78, 1.0)}
# Whole multiples of a digit's own 8 x 8 pixels, on a grid of 8: at any size and on any pixel, a tower of four layers
# had learned to read four digits in ten where it now reads nine.
_SIZES_PX = {1: (16, 24), 2: (16, 24), 3: (16, 24), 4: (16,)}
_GRID_PX = 8
_LEAST_LEAD_PX = 8  # "on the left" should not be a matter of taste
_MOST_INK = 16  # load_digits counts ink from 0 to 16


class Box(NamedTuple):
    """A square on the canvas, in pixels, (0, 0) at the upper left."""

    left: int
    top: int
    size: int

    @property
    def center(self) -> float:
        """How far the middle of the square is from the left edge, in pixels."""
        return self.left + self.size / 2

    def overlaps(self, other: Box) -> bool:
        """Whether the two squares share a pixel."""
        apart = (
            self.left + self.size <= other.left
            or other.left + other.size <= self.left
            or self.top + self.size <= other.top
            or other.top + other.size <= self.top
        )
        return not apart


@dataclass(frozen=True)
class Canvas:
    """Everything needed to draw one image: which digits, where, in which colours."""

    sources: tuple[int, ...]
    """Numbers of the digit images in `load_digits`, from left to right."""
    boxes: tuple[Box, ...]
    """Where each of them stands."""
    ink: tuple[int, int, int]
    """Colour of the strokes, red, green, blue, 0 to 255."""
    ground: tuple[int, int, int]
    """Colour of the paper."""

    @property
    def digits(self) -> tuple[int, ...]:
        """The digits that can be read, from left to right."""
        return tuple(int(_digits()[1][source]) for source in self.sources)

    def draw(self) -> Image.Image:
        """Draw the canvas, 64 x 64 pixels, RGB."""
        image = Image.new("RGB", (CANVAS_PX, CANVAS_PX), self.ground)
        for source, box in zip(self.sources, self.boxes, strict=True):
            image.paste(self.ink, (box.left, box.top), _stroke(source, box.size))
        return image


class _Question(NamedTuple):
    text: str
    answer: str
    kind: str


def load(split: str) -> Task:
    """Give Digits-VQA's questions of one split."""
    rng = random.Random(f"{NAME}/{split}/questions/{_SEED}")  # noqa: S311  seeded data, not a secret
    examples: list[Example] = []
    for number, canvas in enumerate(canvases(split)):
        for question in _questions(canvas.digits, rng):
            examples.append(
                Example(
                    key=f"{NAME}/{split}/{len(examples):05d}",
                    question=question.text,
                    answer=question.answer,
                    kind=question.kind,
                    cluster=f"{NAME}/{split}/image-{number:04d}",
                    loader=partial(_draw, split, number),
                )
            )
    return Task(NAME, split, VERSION, tuple(examples), choices=CHOICES)


@cache
def canvases(split: str) -> tuple[Canvas, ...]:
    """Give the canvases of one split, in the order of its images."""
    rng = random.Random(f"{NAME}/{split}/canvases/{_SEED}")  # noqa: S311  seeded data, not a secret
    sources = source_digits(split)
    return tuple(_random_canvas(sources, rng) for _ in range(_NUM_CANVASES[split]))


@cache
def source_digits(split: str) -> tuple[int, ...]:
    """Give the numbers of the digit images that this split draws from; no two splits share one."""
    order = list(range(len(_digits()[1])))
    random.Random(f"{NAME}/sources/{_SEED}").shuffle(order)  # noqa: S311  seeded data, not a secret
    first, last = (round(share * len(order)) for share in _SHARE_OF_SOURCES[split])
    return tuple(sorted(order[first:last]))


def _draw(split: str, number: int) -> Image.Image:
    return canvases(split)[number].draw()


def _questions(digits: tuple[int, ...], rng: random.Random) -> list[_Question]:
    count = _Question("how many digits are there?", str(len(digits)), "count")
    if len(digits) == 1:
        which = _Question("what digit is it?", str(digits[0]), "single digit")
        return [which, count, _presence(digits, rng, present=True), _presence(digits, rng, present=False)]
    left, right = digits[0], digits[-1]
    return [
        _Question("what digit is on the left?", str(left), "left digit"),
        _Question("what digit is on the right?", str(right), "right digit"),
        count,
        _presence(digits, rng, present=rng.random() < 0.5),  # noqa: PLR2004  a fair coin
        _Question("is the left digit larger than the right one?", "yes" if left > right else "no", "comparison"),
    ]


def _presence(digits: tuple[int, ...], rng: random.Random, *, present: bool) -> _Question:
    asked = rng.choice([digit for digit in range(10) if (digit in digits) == present])
    return _Question(f"is there a {asked}?", "yes" if present else "no", "presence")


def _random_canvas(sources: tuple[int, ...], rng: random.Random) -> Canvas:
    boxes = _random_boxes(rng.randint(1, MAX_DIGITS), rng)
    return Canvas(
        sources=tuple(rng.choice(sources) for _ in boxes),
        boxes=boxes,
        ink=_random_color(rng, 0, 110),
        ground=_random_color(rng, 200, 255),
    )


def _random_boxes(number: int, rng: random.Random) -> tuple[Box, ...]:
    while True:
        boxes: list[Box] = []
        for _ in range(number):
            size = rng.choice(_SIZES_PX[number])
            left, top = (rng.randrange(0, CANVAS_PX - size + 1, _GRID_PX) for _ in range(2))
            boxes.append(Box(left, top, size))
        boxes.sort(key=lambda box: box.center)
        if _is_readable(boxes):
            return tuple(boxes)


def _is_readable(boxes: list[Box]) -> bool:
    """Whether no digit covers another and nobody can doubt which is leftmost and which rightmost."""
    if any(box.overlaps(other) for i, box in enumerate(boxes) for other in boxes[:i]):
        return False
    centers = [box.center for box in boxes]
    leads = [after - before for before, after in itertools.pairwise(centers)]
    return not leads or min(leads[0], leads[-1]) >= _LEAST_LEAD_PX


def _random_color(rng: random.Random, low: int, high: int) -> tuple[int, int, int]:
    return (rng.randint(low, high), rng.randint(low, high), rng.randint(low, high))


@cache
def _stroke(source: int, size: int) -> Image.Image:
    ink = _digits()[0][source]
    mask = Image.fromarray((ink * (255 / _MOST_INK)).astype(np.uint8))
    return mask.resize((size, size), Image.Resampling.BICUBIC)


@cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits  # takes a second: only for who wants digits

    data = load_digits()
    return data.images, data.target
