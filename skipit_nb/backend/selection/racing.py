"""Racing: skip sets that cannot be the best any more are asked no more questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from skipit_nb.backend.evaluation.answering import refuse_without_images
from skipit_nb.backend.evaluation.sweeping import ranked, scores_of
from skipit_nb.backend.selection.anytime import Values
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.selection.contest import Contest, run
from skipit_nb.backend.selection.yardstick import YardstickContest
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.plan import plan_of
from skipit_nb.backend.trie.scores import Prefilled
from skipit_nb.cost import usual_cost
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.jobs import no_tick
from skipit_nb.results import RaceResult, RaceRow, SweepRow
from skipit_nb.results.race import NO_BETTER, WINNER, WITHIN, WORSE
from skipit_nb.skipset import SkipSet

LEVEL = 0.95
CHUNK = 16
"""Questions from one look to the next."""
LAST_LAP = 0.05
"""Most that one set alone may cost, of all of them, for a race by the full model."""
OBJECTIVES: dict[str, Callable[[Example, Prefilled, int], float]] = {
    "accuracy": lambda example, asked, arm: score(asked.texts[arm], example).value,
    "agreement": lambda _, asked, arm: float(asked.agrees[arm]),
}
"""Scores of one question under one arm, from 0 to 1: the test needs their ends. High = better."""


def race(
    data: Calibration,
    skipsets: Sequence[SkipSet],
    *,
    margin: float,
    level: float = LEVEL,
    objective: str = "accuracy",
    chunk: int = CHUNK,
) -> RaceResult:
    """Find a skip set that is at most `margin` below the best, asking each only as long as it could be better.

    The questions come in random order, by the seed of the data. After every `chunk` of them each set is tested: once it
    is certain, at any time that one may look, that over all questions it is not better than the one in the lead by
    more than the margin, it rests. The race is over when all others rest. Few sets are tested against the leader
    itself, many by the full model; see `contest` and `yardstick` for who is asked, `anytime` for the test.

    Args:
        data: The questions.
        skipsets: Bound, two at least; of equal ones one races.
        margin: What the winner may be below the best, a share; 0 for the best itself.
        level: Probability over the order of the questions with which it is not further below, at least.
        objective: "accuracy", or "agreement" with the full model's next token, which needs no labels.
        chunk: Questions from one look to the next.

    Raises:
        NoExamplesError: If there are no questions.
        SettingError: If there are no two different sets, or a setting is out of range.
        NoImagesError: If a set names vision tokens and no question has an image.
        UnsupportedSkipError: If the model cannot run one of the sets.
    """
    seed = (data.provenance.seed,)
    return Raced.on(data, skipsets, seed, margin=margin, level=level, objective=objective, chunk=chunk).result()


@dataclass(frozen=True, slots=True)
class Raced:
    """A race that is over, with everything that was asked."""

    data: Calibration
    runner: _Runner
    contest: Contest
    level: float
    objective: str
    chunk: int

    @classmethod
    def on(
        cls,
        data: Calibration,
        skipsets: Sequence[SkipSet],
        seed: Sequence[int],
        *,
        margin: float,
        level: float = LEVEL,
        objective: str = "accuracy",
        chunk: int = CHUNK,
    ) -> Raced:
        """Run the race in the order that `seed` gives; other arguments are those of `race`.

        The sets must not be chosen by what a race in the same order came to.
        """
        field_ = list(dict.fromkeys(skipsets))
        _check(field_, data.examples, margin, level, objective, chunk)
        refuse_without_images(data.examples, field_)
        runner = _Runner(data, field_, objective)
        order = np.random.default_rng(seed).permutation(len(data.examples)).tolist()
        kind = kind_of(field_)
        made = kind(runner.flops_ratios, len(order), margin=margin, level=level)
        done = run(made, runner.ask, order, chunk=chunk, tick=data.tick)
        return cls(data, runner, done, level, objective, chunk)

    def result(self) -> RaceResult:
        """What it came to."""
        total, sets = len(self.data.examples), self.runner.skipsets
        plan = plan_of(sets)
        return RaceResult(
            provenance=self.data.provenance,
            objective=self.objective,
            margin=self.contest.margin,
            level=self.level,
            chunk=self.chunk,
            rows=tuple(rows_of(self.contest, sets, self.runner.flops_ratios)),
            layers_executed=self.runner.layers,
            layers_swept=plan.computing_edges * total,
            layers_naive=plan.naive * total,
        )

    @property
    def winner(self) -> SkipSet:
        """The set in the lead at the end."""
        return self.runner.skipsets[self.contest.leader]

    def swept(self) -> list[tuple[SweepRow, int]]:
        """Every set against the full model on the questions it was asked, and how many those are."""
        return [(self.runner.swept(one), int(n)) for one, n in enumerate(self.contest.asked)]


def kind_of(skipsets: Sequence[SkipSet]) -> type[Contest]:
    """By the full model where so many sets race that a last lap of one is cheap, else each set against the leader."""
    last_lap = max(plan_of([skipset]).computing_edges for skipset in skipsets)
    return YardstickContest if last_lap <= LAST_LAP * plan_of(skipsets).computing_edges else Contest


def rows_of(done: Contest, skipsets: Sequence[SkipSet], flops_ratios: Sequence[float]) -> list[RaceRow]:
    """A row for each set of a race that is over."""
    deltas, lows, highs = done.intervals()
    means, within, most = np.nanmean(done.scores, axis=0), set(done.within_margin()), int(done.asked.max())
    rows = []
    for one, skipset in enumerate(skipsets):
        asked = int(done.asked[one])
        status = WITHIN if one in within else WORSE if highs[one] < 0 else NO_BETTER
        rows.append(
            RaceRow(
                skipset=skipset,
                flops_ratio=flops_ratios[one],
                questions=asked,
                stopped_at=asked if asked < most else None,
                score=float(means[one]),
                delta=float(deltas[one]),
                low=float(lows[one]),
                high=float(highs[one]),
                status=WINNER if one == done.leader else status,
            )
        )
    return rows


@dataclass(slots=True)
class _Runner:
    """Asks the model, and keeps what it said."""

    data: Calibration
    skipsets: list[SkipSet]
    objective: str
    layers: int = 0
    """Run so far, each once for every question."""
    seen: dict[int, list[tuple[Example, Prefilled]]] = field(default_factory=dict)
    """What each set was asked, with the full model and itself as arms."""

    def ask(self, questions: Sequence[int], sets: Sequence[int]) -> Values:
        """[question, 1 + set] scores, from 0 to 1, the full model's first."""
        examples = [self.data.examples[number] for number in questions]
        asked = replace(self.data, examples=examples, tick=no_tick).prefilled([self.skipsets[one] for one in sets])
        self.layers += sum(row.work.executed for row in asked)
        for arm, one in enumerate(sets, start=1):
            self.seen.setdefault(one, []).extend(zip(examples, (_only(row, arm) for row in asked), strict=True))
        scored = OBJECTIVES[self.objective]
        return np.array([[scored(example, row, arm) for arm in range(len(sets) + 1)]
                         for example, row in zip(examples, asked, strict=True)])  # fmt: skip

    @property
    def flops_ratios(self) -> list[float]:
        """Of each set: predicted FLOPs of the full model / its own."""
        shape = self.data.live.shape
        full = usual_cost(shape, SkipSet.none(num_layers=shape.num_layers))
        return [usual_cost(shape, skipset).speedup_over(full) for skipset in self.skipsets]

    def swept(self, one: int) -> SweepRow:
        """One set's row, as a sweep over the questions it was asked gives it."""
        examples, rows = zip(*self.seen[one], strict=True)
        right = scores_of(examples, rows)
        (row,) = ranked(self.data.live, examples, [self.skipsets[one]], rows, right, self.data.provenance).rows
        return row


def _only(row: Prefilled, arm: int) -> Prefilled:
    """The full model and one arm."""
    return replace(
        row,
        texts=(row.texts[0], row.texts[arm]),
        log_likelihoods=(row.log_likelihoods[0], row.log_likelihoods[arm]),
        kls=(row.kls[0], row.kls[arm]),
        reverse_kls=(row.reverse_kls[0], row.reverse_kls[arm]),
        agrees=(row.agrees[0], row.agrees[arm]),
    )


def _check(
    skipsets: Sequence[SkipSet], examples: Sequence[Example], margin: float, level: float, objective: str, chunk: int
) -> None:
    if not examples:
        raise NoExamplesError("a race")
    if len(skipsets) < 2:  # noqa: PLR2004  a race
        raise SettingError("skipsets", [str(one) for one in skipsets], "at least two different sets")
    if not 0 <= margin < 1:
        raise SettingError("margin", margin, "a share of at least 0 and below 1")
    if not 0 < level < 1:
        raise SettingError("level", level, "a probability above 0 and below 1")
    if objective not in OBJECTIVES:
        raise SettingError("objective", objective, f"one of {', '.join(OBJECTIVES)}: a race needs scores from 0 to 1")
    if chunk < 1:
        raise SettingError("chunk", chunk, "a whole number of at least 1")
