"""A task: a fixed, named list of questions about images.

Questions about the same image form a cluster. A sample takes whole clusters, because questions about
one image are answered right or wrong together, and an interval that forgets it is too narrow.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipit_nb.backend.tasks.example import Example as Example  # noqa: PLC0414 - who wants a task wants its questions
from skipit_nb.backend.tasks.scoring.registry import known_scorer
from skipit_nb.errors import LimitError, NoExamplesError, SettingError

if TYPE_CHECKING:
    import pandas as pd

GENERATE_UNTIL, MULTIPLE_CHOICE = OUTPUT_TYPES = ("generate_until", "multiple_choice")
"""How questions are answered; the names are those of the harnesses."""


@dataclass(frozen=True, repr=False)
class Task:
    """A named list of questions, the same on every machine."""

    name: str
    """Name of the task, such as ``easy-vqa``."""
    split: str
    """The part of the data that the questions are from: train, validation or test."""
    version: str
    """Where the questions come from, precisely enough to get the same ones again."""
    examples: tuple[Example, ...]
    """All questions, those about one image next to each other."""
    max_new_tokens: int = 4
    """How many tokens a model may write as its answer."""
    metric: str = "accuracy"
    """What the scores of the questions are put together to, one of `metric_names()`."""
    until: tuple[str, ...] = ()
    """Texts that end an answer: it is cut before the first of them."""
    output_type: str = GENERATE_UNTIL
    """How a question is answered: "generate_until" by what the model writes, "multiple_choice" by the likeliest of its
    choices."""
    choices: tuple[str, ...] = ()
    """What any of the questions may be answered with, such as easy-VQA's 13 answers; empty where they are open, or have
    choices of their own."""

    def __post_init__(self) -> None:
        if not self.examples:
            raise NoExamplesError(f"task {self.name!r}")
        if self.output_type not in OUTPUT_TYPES:
            raise SettingError("output_type", self.output_type, f"one of {', '.join(OUTPUT_TYPES)}")

    def __len__(self) -> int:
        """Give the number of questions."""
        return len(self.examples)

    def __repr__(self) -> str:
        """Name the task, its size and its source."""
        questions, images = len(self), len(self._clusters)
        return (
            f"Task({self.name!r}, split={self.split!r}, {questions} question{'s' * (questions != 1)} about "
            f"{images} image{'s' * (images != 1)}, version={self.version!r})"
        )

    @property
    def full_name(self) -> str:
        """Name and split, as results carry them: ``easy-vqa/test``."""
        return f"{self.name}/{self.split}"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of question in this task, sorted."""
        return tuple(sorted({example.kind for example in self.examples}))

    def sample(self, limit: int | None = None, seed: int = 0) -> tuple[Example, ...]:
        """Give all questions about images drawn at random, until there are at least `limit` questions.

        Args:
            limit: The least number of questions; None for all of them, in their own order.
            seed: The same seed gives the same questions, and a larger limit only adds to them.

        Returns:
            Questions, whole clusters next to each other.

        Raises:
            LimitError: If the limit is below 1.
            SettingError: If the seed is below 0.
        """
        refuse_draw(limit, seed)
        if limit is None:
            return self.examples
        order = list(self._clusters)
        random.Random(seed).shuffle(order)  # noqa: S311  a draw of questions, not a secret
        chosen: list[Example] = []
        for cluster in order:
            if len(chosen) >= limit:
                break
            chosen.extend(self._clusters[cluster])
        return tuple(chosen)

    def drawn(self, limit: int | None, seed: int = 0) -> Task:
        """The task of the questions that `sample` draws."""
        return self if limit is None else replace(self, examples=self.sample(limit, seed))

    def answered_by(self, output_type: str | None) -> Task:
        """The same questions, answered in another way; None for the task's own.

        Raises:
            SettingError: If there is no such way.
        """
        return self if output_type is None else replace(self, output_type=output_type)

    def scored_by(self, scorer: str) -> Task:
        """The same questions under another rule.

        Raises:
            SettingError: If there is no such rule.
        """
        rule = known_scorer(scorer)
        return replace(self, examples=tuple(replace(one, scorer=rule, judge=None) for one in self.examples))

    def example(self, key: str) -> Example:
        """Give the question with this key.

        Raises:
            SettingError: If no question has it.
        """
        if key not in self._by_key:
            raise SettingError("key", key, f"the key of a question, such as {self.examples[0].key!r}")
        return self._by_key[key]

    @cached_property
    def _clusters(self) -> dict[str, list[Example]]:
        clusters: dict[str, list[Example]] = {}
        for example in self.examples:
            clusters.setdefault(example.cluster, []).append(example)
        return clusters

    @cached_property
    def _by_key(self) -> dict[str, Example]:
        return {example.key: example for example in self.examples}

    # ── own questions; `own` and `yaml_tasks` do the work ────────────────────────────────────────────────────────────

    @staticmethod
    def from_frame(frame: pd.DataFrame, *, name: str = "own", **reading: Any) -> Task:
        """Make a task of a DataFrame, one question a row; see `from_dicts`.

        Raises:
            TaskDataError: If a row has no question, no answer or no image where it should have one.
        """
        from skipit_nb.backend.tasks import own

        return own.from_frame(frame, name, **reading)

    @staticmethod
    def from_dicts(rows: Iterable[Mapping[str, Any]], *, name: str = "own", **reading: Any) -> Task:
        """Make a task of dicts, one question each: ``{"image": …, "question": …, "answer": …}``.

        Args:
            rows: The questions. They are not changed.
            name: Of the task.
            reading: How a row becomes a question, the fields of `own.Reading`: `doc_to_text`, `doc_to_visual`,
                `doc_to_target`, `doc_to_choice`, `process_results`, `cluster_key`, `kind`, `scorer`, `metric`,
                `max_new_tokens`, `output_type`, `until`. Each `doc_to_…` is the name of a column, a template such as
                ``"{{question}} Answer briefly."``, or a function of the row.

        Raises:
            TaskDataError: If a row has no question, no answer or no image where it should have one.
            NoExamplesError: If there are no rows.
        """
        from skipit_nb.backend.tasks import own

        return own.from_dicts(rows, name, **reading)

    @staticmethod
    def from_folder(folder: str | Path, *, name: str = "", **reading: Any) -> Task:
        """Make a task of a folder of images with a `questions.csv`: columns image, question, answer.

        An option per column A, B, C, … makes a multiple choice. Other arguments are those of `from_dicts`.

        Raises:
            TaskDataError: If there is no such file, or a row names an image that is not there.
        """
        from skipit_nb.backend.tasks import own

        return own.from_folder(Path(folder), name, **reading)

    @staticmethod
    def from_yaml(path: str | Path, *, trust: bool = False) -> Task:
        """Make a task of an lmms-eval task file with local data (parquet, json or csv).

        Args:
            path: The YAML file.
            trust: Whether functions that the file names (``!function utils.x``) may be imported and run.

        Raises:
            TaskDataError: If the file wants what is not there, or code and `trust` is False.
        """
        from skipit_nb.backend.tasks import yaml_tasks

        return yaml_tasks.from_yaml(Path(path), trust=trust)


def refuse_draw(limit: int | None, seed: int) -> None:
    """Refuse a draw of questions that is none.

    Raises:
        LimitError: If the limit is below 1.
        SettingError: If the seed is below 0.
    """
    if limit is not None and limit < 1:
        raise LimitError(limit)
    if seed < 0:
        raise SettingError("seed", seed, "a whole number of at least 0")
