"""The tasks by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from skipit_nb.backend.tasks import digits_vqa, easy_vqa
from skipit_nb.backend.tasks.hub.catalogue import BENCHMARKS
from skipit_nb.backend.tasks.hub.files import Files
from skipit_nb.backend.tasks.hub.hub_task import HubTask
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import SettingError, UnknownTaskError

_LOADERS: dict[str, Callable[[str], Task]] = {
    easy_vqa.NAME: easy_vqa.load,
    digits_vqa.NAME: digits_vqa.load,
}
_SPLITS = ("train", "validation", "test")


def task_names() -> tuple[str, ...]:
    """Give the names of the tasks in the box, which need no network."""
    return tuple(_LOADERS)


def hub_task_names() -> tuple[str, ...]:
    """Give the names of the benchmarks that are read from the Hugging Face hub."""
    return tuple(BENCHMARKS)


def load_task(
    name: str,
    split: str | None = None,
    *,
    limit: int | None = None,
    seed: int = 0,
    data_files: Files = None,
    revision: str | None = None,
) -> Task:
    """Give the questions of a task, the same ones every time.

    A benchmark of the hub is read when its questions are asked for, and with a limit in part: a column of image ids
    first, then the row groups that hold the questions drawn. It needs the extra `data` and a network, or `data_files`.

    Args:
        name: One of `task_names()` or `hub_task_names()`.
        split: None for the split that is reported. Of a task in the box also ``train`` to learn from, ``validation`` to
            choose by, ``test`` to report once.
        limit: The least number of questions, whole images drawn at random; None for all of them.
        seed: Of the draw.
        data_files: Of a benchmark, parquet files to read in place of the hub's; for GQA a dict of "questions" and
            "images".
        revision: Of a benchmark, the commit to read on the hub, such as `version` of an earlier run names it; None for
            the newest.

    Returns:
        The task; images are opened or drawn when they are asked for.

    Raises:
        UnknownTaskError: If there is no task of that name.
        SettingError: If there is no such split.
        LimitError: If the limit is below 1.
        MissingPackageError: If the package that holds or reads the data is not installed.
        DatasetNotFoundError: If a benchmark's data cannot be had, such as offline.
    """
    if name in BENCHMARKS:
        if revision is not None and data_files is not None:
            raise SettingError("revision", revision, "left out: data_files are read, not the hub")
        pinned = BENCHMARKS[name] if revision is None else replace(BENCHMARKS[name], revision=revision)
        return HubTask(pinned, split, data_files).drawn(limit, seed)
    if name not in _LOADERS:
        raise UnknownTaskError(name, (*task_names(), *hub_task_names()))
    for setting, value in (("data_files", data_files), ("revision", revision)):
        if value is not None:
            raise SettingError(setting, value, f"left out: {name} is in the box")
    split = "test" if split is None else split
    if split not in _SPLITS:
        raise SettingError("split", split, f"one of {', '.join(_SPLITS)}")
    return _load(name, split).drawn(limit, seed)


@cache
def _load(name: str, split: str) -> Task:
    return _LOADERS[name](split)
