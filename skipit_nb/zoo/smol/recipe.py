"""The recipe of smol: four stages on the two tasks, under an hour on one core of a processor with bfloat16.

Whatever was chosen here was chosen by the validation split: images held out of training. The test split is read
once, by the finished weights as they are shipped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn
from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.tasks import load_task
from skipit_nb.zoo.architecture import NUM_VISION_TOKENS
from skipit_nb.zoo.classroom import Classroom, Progress, StagePlan
from skipit_nb.zoo.corpus import make_corpus
from skipit_nb.zoo.course import TASKS, Course, best_device, made_folder
from skipit_nb.zoo.lessons import make_lesson
from skipit_nb.zoo.report import Report
from skipit_nb.zoo.smol.architecture import Backbone, make_model, make_processor, read_backbone
from skipit_nb.zoo.smol.assembled import merged
from skipit_nb.zoo.smol.diary import Diary
from skipit_nb.zoo.smol.low_rank import add_updates
from skipit_nb.zoo.smol.prompt import CHAT_TEMPLATE, make_dialect
from skipit_nb.zoo.smol.stages import run_stage
from skipit_nb.zoo.smol.words import Words

PLAN = (
    StagePlan("align", num_steps=300, num_images=32, learning_rate=2e-3, num_questions=0),
    StagePlan("name", num_steps=150, num_images=3, learning_rate=2e-3, num_questions=3),
    StagePlan("read", num_steps=200, num_images=3, learning_rate=1e-3),
    StagePlan("all", num_steps=300, num_images=4, learning_rate=1e-3),
)
HELD_OUT_IMAGES = 40
"""Validation images of each task that the log tells of; the card tells of all."""
RANK = 8
"""Rank of the decoder's updates."""


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
    """Train smol anew, and leave the trained part, configuration, processor and model card in a folder.

    Every hundred steps the folder holds what was learned so far, and `log.jsonl` gets a line with the loss and the
    accuracy on held-out images.

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
        MissingPackageError: If the language model or easy-VQA is not installed.
    """
    course = Course("smol", PLAN, seed=seed, tasks=tasks, steps_scale=steps_scale, max_images=max_images)
    folder, place = made_folder(out), best_device(device)
    backbone = read_backbone()
    dialect = make_dialect(backbone.tokenizer, NUM_VISION_TOKENS)
    model, updates = _pupil(backbone, seed, place)
    few = min(HELD_OUT_IMAGES, max_images or HELD_OUT_IMAGES)
    held_out = [make_corpus(load_task(task, "validation"), dialect, few) for task in tasks]
    room = Classroom(
        model=model,
        dialect=dialect,
        lessons=[make_lesson(task, dialect, max_images) for task in tasks],
        symbols=Words(backbone.tokenizer),
        seed=seed,
        progress=Diary(model, dialect, folder, held_out, progress).write,
    )
    for stage in course.plan:
        run_stage(room, stage, updates)
    _save_settings(model, backbone, folder)
    cost = course.cost(place)
    return course.certify(merged(read_backbone(), folder).to(place), dialect, cost, folder)


def _pupil(backbone: Backbone, seed: int, device: torch.device) -> tuple[LlavaForConditionalGeneration, nn.ModuleList]:
    """The model as it begins: the language model in bfloat16 and at rest, what learns in float32."""
    model = make_model(backbone, seed)
    model.model.language_model.bfloat16()
    model.lm_head.bfloat16()
    # Here one row's matrix is 200 x 200: written out by hand, attention is a sixth of a step faster.
    model.model.language_model.set_attn_implementation("eager")
    updates = add_updates(model.model.language_model, RANK)
    return model.to(device), updates


def _save_settings(model: LlavaForConditionalGeneration, backbone: Backbone, out: Path) -> None:
    model.config.save_pretrained(out)
    model.generation_config.save_pretrained(out)
    processor = make_processor(backbone.tokenizer)
    processor.image_processor.save_pretrained(out)
    (out / "chat_template.jinja").write_text(CHAT_TEMPLATE, encoding="utf-8")
