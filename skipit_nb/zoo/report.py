"""What a training run came to: the values behind the model card."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.zoo.classroom import StagePlan

Kinds = dict[str, dict[str, float]]
"""For each type of question its accuracy (0 to 1) and n, the number of questions."""


@dataclass(frozen=True)
class TaskReport:
    """How the model does on one task. Accuracies are shares from 0 to 1, of the test split unless said."""

    task: str
    version: str
    num_train_images: int
    num_train_questions: int
    num_test_images: int
    num_test_questions: int
    accuracy: float
    validation_accuracy: float
    """On training images that were held out; what choices were made by."""
    blind_accuracy: float
    """Of the most frequent training answer to the same words."""
    blank_image_accuracy: float
    """Of the model itself, shown an empty pale image."""
    kinds: Kinds
    blind_kinds: Kinds
    blank_image_kinds: Kinds


@dataclass(frozen=True)
class Cost:
    """What the training took, evaluation apart."""

    wall_s: float
    cpu_s: float
    device: str
    threads: int
    cores: int


@dataclass(frozen=True)
class Report:
    """One training run."""

    seed: int
    plan: tuple[StagePlan, ...]
    tasks: tuple[TaskReport, ...]
    num_parameters: int
    cost: Cost
