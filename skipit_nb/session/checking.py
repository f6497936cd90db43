"""What a skip set saves on this machine, and whether the instruments can be trusted."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from skipit_nb.backend.checks import running
from skipit_nb.backend.evaluation.efficiency import measuring
from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.tasks.sampling import questions_of
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import Checks, Efficiency
from skipit_nb.session.bound import Bound, at_least
from skipit_nb.skipset import SkipSet

NEW_TOKENS = 16
"""New tokens at most in the free-running mode, where no task says how many."""


class Verifies(Bound):
    """Measures what is saved, and checks itself."""

    def efficiency(
        self,
        b: SkipSet | str | None,
        a: SkipSet | str | None = None,
        *,
        task: str | Task | Iterable[Example] = "digits-vqa",
        prompts: int = 7,
        measure: Sequence[str] = measuring.MEASURES,
        seed: int = 0,
        progress: Tick | bool | None = None,
    ) -> Efficiency:
        """Measure what skip set B saves over A: time by stage, FLOPs, memory and energy, beside what is predicted.

        Every prompt is answered alone, with the arms in turn A B B A or B A A B, by chance, after a run of each that
        does not count; the device is waited for at every boundary. Time is told twice: for answers of the same, forced
        length, and for answers that end where the arm ends them. What this machine cannot tell is None, with a reason.

        Args:
            b: Skip set B.
            a: Skip set A; None for the full model.
            task: Where the prompts come from: a task's name (its test split), a task, or questions of your own.
            prompts: How many.
            measure: Some of "latency", "flops", "memory" and "energy"; by default all of them.
            seed: Of the sampling, and of the order of the arms.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If something else is to be measured, or on fewer than one prompt.
            UnsupportedSkipError: If the model cannot run one of the sets.
        """
        live, arms = self._open, (self._bound(a), self._bound(b))
        questions, name = questions_of(task, at_least("prompts", prompts, 1), seed)
        questions = questions[:prompts]
        made = live.provenance(task=name, samples=[question.key for question in questions], seed=seed)
        tokens = task.max_new_tokens if isinstance(task, Task) else NEW_TOKENS
        with shown(progress, "efficiency") as tick, memory_given_back(live.device):
            return measuring.efficiency(live, arms, questions, made, measure=measure, max_new_tokens=tokens, tick=tick)

    def check(
        self,
        skipset: SkipSet | str | None = None,
        *,
        task: str | Task | Iterable[Example] = "digits-vqa",
        limit: int = 16,
        seed: int = 0,
        progress: Tick | bool | None = None,
    ) -> Checks:
        """Try what must hold before numbers of this model mean anything: a short list, each passed or failed.

        An empty skip set changes no bit · the model is as before when a skip set comes off · asked twice, the same
        answers and the same time · the same tokens with and without a KV cache · a left-padded batch answers as single
        prompts do · FLOPs fall as predicted · the card is not slowed down.

        Args:
            skipset: What to check under; by default the set that came with the model's folder, else one that skips
                the vision tokens in the later half of the layers and one layer as a whole, as far as the model can.
            task: Where the prompts come from, as in `efficiency`.
            limit: Prompts; whole images, so that it may be a few more.
            seed: Of the sampling.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            UnsupportedSkipError: If the model cannot run the set.
            LimitError: If the limit is below 1.
        """
        live = self._open
        chosen = self.skip_config if skipset is None else self._bound(skipset)
        questions, name = questions_of(task, limit, seed)
        made = live.provenance(task=name, samples=[question.key for question in questions], seed=seed)
        with shown(progress, "check") as tick, memory_given_back(live.device):
            return running.check(live, chosen, questions, made, tick=tick)
