"""`Reader`: the rows of a benchmark made into questions, with their images beside them or to be read later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from skipit_nb.backend.tasks.hub.benchmark import Asked, Benchmark, ImageTable
from skipit_nb.backend.tasks.hub.files import Files, of_part, table_of
from skipit_nb.backend.tasks.hub.tables import Row, Table, fetched
from skipit_nb.backend.tasks.pictures import digest, opened
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import TaskDataError


class Reader:
    """One split of a benchmark. It reads when it is asked, and only what it is asked for.

    Args:
        benchmark: What it is.
        split: One of its splits.
        data_files: The user's own copies of its files; None for the hub's.
    """

    def __init__(self, benchmark: Benchmark, split: str, data_files: Files) -> None:
        self._benchmark = benchmark
        self._files = data_files
        self._prefix = f"{benchmark.name}/{split}/"
        self._split = split

    @cached_property
    def table(self) -> Table:
        """The rows of the questions."""
        benchmark = self._benchmark
        if benchmark.images is None:
            return self._table(self._files, benchmark.config, (*benchmark.columns, benchmark.image))
        return self._table(of_part(self._files, "questions"), benchmark.config, benchmark.columns)

    def all(self) -> list[Example]:
        """Every question; its image is read when it is asked for.

        Where nothing but the image tells which questions share one, the images are read too, and not kept.
        """
        columns = (*self._benchmark.columns, self._benchmark.image) if self._needs_pixels else self._benchmark.columns
        rows = enumerate(self.table.scan(columns))
        return _by_cluster(one for number, row in rows for one in self._made(number, row, self._later(number, row)))

    def some(self, numbers: Sequence[int]) -> list[Example]:
        """The questions of some rows, with their encoded images in memory."""
        column = self._benchmark.image
        rows = self.table.take(
            numbers, self._benchmark.columns if self._pictures else (*self._benchmark.columns, column)
        )
        images = self._images_of(rows)
        return _by_cluster(
            one
            for number in numbers
            for one in self._made(
                number,
                rows[number] | {column: images[number]},
                partial(opened, images[number], self.key(number)),
            )
        )

    def clusters(self) -> Sequence[Any]:
        """For each row what it is drawn with: its image where a column names it, else itself."""
        cluster = self._benchmark.cluster
        if cluster is None:
            return range(self.table.num_rows)
        return [cluster(row) for row in self.table.scan(self._benchmark.cluster_columns)]

    def key(self, number: int) -> str:
        """The key of a row's question, or what its questions' keys begin with."""
        return f"{self._prefix}{number:06d}"

    def row_of(self, key: str) -> int | None:
        """The row that a key names; None if it names none."""
        number = key.removeprefix(self._prefix).split("-")[0]
        is_ours = key.startswith(self._prefix) and number.isdecimal() and int(number) < self.table.num_rows
        return int(number) if is_ours else None

    @property
    def _needs_pixels(self) -> bool:
        return self._benchmark.cluster is None and not self._benchmark.is_image_a_row

    def _table(self, files: Files, config: str | None, columns: Sequence[str]) -> Table:
        return table_of(self._benchmark, self._split, files, config=config, columns=columns)

    # ── images ───────────────────────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _pictures(self) -> _Pictures | None:
        """The images' own table; None where they stand beside the questions."""
        joined = self._benchmark.images
        if joined is None:
            return None
        columns = (joined.key, self._benchmark.image)
        return _Pictures(self._table(of_part(self._files, "images"), joined.config, columns), joined)

    def _images_of(self, rows: Mapping[int, Row]) -> dict[int, Any]:
        """The encoded image of each row."""
        column = self._benchmark.image
        if self._pictures is None:
            return {number: row[column] for number, row in rows.items()}
        places = {number: self._pictures.place(row) for number, row in rows.items()}
        found = self._pictures.table.take(sorted(set(places.values())), [column])
        return {number: found[place][column] for number, place in places.items()}

    def _later(self, number: int, row: Row) -> Any:
        """Reads a row's image when it is called."""
        table, place = (self._pictures.table, self._pictures.place(row)) if self._pictures else (self.table, number)
        return partial(_read, table.place_of(place, self._benchmark.image), self.key(number))

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _made(self, number: int, row: Row, loader: Any) -> Iterator[Example]:
        asked = list(self._benchmark.ask(row))
        cluster = self._cluster(number, row)
        for turn, one in enumerate(asked):
            key = self.key(number) if len(asked) == 1 else f"{self.key(number)}-{turn}"
            yield self._example(key, cluster, one, loader)

    def _cluster(self, number: int, row: Row) -> str:
        benchmark = self._benchmark
        if benchmark.cluster:
            return f"{benchmark.name}/{benchmark.cluster(row)}"
        if benchmark.is_image_a_row or row[benchmark.image] is None:
            return self.key(number)
        return f"{benchmark.name}/{digest(row[benchmark.image])}"

    def _example(self, key: str, cluster: str, asked: Asked, loader: Any) -> Example:
        return Example(
            key=key,
            question=asked.question,
            answer=asked.answer,
            kind=asked.kind,
            cluster=cluster,
            loader=loader,
            answers=asked.answers,
            choices=asked.choices,
            scorer=self._benchmark.scorer,
            group=asked.group,
        )


class _Pictures:
    """Images in a table of their own."""

    def __init__(self, table: Table, joined: ImageTable) -> None:
        self.table = table
        self._joined = joined
        self._rows = {row[joined.key]: number for number, row in enumerate(table.scan([joined.key]))}

    def place(self, row: Row) -> int:
        """The number of the image that a question is about.

        Raises:
            TaskDataError: If it is not there.
        """
        key = row[self._joined.of]
        if key not in self._rows:
            raise TaskDataError(
                f"a question about {key!r}", f"there is no image {key!r}", f"it in {self._joined.config}"
            )
        return self._rows[key]


def _read(place: tuple[str, int, int, str], what: str) -> Any:
    return opened(fetched(*place), what)


def _by_cluster(examples: Iterable[Example]) -> list[Example]:
    """The same questions, those of a cluster next to each other, clusters as they first come."""
    clusters: dict[str, list[Example]] = {}
    for example in examples:
        clusters.setdefault(example.cluster, []).append(example)
    return [example for members in clusters.values() for example in members]
