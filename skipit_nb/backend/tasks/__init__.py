"""Tasks: questions about images with a known answer, and how an answer is scored."""

from skipit_nb.backend.tasks.registry import load_task, task_names
from skipit_nb.backend.tasks.scoring import Score, score
from skipit_nb.backend.tasks.task import Example, Task

__all__ = ["Example", "Score", "Task", "load_task", "score", "task_names"]
