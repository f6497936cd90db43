"""Scores of a sweep that a ledger holds are not computed again; a sweep of more sets computes the new ones alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from skipit_nb.backend.evaluation.batches import Work
from skipit_nb.backend.evaluation.deciding import deciding, document
from skipit_nb.backend.evaluation.failing import Careful, Failed
from skipit_nb.backend.evaluation.keeping import Only, to_ask
from skipit_nb.backend.evaluation.ledger import ERRORS, SCORES, Ledger
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.backend.trie.logits import Work as Layers
from skipit_nb.backend.trie.scores import Prefilled, prefill_batch
from skipit_nb.results import Provenance
from skipit_nb.skipset import SkipSet

Scores = dict[str, Any]
"""One question under one set: text, log_likelihood, kl, reverse_kl, agrees; and of the full model, noise."""


@dataclass(frozen=True, slots=True)
class KeptScores:
    """The work of scoring many sets from one prefill, of which a ledger may hold a part."""

    ledger: Ledger
    configurations: tuple[str, ...]
    """Their names in the ledger: the full model's, then one a set."""
    skipsets: tuple[SkipSet, ...]
    memory: int | None

    @classmethod
    def of(
        cls,
        ledger: Ledger,
        live: LiveModel,
        skipsets: Sequence[SkipSet],
        task: Task,
        batch_size: int,
        memory: int | None,
    ) -> KeptScores:
        """Register the full model and every set, apart from what they answer by generation.

        Raises:
            LedgerError: If the ledger cannot be written.
        """
        arms = (SkipSet.none(num_layers=live.shape.num_layers), *skipsets)
        names = (ledger.register(deciding(live, arm, task, batch_size) | {"scored": "prefill"}) for arm in arms)
        return cls(ledger, tuple(names), tuple(skipsets), memory)

    def left(self, batch: Sequence[Example]) -> Work[Prefilled | Failed] | None:
        """Scoring those sets that lack a score, beside the full model."""
        lacking = self._lacking(batch)
        if not lacking:
            return None
        missing = {
            key
            for key in map(document, batch)
            if any(self.ledger.scores(name, key) is None for name in self.configurations)
        }
        keys = to_ask(batch, missing, self.ledger, self.configurations)
        sets = tuple(self.skipsets[number] for number in lacking)
        work = Careful(partial(prefill_batch, skipsets=sets, memory=self.memory))
        return Only(work, keys)  # type: ignore[return-value]  # completed knows the gaps

    def completed(
        self, batch: Sequence[Example], made: Sequence[Prefilled | Failed | None], _: Provenance | None = None, /
    ) -> list[Prefilled | Failed]:
        """Keep what was found, and give the scores under every set."""
        lacking = self._lacking(batch)
        names = [self.configurations[0], *(self.configurations[number + 1] for number in lacking)]
        asked = dict(zip(map(document, batch), made, strict=True)) if lacking else {}
        failed = {key: row for key, row in asked.items() if isinstance(row, Failed)}
        found = {key: row for key, row in asked.items() if isinstance(row, Prefilled)}
        self.ledger.keep(
            [(name, key, scores) for key, row in found.items() for name, scores in zip(names, _each(row), strict=True)],
            SCORES,
        )
        self.ledger.keep([(name, key, row.error) for key, row in failed.items() for name in names], ERRORS)
        nothing = Layers()
        return [
            failed.get(key) or self._whole(key, found[key].work if key in found else nothing)
            for key in map(document, batch)
        ]

    def _lacking(self, batch: Sequence[Example]) -> list[int]:
        """Sets without scores of one of the questions; all of them if the full model lacks one."""
        lacks = [
            any(self.ledger.scores(name, key) is None for key in map(document, batch)) for name in self.configurations
        ]
        return [number for number in range(len(self.skipsets)) if lacks[0] or lacks[number + 1]]

    def _whole(self, key: str, work: Layers) -> Prefilled:
        """A question under every set, as the ledger has it."""
        rows = [self.ledger.scores(name, key) or {} for name in self.configurations]
        return Prefilled(
            texts=tuple(row["text"] for row in rows),
            log_likelihoods=tuple(math.nan if row["log_likelihood"] is None else row["log_likelihood"] for row in rows),
            kls=tuple(row["kl"] for row in rows),
            reverse_kls=tuple(row["reverse_kl"] for row in rows),
            agrees=tuple(row["agrees"] for row in rows),
            noise=rows[0]["noise"],
            work=work,
        )


def _each(row: Prefilled) -> list[Scores]:
    """A question under the full model, then under each set, as lines of JSON: null where there is no number."""
    found = [
        {
            "text": text,
            "log_likelihood": None if math.isnan(likelihood) else likelihood,
            "kl": kl,
            "reverse_kl": reverse,
            "agrees": agrees,
        }
        for text, likelihood, kl, reverse, agrees in zip(
            row.texts, row.log_likelihoods, row.kls, row.reverse_kls, row.agrees, strict=True
        )
    ]
    return [found[0] | {"noise": row.noise}, *found[1:]]
