"""Where a benchmark's parquet files are: on the hub, or where the user keeps copies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from skipit_nb.backend.tasks.hub.benchmark import Benchmark
from skipit_nb.backend.tasks.hub.tables import Table, package
from skipit_nb.errors import DatasetNotFoundError, SettingError, TaskDataError

Paths = str | Path | Sequence[str | Path]
Files = Paths | Mapping[str, Paths] | None
"""The user's own copies: a path, a pattern such as ``pope/*.parquet``, several, or a dict of these; None for none."""

_COMMIT = re.compile(r"@([^/]+)/")


def table_of(
    benchmark: Benchmark, split: str, data_files: Files, *, config: str | None, columns: Sequence[str]
) -> Table:
    """The rows of one configuration and split; nothing but the list of files and the end of the first is read.

    Raises:
        MissingPackageError: If the packages of the extra `data` are not installed.
        DatasetNotFoundError: If the files cannot be had.
        TaskDataError: If a column is not there.
    """
    table = Table(_urls(benchmark, split, data_files, config))
    try:
        names = table.column_names
    except OSError as error:
        raise DatasetNotFoundError(benchmark.name, benchmark.source, str(error)) from error
    if missing := [column for column in columns if column not in names]:
        raise TaskDataError(
            f"'{table.urls[0]}'", f"it has no column {missing[0]!r}", f"the columns {', '.join(columns)}"
        )
    return table


def commit_of(table: Table) -> str:
    """The commit that a table's files are of; "" for files that are not on the hub."""
    found = _COMMIT.search(table.urls[0]) if table.urls[0].startswith("hf://") else None
    return found[1] if found else ""


def of_part(data_files: Files, part: str) -> Files:
    """The user's files of one part of a benchmark, "questions" or "images".

    Raises:
        SettingError: If the files are not told apart.
    """
    if data_files is None:
        return None
    if not isinstance(data_files, Mapping) or part not in data_files:
        raise SettingError("data_files", data_files, 'a dict of "questions" and "images", which are files of their own')
    return data_files[part]


def _urls(benchmark: Benchmark, split: str, data_files: Files, config: str | None) -> tuple[str, ...]:
    datasets, paths = package("datasets"), None if data_files is None else _paths(data_files)
    try:
        if paths is None:
            builder = datasets.load_dataset_builder(benchmark.repo, config, revision=benchmark.revision)
        else:
            builder = datasets.load_dataset_builder("parquet", data_files={split: paths})
        found = builder.config.data_files or {}
    except (OSError, ValueError, RuntimeError) as error:  # whatever datasets and the hub's client raise
        raise DatasetNotFoundError(benchmark.name, benchmark.source, f"{type(error).__name__}: {error}") from error
    if not found.get(split):
        raise DatasetNotFoundError(benchmark.name, benchmark.source, f"there are no files of its split {split!r}")
    return tuple(str(url) for url in found[split])


def _paths(data_files: Paths | Mapping[str, Paths]) -> list[str]:
    """The user's files, one or several.

    Raises:
        SettingError: If they are told apart where the benchmark has one table.
    """
    if isinstance(data_files, Mapping):
        raise SettingError(
            "data_files", data_files, "a path or several; this benchmark has its images beside its questions"
        )
    return [str(data_files)] if isinstance(data_files, str | Path) else [str(one) for one in data_files]
