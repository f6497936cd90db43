"""The recipe of the model in the box: four stages, one seed, tens of minutes on two CPU cores.

Whatever was chosen here (steps, rates, sizes) was chosen by the validation split: images held out of
training. The test split is read once, by the finished weights as they are shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.live.quiet import quiet_transformers
from skipit_nb.zoo.architecture import WIDTH, make_dialect, make_model, save
from skipit_nb.zoo.classroom import Classroom, Progress, StagePlan, StageProgress
from skipit_nb.zoo.course import TASKS, Course, best_device, made_folder
from skipit_nb.zoo.lessons import Lesson, make_lesson
from skipit_nb.zoo.report import Report
from skipit_nb.zoo.scenes import Symbols
from skipit_nb.zoo.stages import run_stage

PLAN = (
    StagePlan("vision", num_steps=1600, num_images=32, learning_rate=1e-3, num_questions=0),
    StagePlan("language", num_steps=700, num_images=16, learning_rate=2e-3),
    StagePlan("align", num_steps=160, num_images=32, learning_rate=2e-3, num_questions=0),
    StagePlan("all", num_steps=400, num_images=16, learning_rate=4e-4),
)
SYMBOL_SPREAD = 0.05
"""Standard deviation of the symbols' vectors before training, about that of the words'."""


def train(
    out: Path,
    *,
    seed: int = 0,
    device: str | None = None,
    tasks: Sequence[str] = TASKS,
    progress: Progress | None = None,
    steps_scale: float = 1.0,
    max_images: int | None = None,
) -> Report:
    """Train the model in the box anew, and leave weights, processor and model card in a folder.

    After each stage the folder holds a model that can be loaded.

    Args:
        out: The folder; made if it is not there, files of the same names are replaced.
        seed: The same seed, device and versions give the same weights.
        device: A torch device; None takes a GPU if there is one.
        tasks: What to teach: easy-vqa, digits-vqa, or both.
        progress: Called after each step.
        steps_scale: 1 for the recipe; 0.01 for a try-out that learns nothing.
        max_images: For a try-out, the most images of each task and split; None for all.

    Returns:
        What the card is made of: accuracy by task and type of question, baselines, cost.

    Raises:
        SettingError: If `steps_scale` is no number of steps, no task is given, or nothing can be written into `out`.
        DeviceError: If the device is not there.
        UnknownTaskError: If a task does not exist.
        MissingPackageError: If easy-VQA is asked for and not installed.
    """
    course = Course("tiny", PLAN, seed=seed, tasks=tasks, steps_scale=steps_scale, max_images=max_images)
    place = best_device(device)
    lessons = [make_lesson(task, make_dialect(), max_images) for task in tasks]
    folder = made_folder(out)
    _run(folder, course.plan, seed, place, lessons, progress or _silent)
    cost = course.cost(place)
    return course.certify(_read(folder).to(place).eval(), make_dialect(), cost, folder)


def _read(folder: Path) -> LlavaForConditionalGeneration:
    with quiet_transformers():
        model: LlavaForConditionalGeneration = LlavaForConditionalGeneration.from_pretrained(
            folder, dtype=torch.float32
        )
    return model


def _run(
    out: Path,
    plan: Sequence[StagePlan],
    seed: int,
    device: torch.device,
    lessons: Sequence[Lesson],
    progress: Progress,
) -> None:
    model = make_model(seed).to(device)
    room = Classroom(
        model=model,
        dialect=make_dialect(),
        lessons=lessons,
        symbols=Symbols(WIDTH, spread=SYMBOL_SPREAD).to(device),
        seed=seed,
        progress=progress,
    )
    for stage in plan:
        run_stage(room, stage)
        save(model, out)


def _silent(progress: StageProgress) -> None:
    """Show nothing."""
