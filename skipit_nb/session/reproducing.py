"""Whether this model shows what the paper says."""

from __future__ import annotations

from dataclasses import replace

from skipit_nb import zoo
from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.reproduction.protocol import reproduce
from skipit_nb.backend.tasks.hub.benchmark import SHORT_ANSWER
from skipit_nb.backend.tasks.registry import task_names
from skipit_nb.backend.tasks.sampling import as_task
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import SettingError
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import Reproduction
from skipit_nb.session.bound import Bound


class Reproduces(Bound):
    """Holds the paper's claims against the open model."""

    def reproduce(
        self,
        task: str | Task,
        *,
        margin: float = 0.02,
        limit: int | None = 1000,
        seed: int = 0,
        instruction: str | None = None,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Reproduction:
        """Run five acceptance checks of the paper's claims: passed, failed or undecided, each with an interval.

        Half of the images, without their answers, give distances and VAR, and with them the predicted late entry and
        early exit, the middle band and all bands of equal length. The other half then judges these with labels. A
        check that fails is a result, not an error: its `why` holds the numbers.

        Args:
            task: A task's name (its test split) or a task. A model that cannot do the task decides nothing.
            margin: Accuracy that may be lost, as a share; fix it before you look.
            limit: Whole images until at least so many questions; None for all of them. Half of them judge.
            seed: Of the sampling, the halves and the resamples.
            instruction: Written below every question. By default a request for a short answer where a task in the box
                is put to another model: most would answer in a sentence, which scores as wrong. Otherwise nothing.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If the margin is out of range, or the questions are about one image.
            LimitError: If the limit is below 1.
            UnknownTaskError: If there is no such task.
            NoImagesError: If no question has an image.
            UnsupportedSkipError: If the model can leave out vision tokens in no band of layers.
        """
        if not 0 < margin < 1:
            raise SettingError("margin", margin, "a share above 0 and below 1, such as 0.02 for two points")
        chosen = as_task(task)
        below = self._below(chosen) if instruction is None else instruction.strip()
        asked = [replace(q, question=f"{q.question}\n{below}" if below else q.question)
                 for q in chosen.sample(limit, seed)]  # fmt: skip
        with shown(progress, "reproduce") as tick, memory_given_back(self._open.device):
            data = self._calibration(asked, None, seed, batch_size, tick)
            made = replace(data.provenance, task=chosen.full_name)
            return reproduce(
                replace(data, provenance=made),
                margin=margin,
                instruction=below,
                max_new_tokens=chosen.max_new_tokens,
            )

    def _below(self, task: Task) -> str:
        """What stands below every question unless the caller says."""
        return "" if self.name in zoo.model_names() or task.name not in task_names() else SHORT_ANSWER.strip()
