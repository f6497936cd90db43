"""What every recipe does before its first stage and after its last one."""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.live.placement import named_device
from skipit_nb.errors import SettingError
from skipit_nb.zoo.card import make_card, write_card
from skipit_nb.zoo.classroom import StagePlan
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.measure import measure
from skipit_nb.zoo.report import Cost, Report

TASKS = ("easy-vqa", "digits-vqa")
"""What the models in the box learn."""


class Course:
    """One run of a recipe; its clock starts when it is made.

    Args:
        name: Of the model.
        plan: The recipe's stages.
        seed: Of everything random.
        tasks: What is taught.
        steps_scale: Share of each stage's steps, 1 for the recipe.
        max_images: The most images of each task and split; None for all.

    Raises:
        SettingError: If `steps_scale` is no number of steps, or no task is given.
    """

    def __init__(
        self,
        name: str,
        plan: Sequence[StagePlan],
        *,
        seed: int,
        tasks: Sequence[str],
        steps_scale: float,
        max_images: int | None,
    ) -> None:
        if not 0 < steps_scale < math.inf:
            raise SettingError("steps_scale", steps_scale, "above 0 and finite; 1 is the recipe")
        if not tasks:
            raise SettingError("tasks", tasks, f"at least one of {', '.join(TASKS)}")
        self.plan = tuple(replace(stage, num_steps=max(1, round(steps_scale * stage.num_steps))) for stage in plan)
        self._name, self._seed, self._tasks, self._max_images = name, seed, tuple(tasks), max_images
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def cost(self, device: torch.device) -> Cost:
        """Give what the run took so far."""
        return Cost(
            wall_s=time.perf_counter() - self._began,
            cpu_s=time.process_time() - self._cpu_began,
            device=str(device),
            threads=torch.get_num_threads(),
            cores=os.cpu_count() or 1,
        )

    def certify(self, shipped: LlavaForConditionalGeneration, dialect: Dialect, cost: Cost, out: Path) -> Report:
        """Measure the model as it is shipped, and leave its card in a folder.

        Args:
            shipped: The model, read back from the files.
            dialect: How its prompts are made of token ids.
            cost: What the training took.
            out: The folder.
        """
        report = Report(
            seed=self._seed,
            plan=self.plan,
            tasks=tuple(measure(shipped, dialect, task, self._max_images) for task in self._tasks),
            num_parameters=shipped.num_parameters(),
            cost=cost,
        )
        write_card(make_card(report, self._name), out)
        return report


def best_device(device: str | None) -> torch.device:
    """Give the device of that name; without one a GPU if there is one.

    Raises:
        DeviceError: If this machine does not have it.
    """
    return named_device(device) if device else torch.device("cuda" if torch.cuda.is_available() else "cpu")


def made_folder(out: Path) -> Path:
    """Make a folder that files are to be left in, before long work begins rather than when it ends.

    Raises:
        SettingError: If nothing can be written there.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            return out
    except OSError as error:
        raise SettingError("out", str(out), f"a folder to write into ({error.strerror})") from error
