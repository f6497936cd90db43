"""What a long training leaves behind while it runs: the weights so far, and a line of numbers every hundred steps."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

from transformers import LlavaForConditionalGeneration

from skipit_nb.zoo.classroom import Progress, StageProgress
from skipit_nb.zoo.corpus import Corpus
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.evaluate import accuracy, share
from skipit_nb.zoo.smol.trained import write_trained

LOG = "log.jsonl"
EVERY = 100
"""Steps between two entries."""


class Diary:
    """Hears of each step; keeps the weights and measures them on held-out images now and then.

    Args:
        model: The model that learns.
        dialect: How its prompts are made of token ids.
        out: Folder of the weights and the log.
        held_out: The images that are asked about.
        progress: Told of each step too.
    """

    def __init__(
        self,
        model: LlavaForConditionalGeneration,
        dialect: Dialect,
        out: Path,
        held_out: Sequence[Corpus],
        progress: Progress | None,
    ) -> None:
        self._model, self._dialect, self._out = model, dialect, out
        self._held_out, self._progress = held_out, progress
        self._losses: list[float] = []
        self._began = time.perf_counter()

    def write(self, at: StageProgress) -> None:
        """Take note of a step."""
        if self._progress:
            self._progress(at)
        self._losses.append(at.loss)
        if at.step % EVERY == 0 or at.step == at.num_steps:
            self._enter(at)

    def _enter(self, at: StageProgress) -> None:
        write_trained(self._model, self._out)
        self._model.eval()
        entry = {
            "stage": at.stage,
            "step": at.step,
            "loss": sum(self._losses) / len(self._losses),
            "validation": {corpus.name: self._accuracy(corpus) for corpus in self._held_out},
            "wall_s": round(time.perf_counter() - self._began, 1),
        }
        self._model.train()
        self._losses.clear()
        with (self._out / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(entry) + "\n")

    def _accuracy(self, corpus: Corpus) -> float:
        return share(accuracy(self._model, self._dialect, corpus))
