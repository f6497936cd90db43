"""Many skip sets against the full model: all from one prefill, the finalists by generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean
from typing import Any

from skipit_nb.backend.evaluation.answering import Texts, refuse_without_images
from skipit_nb.backend.evaluation.asking import INTERRUPTS, Answering, Asking
from skipit_nb.backend.evaluation.batches import Anew, Kept, Runs
from skipit_nb.backend.evaluation.failing import Careful, Failed
from skipit_nb.backend.evaluation.interrupting import handed_over
from skipit_nb.backend.evaluation.statistics import delta_interval, flips, max_t
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.scores import Prefilled, prefill_batch
from skipit_nb.cost import usual_cost
from skipit_nb.errors import NoExamplesError, NothingAnsweredError
from skipit_nb.jobs import Tick
from skipit_nb.results import Provenance, Sweep, SweepRow
from skipit_nb.skipset import SkipSet

PREFILL, GENERATED = "prefill", "generated"

Answers = Callable[[tuple[SkipSet, ...]], Kept[Texts | Failed]]
"""The work of answering under some arms."""

_Pair = tuple[list[float], list[float]]
"""Scores of all questions under the full model, and under a set."""


def sweep(  # noqa: PLR0913 - as many knobs as `Session.sweep`
    live: LiveModel,
    examples: Sequence[Example],
    skipsets: Sequence[SkipSet],
    provenance: Provenance,
    *,
    finalists: int,
    memory: int | None,
    runs: Runs,
    tick: Tick,
    answers: Answers | None = None,
    kept: Kept[Prefilled | Failed] | None = None,
    gives_partial: bool = False,
) -> Sweep:
    """Ask the same questions under the full model and under every skip set.

    Args:
        live: The model.
        examples: The questions.
        skipsets: Bound to the model.
        provenance: Of the questions.
        finalists: So many sets also answer by generation.
        memory: Bytes for the states of sets under way.
        runs: Asks the questions, here or elsewhere.
        tick: Called with questions done.
        answers: How finalists answer, given the arms; None where there are none.
        kept: Scores of which a ledger may hold a part.
        gives_partial: Whether an interrupt gives what was done, instead of nothing.

    Raises:
        NoExamplesError: If there are no examples, or no skip sets.
        NoImagesError: If a set names vision tokens and no question has an image.
        NothingAnsweredError: If not one question could be scored.
        CancelledError: If the job was cancelled; `partial` is the sweep so far.
    """
    if not examples or not skipsets:
        raise NoExamplesError("a sweep")
    refuse_without_images(examples, skipsets)
    total = len(examples) * (2 if finalists else 1)
    work = Careful(partial(prefill_batch, skipsets=tuple(skipsets), memory=memory))
    asking: Asking[Prefilled] = Asking(runs, kept or Anew(work), tick, total)
    stop = _until_interrupted(asking, examples, gives_partial=gives_partial)
    found, pairs = _ranking(live, skipsets, asking, provenance)
    num_unasked = 0 if stop is None else len(examples) - asking.num_asked
    final, best = None, sorted(found.rows, key=lambda row: (-row.accuracy, row.kl or 0.0))[:finalists]
    if stop is None and best and answers is not None:
        arms = (SkipSet.none(num_layers=live.shape.num_layers), *(row.skipset for row in best))
        final = Answering(runs, answers(arms), tick, total)
        stop = _until_interrupted(final, [one for one, _ in asking.done], len(examples), gives_partial=gives_partial)
    if final is not None and stop is None:
        if final.failed:
            asking.leave_out(final.failed)
            found, pairs = _ranking(live, skipsets, asking, provenance)
        found = _with_finalists(found, pairs, best, final)
    else:
        found = _together(found, pairs, range(len(pairs)), _clusters(asking))
    return handed_over(replace(found, num_unasked=num_unasked, is_complete=stop is None), stop)


def _until_interrupted(
    asking: Asking[Any], examples: Sequence[Example], before: int = 0, *, gives_partial: bool
) -> BaseException | None:
    """Ask; gives what interrupted it, if what was done is worth having."""
    try:
        asking(examples, before)
    except INTERRUPTS as stop:
        if not gives_partial or not (before or asking.is_enough):
            raise
        return stop
    return None


def _ranking(
    live: LiveModel, skipsets: Sequence[SkipSet], asking: Asking[Prefilled], provenance: Provenance
) -> tuple[Sweep, list[_Pair]]:
    """All sets by their prefill, and the scores of the full model beside those of each set.

    Raises:
        NothingAnsweredError: If not one question could be scored.
    """
    if not asking.done:
        raise NothingAnsweredError("a sweep", [question.error for question in asking.failed])
    examples, rows = zip(*asking.done, strict=True)
    full, *arms = right = scores_of(examples, rows)
    ranking = ranked(live, examples, skipsets, rows, right, asking.provenance(provenance))
    return replace(ranking, errors=tuple(asking.failed)), [(full, arm) for arm in arms]


def _clusters(asking: Asking[Any]) -> list[str]:
    """The image of each question that was done."""
    return [example.cluster for example, _ in asking.done]


def _with_finalists(ranking: Sweep, pairs: list[_Pair], best: Sequence[SweepRow], final: Answering) -> Sweep:
    """The ranking, in which the best are judged by what they wrote."""
    clusters = _clusters(final)
    full, *arms = [[row.scores[arm].value for row in final.answered] for arm in range(len(best) + 1)]
    written = {row.skipset: arm for row, arm in zip(best, arms, strict=True)}
    # The finalists were picked by their prefill: that belongs to the family too.
    places = {row.skipset: len(pairs) + number for number, row in enumerate(best)}
    where = [places.get(row.skipset, number) for number, row in enumerate(ranking.rows)]
    rows = tuple(
        _judged(replace(row, scored=GENERATED), full, written[row.skipset], clusters) if row.skipset in written else row
        for row in ranking.rows
    )
    return _together(replace(ranking, rows=rows), [*pairs, *((full, arm) for arm in arms)], where, clusters)


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
    right: Sequence[Sequence[float]],
    provenance: Provenance,
) -> Sweep:
    """Judge sets by rows that are there, `found` of these examples, and by their `scores_of`."""
    clusters = [example.cluster for example in examples]
    full_cost = usual_cost(live.shape, SkipSet.none(num_layers=live.shape.num_layers))
    rows = []
    for arm, skipset in enumerate(skipsets, start=1):
        row = SweepRow(
            skipset=skipset,
            flops_ratio=usual_cost(live.shape, skipset).speedup_over(full_cost),
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


def scores_of(examples: Sequence[Example], found: Sequence[Prefilled]) -> list[list[float]]:
    """The score of every question under the full model, then under each set."""
    return [
        [score(text, example).value for example, text in zip(examples, texts, strict=True)]
        for texts in zip(*(row.texts for row in found), strict=True)
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
