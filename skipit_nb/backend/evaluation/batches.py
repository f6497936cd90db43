"""Questions worked through in batches, one row of results per question; here, on the session's own model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.jobs import Tick
from skipit_nb.results import Provenance

R = TypeVar("R")

Work = Callable[[LiveModel, Sequence[Example]], Sequence[R]]
"""Does one batch and gives one row per question. For an executor: a function of a module, or a `partial` of one."""


@dataclass(frozen=True, slots=True)
class Done(Generic[R]):
    """What came of it."""

    rows: list[R]
    """One per question, in the order of the questions."""
    workers: tuple[Provenance, ...] = ()
    """Where it was done, each once; empty for here."""

    def provenance(self, asked: Provenance) -> Provenance:
        """`asked`, with the devices and versions of the workers who answered."""
        if not self.workers:
            return asked
        versions = [dict(worker.versions) for worker in self.workers]
        return replace(
            asked,
            device=_joined(worker.device for worker in self.workers),
            attention=_joined(worker.attention for worker in self.workers),
            versions=tuple((name, _joined(found[name] for found in versions)) for name in versions[0]),
        )


class Kept(Protocol[R]):
    """Work of which a part may have been done before, as a ledger knows."""

    def left(self, batch: Sequence[Example]) -> Work[R] | None:
        """What is still to do for a batch; None if nothing is."""

    def completed(
        self, batch: Sequence[Example], made: Sequence[R], worker: Provenance | None = None, /
    ) -> Sequence[R]:
        """The whole rows of a batch, given what was made of what was left, and by whom if not here; keeps it."""


class Runs(Protocol):
    """Something that works through questions in batches: `Here`, or a `Crew` of workers."""

    def run(self, examples: Sequence[Example], work: Work[R] | Kept[R], *, tick: Tick) -> Done[R]:
        """Do `work` on each batch; one row per question, in order."""


@dataclass(frozen=True, slots=True)
class Anew(Generic[R]):
    """Work of which nothing was done before."""

    work: Work[R]

    @classmethod
    def unless_kept(cls, work: Work[R] | Kept[R]) -> Kept[R]:
        """Work as one that may have been done before."""
        return cls(work) if callable(work) else work

    def left(self, _: Sequence[Example]) -> Work[R]:
        """All of it."""
        return self.work

    def completed(self, batch: Sequence[Example], made: Sequence[R], _: Provenance | None = None, /) -> Sequence[R]:
        """What was made."""
        return checked(made, batch)


class Gathered(Generic[R]):
    """Work that remembers what came of it batch by batch, so that an interrupt does not take it along."""

    def __init__(self, task: Kept[R]) -> None:
        self.workers: dict[Provenance, None] = {}
        self._task = task
        self._rows: dict[int, R] = {}

    def left(self, batch: Sequence[Example]) -> Work[R] | None:
        """What is still to do for a batch."""
        return self._task.left(batch)

    def completed(
        self, batch: Sequence[Example], made: Sequence[R], worker: Provenance | None = None, /
    ) -> Sequence[R]:
        """The whole rows of a batch; remembers them."""
        rows = self._task.completed(batch, made, worker)
        self._rows |= {id(example): row for example, row in zip(batch, rows, strict=True)}
        if worker is not None:
            self.workers[worker] = None
        return rows

    def of(self, examples: Sequence[Example]) -> list[tuple[Example, R]]:
        """Those of the questions that were done, in their order, with what came of them."""
        return [(example, self._rows[id(example)]) for example in examples if id(example) in self._rows]


@dataclass(frozen=True, slots=True)
class Here:
    """The session's own model."""

    live: LiveModel
    chunk: int
    """Questions a batch."""

    def run(self, examples: Sequence[Example], work: Work[R] | Kept[R], *, tick: Tick) -> Done[R]:
        """Do `work` on each batch; one row per question, in order."""
        rows: list[R] = []
        task = Anew.unless_kept(work)
        tick(0, len(examples))
        for batch in batches(examples, self.chunk):
            left = task.left(batch)
            rows.extend(task.completed(batch, left(self.live, batch) if left else ()))
            tick(len(rows), len(examples))
        return Done(rows)


def batches(examples: Sequence[Example], size: int) -> Iterator[Sequence[Example]]:
    """The same batches wherever they are done: padding, and so the last bit of an answer, depends on them."""
    return (examples[start : start + size] for start in range(0, len(examples), size))


def checked(rows: Sequence[R], batch: Sequence[Example]) -> Sequence[R]:
    """The rows, one per question."""
    assert len(rows) == len(batch), f"{len(rows)} rows for {len(batch)} questions"  # noqa: S101  our own mistake
    return rows


def _joined(words: Iterable[str]) -> str:
    return " + ".join(sorted(set(words)))
