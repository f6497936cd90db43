"""The tasks by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from skipit_nb.backend.tasks import digits_vqa, easy_vqa
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import SettingError, UnknownTaskError

_LOADERS: dict[str, Callable[[str], Task]] = {
    easy_vqa.NAME: easy_vqa.load,
    digits_vqa.NAME: digits_vqa.load,
}
_SPLITS = ("train", "validation", "test")


def task_names() -> tuple[str, ...]:
    """Give the names of the tasks that `load_task` knows."""
    return tuple(_LOADERS)


def load_task(name: str, split: str = "test") -> Task:
    """Give the questions of a task, the same ones every time.

    Args:
        name: One of `task_names()`.
        split: ``train`` to learn from, ``validation`` to choose by, ``test`` to report once.

    Returns:
        The task; images are opened or drawn when they are asked for.

    Raises:
        UnknownTaskError: If there is no task of that name.
        SettingError: If there is no such split.
        MissingPackageError: If the package that holds the data is not installed.
    """
    if name not in _LOADERS:
        raise UnknownTaskError(name, task_names())
    if split not in _SPLITS:
        raise SettingError("split", split, f"one of {', '.join(_SPLITS)}")
    return _load(name, split)


@cache
def _load(name: str, split: str) -> Task:
    return _LOADERS[name](split)
