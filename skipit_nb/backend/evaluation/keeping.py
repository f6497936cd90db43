"""Answers that a ledger holds are not asked for again; new ones are in it before the next batch begins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from skipit_nb.backend.evaluation.answering import answer_batch
from skipit_nb.backend.evaluation.batches import Work
from skipit_nb.backend.evaluation.ledger import Ledger
from skipit_nb.backend.evaluation.opened import weights_of
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The work of answering under several arms, of which a ledger may hold a part."""

    ledger: Ledger
    configurations: tuple[str, ...]
    """Their names in the ledger, one an arm."""
    arms: tuple[SkipSet, ...]
    max_new_tokens: int

    @classmethod
    def of(cls, ledger: Ledger, live: LiveModel, arms: Sequence[SkipSet], task: Task, batch_size: int) -> KeptAnswers:
        """Register every arm.

        Raises:
            LedgerError: If the ledger cannot be written.
        """
        names = tuple(ledger.register(deciding(live, arm, task, batch_size)) for arm in arms)
        return cls(ledger, names, tuple(arms), task.max_new_tokens)

    def left(self, batch: Sequence[Example]) -> Work[tuple[str, ...]] | None:
        """Answering under those arms that lack an answer; the batch stays whole, as answers depend on it in part."""
        arms = tuple(self.arms[number] for number in self._lacking(batch))
        return partial(answer_batch, arms=arms, max_new_tokens=self.max_new_tokens) if arms else None

    def completed(self, batch: Sequence[Example], made: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Keep what was made, and give the answers under every arm."""
        names = [self.configurations[number] for number in self._lacking(batch)]
        if names:
            answers = zip(batch, made, strict=True)
            self.ledger.keep(
                [(name, e.key, text) for e, given in answers for name, text in zip(names, given, strict=True)]
            )
        return [tuple(self.ledger[name, example.key] for name in self.configurations) for example in batch]

    def _lacking(self, batch: Sequence[Example]) -> list[int]:
        """Arms without an answer to one of the questions."""
        return [
            number
            for number, name in enumerate(self.configurations)
            if any(self.ledger.answer(name, example.key) is None for example in batch)
        ]


def deciding(live: LiveModel, skipset: SkipSet, task: Task, batch_size: int) -> dict[str, Any]:
    """Everything that decides an answer. Not the device: another card voids times, not answers.

    In half precision answers depend on the batch too, so its size is part of it there; in float32 it is not.
    """
    made, processor = live.provenance(), live.processor
    image_processor = getattr(processor, "image_processor", None)
    prepares = [
        type(processor).__name__,
        getattr(processor, "chat_template", None),
        image_processor.to_dict() if image_processor else None,
    ]
    return {
        "model": made.model,
        "revision": made.revision,
        "class": type(live.model).__name__,
        "weights": weights_of(live.model),
        "dtype": made.dtype,
        "attention": made.attention,
        "quantization": str(getattr(live.model.config, "quantization_config", None)),
        "processor": hashlib.sha256(json.dumps(prepares, sort_keys=True, default=str).encode()).hexdigest()[:16],
        "skipset": str(skipset),
        "task": task.full_name,
        "task_version": task.version,
        "max_new_tokens": task.max_new_tokens,
        "batch_size": None if made.dtype == "float32" else batch_size,
        "versions": dict(made.versions),
    }
