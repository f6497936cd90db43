"""Skip sets by rule, by published method, and by search."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.selection import conditions, methods, search
from skipit_nb.backend.selection.budget import Budget
from skipit_nb.backend.selection.controls import controls
from skipit_nb.backend.selection.equal_cost import equal_cost
from skipit_nb.backend.selection.racing import CHUNK, LEVEL, race
from skipit_nb.backend.tasks.sampling import as_task
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.jobs import Tick
from skipit_nb.progress import shown
from skipit_nb.results import EqualCost, Proposal, RaceResult, Recommendation, RedundancyProfile, SearchResult
from skipit_nb.session.bound import Bound, at_least
from skipit_nb.skipset import SkipSet


class Selects(Bound):
    """Finds skip sets."""

    def recommend(
        self,
        profile: RedundancyProfile,
        *,
        level: float = 0.05,
        max_distance: float | None = None,
        epsilon: float | None = None,
        max_tail: float | None = None,
        max_var: float | None = None,
    ) -> Recommendation:
        """Find the late entry and early exit that meet the paper's two conditions, with a reason for every layer.

        Args:
            profile: Measured on this model, with flow; without flow nothing is proposed.
            level: Of the nulls whose quantiles are the thresholds that are not set by hand, between 0 and 1: lower is
                stricter.
            max_distance: Threshold on the mean distance of vision tokens, in 1 - cos, 0 to 2.
            epsilon: ε of the tail probability, in 1 - cos; by default the typical layer's distance (geometric mean).
            max_tail: Threshold on P[d > ε], 0 to 1.
            max_var: Threshold on VAR, 0 to 1, for all layers.

        Raises:
            LayerCountError: If the profile is of a model with another number of layers.
            SettingError: If a threshold is out of range.
        """
        advice = conditions.recommend(
            conditions.of_model(profile, self.num_layers),
            level=level,
            max_distance=max_distance,
            epsilon=epsilon,
            max_tail=max_tail,
            max_var=max_var,
        )
        return conditions.priced(advice, self.shape)

    def methods(self) -> dict[str, str]:
        """Published training-free methods that `propose` knows, with what each does."""
        return methods.methods()

    def propose(
        self,
        method: str,
        examples: str | Task | Iterable[Example],
        *,
        limit: int | None = 64,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
        **knobs: Any,
    ) -> Proposal:
        """Let a published method take a skip set: `session.propose("shortgpt", task, layers=4).skipset`.

        Judge the set on other questions than it was taken from, and against `controls`.

        Args:
            method: "angular", "deepinsert", "llm-drop", "shortgpt", "shortv" or "vtw".
            examples: A task's name (its test split), a task, or examples to measure on.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.
            knobs: The method's own: `layers` (angular, shortgpt, shortv), `tokens` (angular, shortgpt), `sublayers`
                and `part` (llm-drop), `max_kl` and `first` (vtw), `depth` (deepinsert).

        Raises:
            SettingError: If there is no such method, it has no such knob, or it lacks one.
            UnsupportedSkipError: If the model can run nothing that the method chooses from.
        """
        with shown(progress, method) as tick, memory_given_back(self._open.device):
            return methods.propose(method, self._calibration(examples, limit, seed, batch_size, tick), **knobs)

    def controls(
        self, skipset: SkipSet | str, *, count: int = 20, seed: int = 0, contiguous: bool = False
    ) -> tuple[SkipSet, ...]:
        """Draw random skip sets that cost what this one costs, for `sweep`: what a method must beat.

        Args:
            skipset: Its layers' actions are shuffled.
            count: How many different sets; fewer come back where the model has fewer.
            seed: Of the drawing.
            contiguous: Keep bands of equal actions together.

        Raises:
            SettingError: If the count is below 1, or the set skips nothing.
        """
        return controls(self._open, self._bound(skipset), count=count, seed=seed, contiguous=contiguous)

    def equal_cost(
        self,
        task: str | Task,
        *,
        speedup: float,
        controls: int = 3,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> EqualCost:
        """Compare published methods, and random sets, at one predicted speed-up, on questions none was taken from.

        Every method gets the least that saves enough: the six of `methods`, and FastV and PyramidDrop, which drop
        tokens. Cost is prefill FLOPs of the decoder; `compare` measures time.

        Args:
            task: A task's name (its test split) or a task; half of the images choose, half judge.
            speedup: Predicted FLOPs of the full model / those of a method, above 1.
            controls: Random sets of the same cost for a set of vision tokens, and as many for one of whole layers.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, the halves and the random sets.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If the speed-up is not above 1, or no method reaches it on this model.
        """
        chosen = as_task(task)
        with shown(progress, "methods at equal cost") as tick, memory_given_back(self._open.device):
            data = self._calibration(chosen, limit, seed, batch_size, tick)
            return equal_cost(data, chosen, speedup=speedup, num_controls=at_least("controls", controls, 0))

    def search(  # noqa: PLR0913  each is a question a search has to settle
        self,
        examples: str | Task | Iterable[Example],
        *,
        speedup: float | None = None,
        latency: float | None = None,
        margin: float | None = None,
        moves: str | Iterable[SkipSet] = "whole",
        beam: int = 1,
        objective: str = "log_likelihood",
        racing: float | None = None,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> SearchResult:
        """Find the best skip set within a budget, greedily or by beam, and confirm it on images it never saw.

        Args:
            examples: A task's name (its test split), a task, or examples; half of the images choose, half confirm.
            speedup: Predicted FLOPs of the full model / those of the set to reach, above 1.
            latency: Instead: time to the first token of the full model / that of the set to reach, measured on this
                device for every set that the search goes on from, above 1. The vision tower's time bounds it.
            margin: Instead: accuracy to lose at most, as a share; the cheapest such set wins.
            moves: "whole", "attn", "mlp", "vision frozen" or "vision absent" for that action at any layer; or a list
                of skip sets to join.
            beam: Sets to go on from; 1 is the greedy search (SLEB).
            objective: "log_likelihood" of the right answer, "accuracy", or "kl" to the full model, without labels.
            racing: Let the sets of each step `race` with this margin, which asks most of them fewer questions; needs
                `beam=1` and `objective="accuracy"`. None asks every set everything.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, and of the halves.
            batch_size: Questions a batch; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If there is not exactly one budget, or a setting is out of range.
            UnsupportedSkipError: If the model can make none of the moves.
        """
        budget = Budget(speedup, latency, margin)
        with shown(progress, "search") as tick, memory_given_back(self._open.device):
            return search.search(
                self._calibration(examples, limit, seed, batch_size, tick),
                budget=budget,
                moves=moves,
                beam=beam,
                objective=objective,
                racing=racing,
            )

    def race(
        self,
        examples: str | Task | Iterable[Example],
        skipsets: Iterable[SkipSet | str],
        *,
        margin: float = 0.02,
        level: float = LEVEL,
        objective: str = "accuracy",
        chunk: int = CHUNK,
        limit: int | None = None,
        seed: int = 0,
        batch_size: int | None = None,
        progress: Tick | bool | None = None,
    ) -> RaceResult:
        """Find a skip set at most `margin` below the best of many, asking each only as long as it could be better.

        Questions come in random order; a set that is certainly not better than the one in the lead by more than the
        margin rests. With probability `level` the winner is within the margin of what a `sweep` of all sets over all
        these questions would call the best, for a fraction of its layers. `compare` judges it, on other questions.

        Args:
            examples: A task's name (its test split), a task, or examples.
            skipsets: Two different sets at least.
            margin: What the winner may score below the best, as a share; 0 for the best itself.
            level: Probability with which it is not further below, at least.
            objective: "accuracy", or "agreement" with the full model's next token, without labels.
            chunk: Questions from one look to the next.
            limit: Whole images until at least so many questions; None for all of them.
            seed: Of the sampling, and of the order.
            batch_size: Questions a forward pass; by default 32 in float32, 1 otherwise.
            progress: A function `tick(done, total)`, True or False for a bar, None for a bar in a terminal.

        Raises:
            SettingError: If there are no two different sets, or a setting is out of range.
            UnsupportedSkipError: If the model cannot run one of the sets.
        """
        bound = [self._bound(skipset) for skipset in skipsets]
        with shown(progress, "race") as tick, memory_given_back(self._open.device):
            data = self._calibration(examples, limit, seed, batch_size, tick)
            return race(data, bound, margin=margin, level=level, objective=objective, chunk=chunk)
