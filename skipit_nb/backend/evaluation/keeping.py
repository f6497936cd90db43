"""Answers that a ledger holds are not asked for again; new ones are in it before the next batch begins."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from skipit_nb.backend.evaluation.answering import Arm, Texts, answering
from skipit_nb.backend.evaluation.batches import Anew, Kept, Work
from skipit_nb.backend.evaluation.deciding import deciding, document
from skipit_nb.backend.evaluation.failing import Careful, Failed
from skipit_nb.backend.evaluation.ledger import ERRORS, Ledger
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.results import Provenance

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Only(Generic[R]):
    """Work on some questions of a batch; None for the others."""

    work: Work[R]
    keys: frozenset[str]

    def __call__(self, live: LiveModel, batch: Sequence[Example]) -> list[R | None]:
        """Do them as a batch of their own."""
        made = iter(self.work(live, [example for example in batch if document(example) in self.keys]))
        return [next(made) if document(example) in self.keys else None for example in batch]


def to_ask(batch: Sequence[Example], missing: Iterable[str], ledger: Ledger, names: Sequence[str]) -> frozenset[str]:
    """The questions of a batch that are asked, by key, if those that are `missing` have no answer.

    Answers depend on their batch in part, so it stays whole; but where nothing is missing except what had an error
    before, the others were answered without it already.
    """
    failed = {key for key in missing if any(ledger.error(name, key) is not None for name in names)}
    return frozenset(failed if failed >= set(missing) else map(document, batch))


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The work of answering under several arms, of which a ledger may hold a part."""

    ledger: Ledger
    configurations: tuple[str, ...]
    """Their names in the ledger, one an arm."""
    arms: tuple[Arm, ...]
    task: Task

    @classmethod
    def of(cls, ledger: Ledger, live: LiveModel, arms: Sequence[Arm], task: Task, batch_size: int) -> KeptAnswers:
        """Register every arm.

        Raises:
            LedgerError: If the ledger cannot be written.
        """
        names = tuple(ledger.register(deciding(live, arm, task, batch_size)) for arm in arms)
        return cls(ledger, names, tuple(arms), task)

    def left(self, batch: Sequence[Example]) -> Work[Texts | Failed] | None:
        """Answering under those arms that lack an answer."""
        arms = tuple(self.arms[number] for number in self._lacking(batch))
        if not arms:
            return None
        missing = {
            key
            for key in map(document, batch)
            if any(self.ledger.answer(name, key) is None for name in self.configurations)
        }
        keys = to_ask(batch, missing, self.ledger, self.configurations)
        return Only(Careful(answering(self.task, arms)), keys)  # type: ignore[return-value]  # completed knows the gaps

    def completed(
        self, batch: Sequence[Example], made: Sequence[Texts | Failed | None], _: Provenance | None = None, /
    ) -> list[Texts | Failed]:
        """Keep what was made, and give the answers under every arm."""
        names = [self.configurations[number] for number in self._lacking(batch)]
        asked = dict(zip(map(document, batch), made, strict=True)) if names else {}
        failed = {key: row for key, row in asked.items() if isinstance(row, Failed)}
        texts = {key: row for key, row in asked.items() if isinstance(row, tuple)}
        self.ledger.keep(
            [(name, key, text) for key, row in texts.items() for name, text in zip(names, row, strict=True)]
        )
        self.ledger.keep([(name, key, row.error) for key, row in failed.items() for name in names], ERRORS)
        return [
            failed.get(key) or tuple(self.ledger[name, key] for name in self.configurations)
            for key in map(document, batch)
        ]

    def _lacking(self, batch: Sequence[Example]) -> list[int]:
        """Arms without an answer to one of the questions."""
        return [
            number
            for number, name in enumerate(self.configurations)
            if any(self.ledger.answer(name, key) is None for key in map(document, batch))
        ]


def answers_of(
    ledger: Ledger | None, live: LiveModel, arms: Sequence[Arm], task: Task, batch_size: int
) -> Kept[Texts | Failed]:
    """The work of answering a task's questions under some arms, with a ledger or without.

    Raises:
        LedgerError: If the ledger cannot be written.
    """
    if ledger is None:
        return Anew(Careful(answering(task, arms)))
    return KeptAnswers.of(ledger, live, arms, task, batch_size)
