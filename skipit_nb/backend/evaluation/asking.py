"""Questions asked part by part: what was done, what failed, and what an interrupt leaves of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from skipit_nb.backend.evaluation.answering import Answered, Texts, scored
from skipit_nb.backend.evaluation.batches import Done, Gathered, Kept, Runs
from skipit_nb.backend.evaluation.failing import Failed
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import CancelledError
from skipit_nb.jobs import Tick
from skipit_nb.results import FailedQuestion, Provenance

R = TypeVar("R")

INTERRUPTS = (KeyboardInterrupt, CancelledError)
"""What somebody stops a run with."""
LEAST_IMAGES = 2
"""Of an interrupted run that is worth having: an interval needs two."""


class Asking(Generic[R]):
    """Asks some questions, part by part, and keeps what was done whatever ends it."""

    def __init__(self, runs: Runs, task: Kept[R | Failed], tick: Tick, total: int) -> None:
        self.done: list[tuple[Example, R]] = []
        self.failed: list[FailedQuestion] = []
        self._runs, self._task, self._tick, self._total = runs, task, tick, total
        self._workers: dict[Provenance, None] = {}

    @property
    def num_asked(self) -> int:
        """Questions that were done or failed."""
        return len(self.done) + len(self.failed)

    @property
    def is_enough(self) -> bool:
        """Whether what was done is about so many images that it is worth having by itself."""
        return len({example.cluster for example, _ in self.done}) >= LEAST_IMAGES

    def __call__(self, part: Sequence[Example], before: int = 0) -> None:
        """Ask some questions. What was done before an interrupt counts.

        Args:
            part: The questions.
            before: Of the work that the tick reports, so much was done elsewhere.

        Raises:
            KeyboardInterrupt: If the user interrupts.
            CancelledError: If the job was cancelled.
        """
        before, gathered = before + self.num_asked, Gathered(self._task)
        try:
            self._runs.run(part, gathered, tick=lambda so_far, _: self._tick(before + so_far, self._total))
        finally:
            self._workers |= gathered.workers
            self._take(gathered.of(part))

    def provenance(self, asked: Provenance) -> Provenance:
        """`asked`, with the questions that were done, and by whom."""
        made = Done([], tuple(self._workers)).provenance(asked)
        return replace(made, samples=tuple(example.key for example, _ in self.done))

    def leave_out(self, failed: Sequence[FailedQuestion]) -> None:
        """Take questions that failed elsewhere as failed here too."""
        keys = {question.key for question in failed}
        self.done = [(example, row) for example, row in self.done if example.key not in keys]
        self.failed += failed

    def _take(self, rows: Sequence[tuple[Example, R | Failed]]) -> None:
        self.done += [(example, row) for example, row in rows if not isinstance(row, Failed)]
        self.failed += [failed_question(example, row) for example, row in rows if isinstance(row, Failed)]


class Answering(Asking[Texts]):
    """Asks for answers, and scores them as they come."""

    def __init__(
        self, runs: Runs, task: Kept[Texts | Failed], tick: Tick, total: int, num_arms: int | None = None
    ) -> None:
        super().__init__(runs, task, tick, total)
        self.answered: list[Answered] = []
        self._num_arms = num_arms  # what comes behind them is no answer

    def _take(self, rows: Sequence[tuple[Example, Texts | Failed]]) -> None:
        super()._take(rows)
        fresh = self.done[len(self.answered) :]
        self.answered += scored([example for example, _ in fresh], [texts[: self._num_arms] for _, texts in fresh])


def failed_question(example: Example, why: Failed) -> FailedQuestion:
    """A question without an answer, as results keep it."""
    words = (example.question, example.answer, example.kind, example.cluster, why.error)
    return FailedQuestion(example.key, *map(as_utf8, words))


def as_utf8(text: str) -> str:
    """A text that every table and file takes: half a surrogate pair, as in a broken file name, becomes "?"."""
    return text.encode("utf-8", "replace").decode()
