"""Questions however a caller names them: by task name, as a task, or as a list."""

from __future__ import annotations

from collections.abc import Iterable

from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.task import Example, Task
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
    """
    if isinstance(examples, str | Task):
        task = as_task(examples)
        return task.sample(limit, seed), task.full_name
    questions = tuple(examples)
    if not questions:
        raise NoExamplesError("a measurement")
    return (questions if limit is None else Task("own", "own", "", questions).sample(limit, seed)), ""
