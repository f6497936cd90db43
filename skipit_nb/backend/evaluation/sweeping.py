"""Many skip sets against the full model: all from one prefill, the finalists by generation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from skipit_nb.backend.evaluation.ab import prompt_cost
from skipit_nb.backend.evaluation.answering import answer_batch, refuse_without_images
from skipit_nb.backend.evaluation.batches import Runs
from skipit_nb.backend.evaluation.statistics import delta_interval, flips, max_t
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.scores import Prefilled, prefill_batch
from skipit_nb.errors import NoExamplesError
from skipit_nb.jobs import Tick
from skipit_nb.results import Provenance, Sweep, SweepRow
from skipit_nb.skipset import SkipSet

PREFILL, GENERATED = "prefill", "generated"

_Pair = tuple[list[float], list[float]]
"""Scores of all questions under the full model, and under a set."""


def sweep(
    live: LiveModel,
    examples: Sequence[Example],
    skipsets: Sequence[SkipSet],
    provenance: Provenance,
    *,
    finalists: int,
    memory: int | None,
    max_new_tokens: int,
    runs: Runs,
    tick: Tick,
) -> Sweep:
    """Ask the same questions under the full model and under every skip set.

    Raises:
        NoExamplesError: If there are no examples, or no skip sets.
        NoImagesError: If a set names vision tokens and no question has an image.
    """
    if not examples or not skipsets:
        raise NoExamplesError("a sweep")
    refuse_without_images(examples, skipsets)
    total = len(examples) * (2 if finalists else 1)
    work = partial(prefill_batch, skipsets=tuple(skipsets), memory=memory)
    done = runs.run(examples, work, tick=lambda so_far, _: tick(so_far, total))
    ranking = ranked(live, examples, skipsets, done.rows, done.provenance(provenance))
    clusters = [example.cluster for example in examples]
    family = _scores(examples, [row.texts for row in done.rows])
    pairs = [(family[0], arm) for arm in family[1:]]
    if not finalists:
        return _together(ranking, pairs, range(len(pairs)), clusters)
    best = sorted(ranking.rows, key=lambda row: (-row.accuracy, row.kl or 0.0))[:finalists]
    arms = (SkipSet.none(num_layers=live.shape.num_layers), *(row.skipset for row in best))
    answer = partial(answer_batch, arms=arms, max_new_tokens=max_new_tokens)
    answered = runs.run(examples, answer, tick=lambda so_far, _: tick(len(examples) + so_far, total))
    right = _scores(examples, answered.rows)
    generated = {
        row.skipset: _judged(replace(row, scored=GENERATED), right[0], right[arm], clusters)
        for arm, row in enumerate(best, start=1)
    }
    judged = replace(ranking, rows=tuple(generated.get(row.skipset, row) for row in ranking.rows))
    # The finalists were picked by their prefill: that belongs to the family too.
    places = {row.skipset: len(pairs) + number for number, row in enumerate(best)}
    where = [places.get(row.skipset, number) for number, row in enumerate(ranking.rows)]
    return _together(judged, [*pairs, *((right[0], arm) for arm in right[1:])], where, clusters)


def _together(sweep: Sweep, pairs: Sequence[_Pair], where: Sequence[int], clusters: Sequence[str]) -> Sweep:
    """The sweep with intervals that hold together.

    Args:
        sweep: All sets.
        pairs: Scores of everything that was looked at.
        where: Which of the pairs each row is.
        clusters: The image of each question.
    """
    found = max_t([full for full, _ in pairs], [arm for _, arm in pairs], clusters, seed=sweep.provenance.seed)
    rows = (
        replace(row, low_all=found.intervals[at].low, high_all=found.intervals[at].high, p_adjusted=found.p[at])
        for row, at in zip(sweep.rows, where, strict=True)
    )
    return replace(sweep, rows=tuple(rows))


def ranked(
    live: LiveModel,
    examples: Sequence[Example],
    skipsets: Sequence[SkipSet],
    found: Sequence[Prefilled],
    provenance: Provenance,
) -> Sweep:
    """Judge sets by rows that are there, `found` of these examples: one score for the full model, then one a set."""
    right, clusters = _scores(examples, [row.texts for row in found]), [example.cluster for example in examples]
    full_cost = prompt_cost(live.shape, SkipSet.none(num_layers=live.shape.num_layers))
    rows = []
    for arm, skipset in enumerate(skipsets, start=1):
        row = SweepRow(
            skipset=skipset,
            flops_ratio=prompt_cost(live.shape, skipset).speedup_over(full_cost),
            log_likelihood=_mean([question.log_likelihoods[arm] for question in found]),
            kl=fmean(question.kls[arm] for question in found),
            agreement=fmean(question.agrees[arm] for question in found),
            scored=PREFILL,
        )
        rows.append(_judged(row, right[0], right[arm], clusters))
    batches = list({id(question.work): question.work for question in found}.values())
    noise = [question.noise for question in found if question.noise is not None]
    return Sweep(
        provenance=provenance,
        baseline=fmean(right[0]),
        rows=tuple(rows),
        layers_executed=sum(work.executed for work in batches),
        layers_naive=sum(work.naive for work in batches),
        layers_bound=sum(work.bound for work in batches),
        noise_floor=fmean(noise) if noise else None,
    )


def _scores(examples: Sequence[Example], texts: Sequence[tuple[str, ...]]) -> list[list[float]]:
    """For each arm the score of every question."""
    return [
        [score(text, example).value for example, text in zip(examples, of_arm, strict=True)]
        for of_arm in zip(*texts, strict=True)
    ]


def _judged(row: SweepRow, full: Sequence[float], right: Sequence[float], clusters: Sequence[str]) -> SweepRow:
    """The row with its accuracy and what that is against the full model's."""
    delta, _ = delta_interval(full, right, clusters)
    worse, better = flips(full, right)
    return replace(
        row, accuracy=fmean(right), delta=delta.value, low=delta.low, high=delta.high, worse=worse, better=better
    )


def _mean(values: Sequence[float]) -> float | None:
    """The mean of those that are numbers; None if none is."""
    known = [value for value in values if value == value]  # noqa: PLR0124  nan is not equal to itself
    return fmean(known) if known else None
