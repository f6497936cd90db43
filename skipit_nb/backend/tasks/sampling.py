"""Questions however a caller names them: by task name, as a task, or as a list."""

from __future__ import annotations

import random
from collections.abc import Iterable

from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.task import Example, Task, refuse_draw
from skipit_nb.errors import NoExamplesError


def as_task(task: str | Task, split: str | None = None) -> Task:
    """The task, loaded if it came by name: the split that is reported, unless another is named.

    Raises:
        UnknownTaskError: If there is no such task.
    """
    return load_task(task, split) if isinstance(task, str) else task


def questions_of(
    examples: str | Task | Iterable[Example], limit: int | None, seed: int
) -> tuple[tuple[Example, ...], str]:
    """The sampled questions, and the full name of their task ("" for the caller's own).

    Raises:
        NoExamplesError: If there are none.
        LimitError: If the limit is below 1.
        SettingError: If the seed is below 0.
    """
    refuse_draw(limit, seed)
    if isinstance(examples, str | Task):
        task = as_task(examples)
        return task.sample(limit, seed), task.full_name
    questions = tuple(examples)
    if not questions:
        raise NoExamplesError("a measurement")
    return (questions if limit is None else Task("own", "own", "", questions).sample(limit, seed)), ""


def one_of_each_image(
    examples: str | Task | Iterable[Example], limit: int | None, seed: int
) -> tuple[tuple[Example, ...], str]:
    """One question drawn of each of at most `limit` images, and the full name of their task.

    For what takes questions for independent draws. The same seed gives the same questions, and a larger limit only
    adds to them.

    Raises:
        NoExamplesError: If there are none.
        LimitError: If the limit is below 1.
        SettingError: If the seed is below 0.
    """
    refuse_draw(limit, seed)
    everything, name = questions_of(examples, None, seed)
    task = Task("own", "own", "", everything)
    in_turn = task.sample(len(everything), seed) if limit else everything
    about: dict[str, list[Example]] = {}
    for example in in_turn:
        about.setdefault(example.cluster, []).append(example)
    drawn = [random.Random(f"{seed} {image}").choice(some) for image, some in about.items()]  # noqa: S311 - no secret
    return tuple(drawn[:limit]), name
