"""Tasks: questions about images with a known answer, and how an answer is scored."""

from skipit_nb.backend.tasks.registry import hub_task_names, load_task, task_names
from skipit_nb.backend.tasks.scoring import Score, metric_names, put_together, score, scorer_names
from skipit_nb.backend.tasks.task import Example, Task

__all__ = [
    "Example",
    "Score",
    "Task",
    "hub_task_names",
    "load_task",
    "metric_names",
    "put_together",
    "score",
    "scorer_names",
    "task_names",
]
