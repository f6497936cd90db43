"""How a finished model does on a task's validation and test split, beside what it would get without looking."""

from __future__ import annotations

from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.tasks import load_task
from skipit_nb.zoo.corpus import make_corpus
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.evaluate import accuracy, blank_accuracy, blind, by_kind, share
from skipit_nb.zoo.report import TaskReport


def measure(
    model: LlavaForConditionalGeneration, dialect: Dialect, task: str, max_images: int | None = None
) -> TaskReport:
    """Measure a model on a task's validation and test split, beside its baselines.

    Args:
        model: The model.
        dialect: How its prompts are made of token ids.
        task: Name of the task.
        max_images: The most images of each split; None for all.
    """
    test = make_corpus(load_task(task, "test"), dialect, max_images)
    validation = make_corpus(load_task(task, "validation"), dialect, max_images)
    examples = [item.example for row in test.items for item in row]
    right = accuracy(model, dialect, test)
    blank = blank_accuracy(model, dialect, test)
    guessed = blind(load_task(task, "train").examples, examples)
    return TaskReport(
        task=task,
        version=load_task(task).version,
        num_train_images=len({example.cluster for example in load_task(task, "train").examples}),
        num_train_questions=len(load_task(task, "train")),
        num_test_images=len(test),
        num_test_questions=len(examples),
        accuracy=share(right),
        validation_accuracy=share(accuracy(model, dialect, validation)),
        blind_accuracy=share(guessed),
        blank_image_accuracy=share(blank),
        kinds=by_kind(examples, right),
        blind_kinds=by_kind(examples, guessed),
        blank_image_kinds=by_kind(examples, blank),
    )
