"""`HubTask`: a benchmark as a task that reads what it is asked for, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from skipit_nb.backend.tasks.hub.benchmark import Benchmark
from skipit_nb.backend.tasks.hub.drawing import draw
from skipit_nb.backend.tasks.hub.files import Files, commit_of
from skipit_nb.backend.tasks.hub.reader import Reader
from skipit_nb.backend.tasks.scoring.registry import known_scorer
from skipit_nb.backend.tasks.task import Example, Task, refuse_draw
from skipit_nb.errors import SettingError


class HubTask(Task):
    """A benchmark on the hub. Making one reads nothing.

    - `sample(limit)` reads the column of image ids, draws whole images (see `draw`: what is random, and what is not),
      and then only the row groups that hold them. Their encoded images are kept in memory.
    - `examples` reads the text of all questions; each image is read when it is asked for.

    A benchmark whose images no column names (ScienceQA, AI2D) is drawn by row: a draw may then hold some questions
    about an image and not the others. They still form one cluster, by a digest of the image.

    Args:
        benchmark: What it is.
        split: One of its splits; None for the one that is reported.
        data_files: Parquet files to read in place of the hub's, with the same columns; where the images have files of
            their own, a dict of "questions" and "images".

    Raises:
        SettingError: If it has no such split.
    """

    benchmark: Benchmark
    data_files: Files

    def __init__(self, benchmark: Benchmark, split: str | None = None, data_files: Files = None) -> None:
        split = benchmark.splits[0] if split is None else split
        if split not in benchmark.splits:
            raise SettingError("split", split, f"one of {', '.join(benchmark.splits)}, which have answers")
        # Its other fields, version and examples, cost a network: they come when they are asked for.
        vars(self).update(
            name=benchmark.name,
            split=split,
            max_new_tokens=benchmark.max_new_tokens,
            metric=benchmark.metric,
            benchmark=benchmark,
            data_files=data_files,
        )

    def __repr__(self) -> str:
        """Name the task and its source, without asking the network."""
        return f"HubTask({self.name!r}, split={self.split!r}, source={self.benchmark.source!r})"

    def __eq__(self, other: object) -> bool:
        """Whether it is this very task; to compare all questions would read all of them."""
        return self is other

    __hash__ = object.__hash__

    @cached_property
    def version(self) -> str:
        """The home of the data and its commit, or that the files are the user's own."""
        home = " ".join(filter(None, (self.benchmark.repo, self.benchmark.config)))
        if self.data_files is not None:
            return f"{home}, local files"
        return f"{home} @ {commit_of(self._reader.table) or self.benchmark.revision or 'a commit not told'}"

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """All questions, those about one image next to each other.

        Raises:
            DatasetNotFoundError: If the data cannot be had.
            TaskDataError: If the files have other columns.
        """
        return tuple(self._reader.all())

    def sample(self, limit: int | None = None, seed: int = 0) -> tuple[Example, ...]:
        """Give the questions about images drawn at random; see `draw` for what is random.

        Args:
            limit: The least number of questions; None for all of them.
            seed: Of the draw.

        Raises:
            LimitError: If the limit is below 1.
            SettingError: If the seed is below 0.
            DatasetNotFoundError: If the data cannot be had.
            TaskDataError: If the files have other columns.
        """
        refuse_draw(limit, seed)
        if limit is None:
            return self.examples
        blocks = self._reader.table.blocks
        numbers = draw(
            self._reader.clusters(),
            [number for number, block in enumerate(blocks) for _ in range(block.num_rows)],
            [block.num_bytes for block in blocks],
            limit=limit,
            seed=seed,
        )
        return tuple(_first_clusters(self._reader.some(numbers), limit))

    def drawn(self, limit: int | None, seed: int = 0) -> Task:
        """The task of the questions that `sample` draws."""
        if limit is None:
            return self
        return Task(self.name, self.split, self.version, self.sample(limit, seed), self.max_new_tokens, self.metric)

    def scored_by(self, scorer: str) -> Task:
        """The same benchmark under another rule.

        Raises:
            SettingError: If there is no such rule.
        """
        return HubTask(replace(self.benchmark, scorer=known_scorer(scorer)), self.split, self.data_files)

    def example(self, key: str) -> Example:
        """Give the question with this key; reads its row alone.

        Raises:
            SettingError: If no question has it.
        """
        number = self._reader.row_of(key)
        found = {} if number is None else {example.key: example for example in self._reader.some([number])}
        if key not in found:
            raise SettingError("key", key, f"the key of a question, such as {self._reader.key(0)!r}")
        return found[key]

    @cached_property
    def _reader(self) -> Reader:
        return Reader(self.benchmark, self.split, self.data_files)


def _first_clusters(examples: Sequence[Example], limit: int) -> list[Example]:
    """Whole clusters from the beginning until there are at least `limit` questions."""
    chosen: list[Example] = []
    for example in examples:
        if len(chosen) >= limit and example.cluster != chosen[-1].cluster:
            break
        chosen.append(example)
    return chosen
