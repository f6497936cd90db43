"""Asking until the answer is clear: looks at whole images in random order, and an interval that allows for looking."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from skipit_nb.backend.evaluation.answering import Answered
from skipit_nb.backend.evaluation.asking import Answering
from skipit_nb.backend.evaluation.statistics import Interval, anytime_interval
from skipit_nb.backend.evaluation.verdict import verdict
from skipit_nb.backend.tasks.task import Example

LOOK = 128
"""Questions between two looks, at least."""


def until_clear(examples: Sequence[Example], asking: Answering, margin: float) -> None:
    """Ask up to the first look at which the verdict is clear; all of them if it never is.

    Args:
        examples: Questions, whole images next to each other, images in random order.
        asking: Asks them, and has the answers.
        margin: Of non-inferiority, a share.
    """
    for part in looks(examples):
        asking(part)
        if asking.answered and verdict(so_far(asking.answered), margin, 0.0).kind != "inconclusive":
            break


def so_far(answered: Sequence[Answered]) -> Interval:
    """The difference, with an interval that holds at every look."""
    a, b = ([row.scores[arm].value for row in answered] for arm in (0, 1))
    return anytime_interval(a, b, [row.example.cluster for row in answered])


def looks(examples: Sequence[Example], least: int = LOOK) -> Iterator[Sequence[Example]]:
    """Cut questions into parts of whole images, of at least so many questions each; the last may be smaller."""
    start = 0
    for end in range(1, len(examples) + 1):
        is_last = end == len(examples)
        if is_last or (end - start >= least and examples[end].cluster != examples[end - 1].cluster):
            yield examples[start:end]
            start = end
