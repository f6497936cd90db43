"""easy-VQA: one coloured shape on a pale ground, questions about its colour and its shape.

The package's own test split is our test split. Its train split is parted in two by image: every 20th
image is for validation, so that choices need not look at the test.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from PIL import Image

from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.errors import MissingPackageError

NAME = "easy-vqa"
COLORS = ("black", "blue", "brown", "gray", "green", "red", "teal", "yellow")
SHAPES = ("circle", "rectangle", "triangle")

_VALIDATION_EVERY = 20
_NEGATION = re.compile(r"\b(no|not)\b")
_COLOR_NAME = re.compile(rf"\b({'|'.join(COLORS)})\b")


class _Row(NamedTuple):
    question: str
    answer: str
    image_id: int


def load(split: str) -> Task:
    """Give easy-VQA's questions of one split.

    Raises:
        MissingPackageError: If the package easy-vqa is not installed.
    """
    package = _package()
    source = "test" if split == "test" else "train"
    paths: dict[int, str] = getattr(package, f"get_{source}_image_paths")()
    rows = [_Row(*row) for row in zip(*getattr(package, f"get_{source}_questions")(), strict=True)]
    kept = [row for row in rows if _belongs(row.image_id, split)]
    examples = tuple(
        Example(
            key=f"{NAME}/{split}/{number:05d}",
            question=row.question,
            answer=row.answer,
            kind=kind_of(row.question),
            cluster=f"{NAME}/{source}/image-{row.image_id:04d}",
            loader=partial(_open, Path(paths[row.image_id])),
        )
        for number, row in enumerate(kept)
    )
    version = f"{NAME} {importlib.metadata.version(NAME)}"
    return Task(NAME, split, version, examples, choices=("yes", "no", *SHAPES, *COLORS))


def kind_of(question: str) -> str:
    """Give the type of a question: what it asks about, yes/no or open, negated or not."""
    if question.startswith("what"):
        # "what is the color of the circle?" asks for a colour, "what is the red shape?" for a shape.
        return "color" if "color" in question else "shape"
    subject = "color" if _COLOR_NAME.search(question) else "shape"
    return f"yes/no {subject} negated" if is_negated(question) else f"yes/no {subject}"


def is_negated(question: str) -> bool:
    """Whether the question asks if something is not there."""
    return _NEGATION.search(question) is not None


def _belongs(image_id: int, split: str) -> bool:
    held_out = image_id % _VALIDATION_EVERY == 0
    return split == "test" or held_out == (split == "validation")


def _package() -> ModuleType:
    try:
        return importlib.import_module("easy_vqa")
    except ImportError as err:
        raise MissingPackageError("easy-vqa", f"the task {NAME!r}", "pip install 'skipit-nb[tasks]'") from err


def _open(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")
