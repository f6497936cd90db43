"""One answer, timed stage by stage."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass

import torch

from skipit_nb.backend.evaluation.efficiency.device import Device
from skipit_nb.backend.evaluation.efficiency.stages import LANGUAGE, VISION, watched
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Answering:
    """Milliseconds of one answer, from image and question to its last token."""

    preprocess: float
    """The processor, and the way to the device."""
    vision: float
    """Vision tower and projector."""
    prefill: float
    """The language model reading the prompt: decoder, and head for one position."""
    first_token: float
    """From the beginning until the first token is there."""
    per_token: float | None
    """Each further token; None if there was none."""
    total: float
    new_tokens: int


def timed_answer(
    live: LiveModel, skipset: SkipSet, example: Example, device: Device, *, at_least: int | None, at_most: int
) -> Answering:
    """Answer once and time it. Hold the model's lock.

    Args:
        live: The model.
        skipset: What is skipped.
        example: The question, answered alone.
        device: Waited for at every boundary that is timed; between later tokens it is left to run ahead.
        at_least: New tokens that are forced, whatever the model says; None lets it stop.
        at_most: New tokens at most.
    """
    watch, image = _Stopwatch(device), example.image  # a task may read it from a disk
    with live.skipping(skipset), watched(live, watch), torch.inference_mode():
        start = watch.now()
        inputs = live.inputs([image], [example.question])
        prepared = watch.now()
        new = generated(live, inputs, at_least=at_least, at_most=at_most)
        end = watch.now()
    first = end if watch.second_step is None else watch.second_step
    return Answering(
        preprocess=prepared - start,
        vision=watch.spent[VISION],
        prefill=watch.spent[LANGUAGE],
        first_token=first - start,
        per_token=(end - first) / (new - 1) if new > 1 else None,
        total=end - start,
        new_tokens=new,
    )


def generated(live: LiveModel, inputs: Inputs, *, at_least: int | None, at_most: int) -> int:
    """Let the model write one greedy answer, as its users do; how many tokens it wrote."""
    out = live.model.generate(
        **inputs, max_new_tokens=at_most, min_new_tokens=at_least, do_sample=False, num_beams=1,
        temperature=None, top_p=None, top_k=None,
    )  # fmt: skip
    return int(out.shape[1]) - inputs["input_ids"].shape[1]


class _Stopwatch:
    """Milliseconds spent in the stages of the first step, and when the second began."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._began = 0.0
        self.spent = Counter[str]()
        self.second_step: float | None = None

    def now(self) -> float:
        """Milliseconds, once the device has done what it was given."""
        self._device.synchronise()
        return 1000 * time.perf_counter()

    def begins(self, _: str, step: int) -> None:
        if step == 0:
            self._began = self.now()
        elif self.second_step is None:
            self.second_step = self.now()

    def ends(self, stage: str, step: int) -> None:
        if step == 0:
            self.spent[stage] += self.now() - self._began  # type: ignore[assignment]
