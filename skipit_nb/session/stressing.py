"""What worse images, and attacks, do to the model, to skip sets and to redundancy."""

from __future__ import annotations

from collections.abc import Iterable

from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.robustness import measure
from skipit_nb.backend.robustness.conditions import Wanted, conditions
from skipit_nb.backend.tasks.sampling import as_task
from skipit_nb.backend.tasks.task import Task
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import Robustness
from skipit_nb.session.bound import Bound
from skipit_nb.skipset import SkipSet


class Stresses(Bound):
    """Measures under perturbed images."""

    def robustness(
        self,
        task: str | Task,
        skipsets: Iterable[SkipSet | str] = (),
        *,
        perturbations: Wanted = None,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> Robustness:
        """Measure what image noise, blur, occlusion and small attacks cost the full model and skip sets.

        Measures as well how far every layer turns the vision tokens then, and for every layer whether questions for
        which it turns them far are those that a perturbation costs: rank correlation across questions, with an
        interval. `charts.robustness_chart` draws it.

        Args:
            task: A task's name (its test split) or a task.
            skipsets: Skip sets; without any, the vision tokens absent at each layer alone. ["none"] asks the full model
                only, which is always asked.
            perturbations: Some of "noise", "blur", "occlusion", "fgsm" and "pgd"; or a mapping from these to
                severities, as in {"noise": (0.1,), "pgd": (4 / 255,)}. None for all of them at three severities each.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, of noise and places, and of the resampling.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If a perturbation is unknown, a severity out of range, or the model gives no gradient for an
                attack.
            UnsupportedSkipError: If the model cannot run one of the sets.
            NoExamplesError: If no question has an image.
            LimitError: If the limit is below 1.
        """
        live, chosen, runs = self._open, as_task(task), self._runs(None, batch_size)
        bound, tried = [self._bound(skipset) for skipset in skipsets], conditions(perturbations)
        questions = chosen.sample(limit, seed)
        made = live.provenance(task=chosen.full_name, seed=seed)
        with shown(progress, "robustness") as tick, memory_given_back(live.device):
            return measure.robustness(live, questions, bound, made, conditions=tried, runs=runs, tick=tick)
