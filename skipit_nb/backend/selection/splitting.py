"""Two halves of the questions that share no image: one to choose by, one to judge the choice by."""

from __future__ import annotations

import random
from collections.abc import Sequence

from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import SettingError


def halves(examples: Sequence[Example], seed: int) -> tuple[tuple[Example, ...], tuple[Example, ...]]:
    """Split questions into halves, whole images at a time, each half in the questions' own order.

    Args:
        examples: Questions.
        seed: Of the drawing of images.

    Raises:
        SettingError: If all questions are about one image.
    """
    clusters = list(dict.fromkeys(example.cluster for example in examples))
    if len(clusters) < 2:  # noqa: PLR2004  halves
        raise SettingError(
            "limit", len(examples), "enough questions to be about two images: one to choose by, one to judge"
        )
    random.Random(seed).shuffle(clusters)  # noqa: S311  a draw of questions, not a secret
    chosen = set(clusters[: len(clusters) // 2])
    first = tuple(example for example in examples if example.cluster in chosen)
    return first, tuple(example for example in examples if example.cluster not in chosen)
