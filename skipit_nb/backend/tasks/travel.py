"""Questions on their way to another process: those of a task in the box by key, all others whole."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.backend.tasks.registry import load_task, task_names
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import SkipitError, WorkerError


@dataclass(frozen=True, slots=True)
class Reference:
    """A question that the other side has too: a hundred bytes instead of an image."""

    task: str
    split: str
    version: str
    key: str


def packed(example: Example) -> Reference | Example:
    """What travels: a reference to a question of a task in the box; any other example itself, with its loader."""
    task, split = (*example.key.split("/"), "")[:2]
    if task not in task_names():
        return example
    try:
        home = load_task(task, split)
        known = home.example(example.key)
    except SkipitError:  # no split of the task, or its key is not one of theirs
        return example
    # The same object: a caller's own example may borrow a key and show another image.
    return Reference(task, split, home.version, example.key) if known is example else example


def unpacked(question: Reference | Example) -> Example:
    """The example, found again in this process's own task.

    Raises:
        WorkerError: If the task here has another version, and so perhaps other questions.
    """
    if isinstance(question, Example):
        return question
    task = load_task(question.task, question.split)
    if task.version != question.version:
        raise WorkerError(
            f"a worker has the questions of {task.version!r}, this session those of {question.version!r}",
            "Install the same packages on both sides.",
        )
    return task.example(question.key)
