"""The recipe of the model in the box: four stages, one seed, tens of minutes on two CPU cores.

Whatever was chosen here (steps, rates, sizes) was chosen by the validation split: images held out of
training. The test split is read once, by the finished weights as they are shipped.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.tasks import load_task
from skipit_nb.errors import SettingError
from skipit_nb.zoo.architecture import WIDTH, make_model, save
from skipit_nb.zoo.card import make_card, write_card
from skipit_nb.zoo.corpus import make_corpus
from skipit_nb.zoo.evaluate import accuracy, blind, by_kind, share
from skipit_nb.zoo.lessons import Lesson, make_lesson
from skipit_nb.zoo.report import Cost, Report, TaskReport
from skipit_nb.zoo.scenes import Symbols
from skipit_nb.zoo.stages import Classroom, Progress, StagePlan, StageProgress, run_stage

TASKS = ("easy-vqa", "digits-vqa")
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
        steps_scale: 1 for the recipe; 0.01 for a try-out of seconds that learns nothing.
        max_images: For a try-out, the most images of each task and split; None for all.

    Returns:
        What the card is made of: accuracy by task and type of question, baselines, cost.

    Raises:
        SettingError: If no step would be left, or no task is given.
        UnknownTaskError: If a task does not exist.
        MissingPackageError: If easy-VQA is asked for and not installed.
    """
    if steps_scale <= 0:
        raise SettingError("steps_scale", steps_scale, "above 0; 1 is the recipe")
    if not tasks:
        raise SettingError("tasks", tasks, f"at least one of {', '.join(TASKS)}")
    began, cpu_began = time.perf_counter(), time.process_time()
    plan = tuple(replace(stage, num_steps=max(1, round(steps_scale * stage.num_steps))) for stage in PLAN)
    lessons = [make_lesson(task, max_images) for task in tasks]
    model = _run(out, plan, seed, _best_device(device), lessons, progress or _silent)
    cost = Cost(
        wall_s=time.perf_counter() - began,
        cpu_s=time.process_time() - cpu_began,
        device=str(model.device),
        threads=torch.get_num_threads(),
        cores=os.cpu_count() or 1,
    )
    shipped = LlavaForConditionalGeneration.from_pretrained(out, dtype=torch.float32).to(model.device).eval()
    report = Report(
        seed=seed,
        plan=plan,
        tasks=tuple(measure(shipped, name, max_images) for name in tasks),
        num_parameters=shipped.num_parameters(),
        cost=cost,
    )
    write_card(make_card(report), out)
    return report


def measure(model: LlavaForConditionalGeneration, task: str, max_images: int | None = None) -> TaskReport:
    """Measure a model on a task's validation and test split, beside its baselines.

    Args:
        model: The model, with the vocabulary of the model in the box.
        task: Name of the task.
        max_images: The most images of each split; None for all.
    """
    test = make_corpus(load_task(task, "test"), max_images)
    validation = make_corpus(load_task(task, "validation"), max_images)
    examples = [item.example for row in test.items for item in row]
    right = accuracy(model, test)
    blank = accuracy(model, test, blank=True)
    guessed = blind(load_task(task, "train").examples, examples)
    return TaskReport(
        task=task,
        version=load_task(task).version,
        num_train_images=len({example.cluster for example in load_task(task, "train").examples}),
        num_train_questions=len(load_task(task, "train")),
        num_test_images=len(test),
        num_test_questions=len(examples),
        accuracy=share(right),
        validation_accuracy=share(accuracy(model, validation)),
        blind_accuracy=share(guessed),
        blank_image_accuracy=share(blank),
        kinds=by_kind(examples, right),
        blind_kinds=by_kind(examples, guessed),
        blank_image_kinds=by_kind(examples, blank),
    )


def _run(
    out: Path,
    plan: Sequence[StagePlan],
    seed: int,
    device: torch.device,
    lessons: Sequence[Lesson],
    progress: Progress,
) -> LlavaForConditionalGeneration:
    model = make_model(seed).to(device)
    room = Classroom(
        model=model,
        lessons=lessons,
        symbols=Symbols(WIDTH, spread=SYMBOL_SPREAD).to(device),
        seed=seed,
        progress=progress,
    )
    for stage in plan:
        run_stage(room, stage)
        save(model, out)
    return model


def _best_device(device: str | None) -> torch.device:
    return torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def _silent(progress: StageProgress) -> None:
    """Show nothing."""
