"""What labels say of bands that were fixed without them.

Shapes:
    question  of the judging half
    set       the full model first, then every set of layers once
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from skipit_nb.backend.evaluation.answering import answer_batch, scored
from skipit_nb.backend.evaluation.batches import Here
from skipit_nb.backend.evaluation.statistics import Interval, delta_interval, flips
from skipit_nb.backend.reproduction.curves import Values, known
from skipit_nb.backend.reproduction.fixing import Fixed
from skipit_nb.backend.selection.agreement import correlated, memberships
from skipit_nb.backend.selection.calibration import Calibration, is_supported
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.results import OUTCOMES, AgreementRow, BandAccuracy
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Judged:
    """What the labels say."""

    arms: tuple[BandAccuracy, ...]
    rankings: tuple[AgreementRow, ...]
    guess: float
    """Accuracy of the commonest right answer of each question type."""
    over_guess: Interval
    """Accuracy of the full model less `guess`."""


def judge(data: Calibration, fixed: Fixed, max_new_tokens: int) -> Judged:
    """Answer the questions under the full model and every set that was fixed.

    Accuracy is by generation, as `compare` has it; the likelihood of the right answer is from one prefill, as `sweep`
    has it.

    Args:
        data: The questions to judge by; none of their images had a part in `fixed`.
        fixed: Of the other half.
        max_new_tokens: Longest answer.
    """
    roles = [(role, skipset) for role, skipset in _roles(fixed) if is_supported(data.live, skipset)]
    given = _answers(data, tuple(dict.fromkeys(skipset for _, skipset in roles)), max_new_tokens)
    guesses = commonest(data.examples)
    return Judged(
        tuple(_arm(given, role, skipset, fixed.scores["both"]) for role, skipset in roles),
        _rankings(given, fixed, data.provenance.seed),
        float(np.mean(guesses)),
        delta_interval(guesses, given.right[:, 0].tolist(), given.clusters)[0],
    )


def commonest(examples: Sequence[Example]) -> list[float]:
    """For each question whether the commonest right answer of its type would be right: 1 or 0."""
    counts: dict[str, Counter[str]] = {}
    for example in examples:
        counts.setdefault(example.kind, Counter())[example.answer] += 1
    best = {kind: count.most_common(1)[0][0] for kind, count in counts.items()}
    return [score(best[example.kind], example).value for example in examples]


def _roles(fixed: Fixed) -> list[tuple[str, SkipSet]]:
    """Every set with what it is there for, as `ROLES` has them; the full model first."""
    depth = len(fixed.curves.distance)
    roles = [("full", SkipSet.none(num_layers=depth))]
    if not fixed.predicted.is_empty:
        roles += [("predicted", fixed.predicted), *_two_ends(fixed.predicted, depth), ("middle", fixed.middle)]
    return [*roles, *(("band", skipset) for skipset in fixed.bands)]


def _two_ends(predicted: SkipSet, depth: int) -> list[tuple[str, SkipSet]]:
    """Late entry and early exit apart, where the set has both."""
    kept = [layer for layer in range(depth) if predicted.action(layer, "vision") == "run"]
    entry = SkipSet.late_entry(kept[0], num_layers=depth)
    leave = SkipSet.early_exit(kept[-1] + 1, num_layers=depth)
    return [] if entry.is_empty or leave.is_empty else [("late entry", entry), ("early exit", leave)]


@dataclass(frozen=True, slots=True)
class _Answers:
    """Every question under every set, the full model first."""

    sets: tuple[SkipSet, ...]
    right: Values
    """[question, set] 1 where the answer is right."""
    likely: Values
    """[question, set] log-likelihood of the right answer, in nats; nan where it cannot be had."""
    clusters: list[str]
    """The image of each question."""

    def lost(self, outcome: str) -> Values:
        """[question, set] accuracy or log-likelihood lost against the full model."""
        kept = {"accuracy": self.right, "log_likelihood": self.likely}[outcome]
        return kept[:, :1] - kept


def _answers(data: Calibration, sets: tuple[SkipSet, ...], max_new_tokens: int) -> _Answers:
    work = partial(answer_batch, arms=sets, max_new_tokens=max_new_tokens)
    texts = Here(data.live, data.batch_size).run(data.examples, work, tick=data.tick).rows
    return _Answers(
        sets,
        np.array([[own.value for own in row.scores] for row in scored(data.examples, texts)]),
        np.array([row.log_likelihoods for row in data.prefilled(sets[1:])]),
        [example.cluster for example in data.examples],
    )


def _arm(given: _Answers, role: str, skipset: SkipSet, scores: Values) -> BandAccuracy:
    """One set against the full model; `scores` [layer] foretell what it costs."""
    at = given.sets.index(skipset)
    a, b = given.right[:, 0].tolist(), given.right[:, at].tolist()
    delta, _ = delta_interval(a, b, given.clusters)
    # The distance to all right, not to all wrong: few mistakes are few flips, and the interval knows about those.
    missed, _ = delta_interval(b, [1.0] * len(b), given.clusters)
    worse, better = flips(a, b)
    return BandAccuracy(
        role=role,
        skipset=skipset,
        accuracy=float(given.right[:, at].mean()),
        accuracy_low=1 - missed.high,
        accuracy_high=min(1 - missed.low, 1.0),
        delta=delta.value,
        low=delta.low,
        high=delta.high,
        worse=worse,
        better=better,
        log_likelihood_lost=known(float(given.lost("log_likelihood")[:, at].mean())),
        score=None if skipset.is_empty else float((memberships([skipset], len(scores)) @ scores)[0]),
    )


def _rankings(given: _Answers, fixed: Fixed, seed: int) -> tuple[AgreementRow, ...]:
    """Every score against every outcome over the bands of equal length."""
    member = memberships(fixed.bands, len(fixed.curves.distance))
    columns = [given.sets.index(skipset) for skipset in fixed.bands]
    family = f"vision absent, {fixed.span} layers"
    return tuple(
        correlated(family, outcome, name, of_layers, member, given.lost(outcome)[:, columns], given.clusters, seed)
        for outcome in OUTCOMES
        for name, of_layers in fixed.scores.items()
    )
