"""A comparison that somebody watches: how it stands, after whole images, with an interval that allows for looking."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import fmean

from skipit_nb.backend.evaluation.answering import Answered, Texts
from skipit_nb.backend.evaluation.asking import LEAST_IMAGES, Answering
from skipit_nb.backend.evaluation.batches import Here, Kept, Runs, batches
from skipit_nb.backend.evaluation.failing import Failed
from skipit_nb.backend.evaluation.stopping import so_far
from skipit_nb.backend.tasks.task import Example
from skipit_nb.jobs import Tick
from skipit_nb.results import Standing

SECONDS_BETWEEN_LOOKS = 0.25

Tell = Callable[[Standing], object]


class Watched(Answering):
    """Asks A and B as `Answering` does, in the same batches, and tells how it stands at most four times a second."""

    def __init__(
        self,
        runs: Runs,
        task: Kept[Texts | Failed],
        tick: Tick,
        total: int,
        examples: Sequence[Example],
        tell: Tell | None,
    ) -> None:
        super().__init__(runs, task, tick, total, num_arms=2)
        self._chunk = runs.chunk if isinstance(runs, Here) else None
        self._examples, self._tell, self._told = examples, tell, 0.0

    def __call__(self, part: Sequence[Example], before: int = 0) -> None:
        """Ask some questions, and tell after their batches; workers take a part as a whole, so then after it."""
        if self._tell is None:
            super().__call__(part, before)
            return
        for batch in batches(part, self._chunk or len(part)):
            super().__call__(batch, before)
            self._look(self._tell)

    def _look(self, tell: Tell) -> None:
        if time.monotonic() - self._told < SECONDS_BETWEEN_LOOKS:
            return
        rows = self._whole_images()
        if len({row.example.cluster for row in rows}) >= LEAST_IMAGES:
            tell(standing(rows, len(self._examples)))
            self._told = time.monotonic()

    def _whole_images(self) -> list[Answered]:
        """What was answered, without the image whose next question is still to come: that would be no look."""
        rest = self._examples[self.num_asked :]
        return [row for row in self.answered if not rest or row.example.cluster != rest[0].cluster]


def standing(answered: Sequence[Answered], planned: int) -> Standing:
    """How A and B stand after so many questions of whole images, of at least two, in random order."""
    found = so_far(answered)
    a, b = ([row.scores[arm].value for row in answered] for arm in (0, 1))
    return Standing(
        num_questions=len(answered),
        planned=planned,
        accuracy_a=fmean(a),
        accuracy_b=fmean(b),
        delta=found.value,
        low=found.low,
        high=found.high,
        worse=sum(two < one for one, two in zip(a, b, strict=True)),
        better=sum(two > one for one, two in zip(a, b, strict=True)),
        method=found.method,
    )
