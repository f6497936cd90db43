"""A against B on the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from skipit_nb.backend.evaluation.answering import Answered, Arm, Texts, answering, refuse_without_images
from skipit_nb.backend.evaluation.asking import INTERRUPTS, Answering, as_utf8
from skipit_nb.backend.evaluation.batches import Anew, Here, Kept, Runs, Work
from skipit_nb.backend.evaluation.efficiency.compared import predicted, saved
from skipit_nb.backend.evaluation.failing import Careful, Failed
from skipit_nb.backend.evaluation.interrupting import handed_over, said
from skipit_nb.backend.evaluation.judged import judge
from skipit_nb.backend.evaluation.loyalty import Loyal, with_loyalty
from skipit_nb.backend.evaluation.ranked import with_likelihoods
from skipit_nb.backend.evaluation.statistics import noise_floor
from skipit_nb.backend.evaluation.stopping import so_far, until_clear
from skipit_nb.backend.evaluation.watching import Tell, Watched
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.scoring.two_arms import with_task_metrics
from skipit_nb.backend.tasks.task import MULTIPLE_CHOICE, Example, Task
from skipit_nb.errors import NoExamplesError, NothingAnsweredError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import Comparison, Metric, NoiseFloor, PairedAnswer, Provenance
from skipit_nb.skipset import SkipSet

MEASURES = ("accuracy", "loyalty", "latency", "flops", "memory", "energy")
USUAL = MEASURES[:4]
ONLY_HERE = ("latency", "memory", "energy")
"""What an executor's workers cannot measure: they share a machine, or have other ones."""
TIMED_PROMPTS = 7
"""Prompts that are timed."""
TWICE = 64
"""Questions asked a second time under A, one by one, where batches change answers."""


def measures(wanted: Sequence[str] | None, *, is_shared: bool) -> tuple[str, ...]:
    """What to measure; by default the usual, but no latency where an executor's workers do the work.

    Raises:
        SettingError: If something else is wanted, or what an executor's workers cannot measure.
    """
    if wanted is None:
        return tuple(name for name in USUAL if not (is_shared and name in ONLY_HERE))
    if unknown := set(wanted) - set(MEASURES):
        raise SettingError("measure", min(unknown), f"any of {', '.join(MEASURES)}")
    if is_shared and (alone := set(ONLY_HERE) & set(wanted)):
        # It would be neither A's nor B's.
        raise SettingError("measure", min(alone), "left out with an executor; measure the arms without one")
    return tuple(wanted)


def arms(a: SkipSet, b: SkipSet, measure: Sequence[str]) -> tuple[Arm, ...]:
    """What `answers` have a text of for each question: A, B, and B's loyalty if it is wanted."""
    return (a, b, Loyal(a, b)) if "loyalty" in measure else (a, b)


def compare(  # noqa: PLR0913 - as many knobs as `Session.compare`
    live: LiveModel,
    task: Task,
    examples: Sequence[Example],
    a: SkipSet,
    b: SkipSet,
    provenance: Provenance,
    *,
    margin: float,
    measure: Sequence[str],
    runs: Runs,
    answers: Kept[Texts | Failed],
    tick: Tick,
    stop_early: bool = False,
    tell: Tell | None = None,
) -> Comparison:
    """Ask both arms the same questions, in the same batches, and judge the difference.

    `live` is timed; `runs` gives `answers`, of `arms`, here or elsewhere. To stop early, or to `tell` how it stands,
    examples must be whole images in random order. Interrupted, it judges what was answered, if that is about two
    images at least.

    Raises:
        NoExamplesError: If there are no examples.
        NoImagesError: If a set names vision tokens and no question has an image.
        NothingAnsweredError: If not one question could be answered.
        CancelledError: If the job was cancelled; `partial` is the comparison so far.
    """
    if not examples:
        raise NoExamplesError("a comparison")
    refuse_without_images(examples, (a, b))
    again = _in_batches(runs, provenance)
    num_timed = min(TIMED_PROMPTS, len(examples)) if "latency" in measure else 0
    asked = len(examples)
    total = asked + num_timed + (min(TWICE, asked) if again else 0)
    asking = Watched(runs, answers, tick, total, examples, tell)
    times: list[Metric] = []
    noise, stop = None, None
    try:
        until_clear(examples, asking, margin) if stop_early else asking(examples)
        if not asking.answered:
            raise NothingAnsweredError("a comparison", [question.error for question in asking.failed])
        timed = [row.example for row in asking.answered[:TIMED_PROMPTS]]
        times = saved(
            live,
            (a, b),
            timed,
            measure=measure if isinstance(runs, Here) else (),
            max_new_tokens=task.max_new_tokens,
            tick=partial(_later, tick, asked, total),
        )
        after = partial(_later, tick, asked + num_timed, total)
        noise = _noise(again, answering(task, (a,)), asking.answered[:TWICE], after)
    except INTERRUPTS as interrupt:
        if not asking.is_enough:
            raise
        stop = interrupt
    if stop is None:
        tick(total, total)
    found = _judged(
        asking,
        margin,
        stop_early=stop_early,
        provenance=asking.provenance(provenance),
        a=a,
        b=b,
        noise=noise,
        planned=asked if stop_early else None,
        num_unasked=0 if stop is None else asked - asking.num_asked,
        is_complete=stop is None and asking.num_asked == asked,
    )
    if task.output_type == MULTIPLE_CHOICE:
        found = with_likelihoods(found, live, asking.answered)
    if "loyalty" in measure:
        found = with_loyalty(found, [texts[2] for _, texts in asking.done])
    costs = predicted(live, (a, b), [row.example for row in asking.answered]) if "flops" in measure else []
    found = replace(found, metrics=(*found.metrics, *times, *costs))
    return handed_over(with_task_metrics(said(found), task.metric, examples), stop)


def _judged(asking: Answering, margin: float, *, stop_early: bool, **more: Any) -> Comparison:
    """What the answers say, and nothing but them; `more` are the other fields of the comparison."""
    answered = asking.answered
    judged = judge(
        [row.scores[0].value for row in answered],
        [row.scores[1].value for row in answered],
        [row.example.cluster for row in answered],
        [row.example.kind for row in answered],
        margin,
        so_far(answered) if stop_early else None,
    )
    return Comparison(
        answers=tuple(_paired(row) for row in answered),
        metrics=(judged.accuracy,),
        kinds=judged.kinds,
        verdict=judged.verdict,
        p_mcnemar=judged.p_mcnemar,
        mde=judged.mde,
        design_effect=judged.design_effect,
        tests=judged.tests,
        errors=tuple(asking.failed),
        **more,
    )


def _later(tick: Tick, before: int, total: int, done: int, _: int, /) -> None:
    """A tick for a part of the work, of which so much was done before."""
    tick(before + done, total)


def _in_batches(runs: Runs, provenance: Provenance) -> Here | None:
    """This session's model, if batches change its answers: rounding in half precision depends on a batch's shape."""
    return runs if isinstance(runs, Here) and runs.chunk > 1 and provenance.dtype != "float32" else None


def _noise(here: Here | None, work: Work[Texts], first: Sequence[Answered], tick: Tick) -> NoiseFloor | None:
    """A against A: the same questions again, one by one."""
    if here is None or not first:
        return None
    second = Answering(Here(here.live, 1), Anew(Careful(work)), tick, len(first))
    second([row.example for row in first])
    again = {row.example.key: row for row in second.answered}
    both = [(row, again[row.example.key]) for row in first if row.example.key in again]
    one, other = ([(row.said[0], row.scores[0].value) for row in rows] for rows in zip(*both, strict=True))
    return noise_floor(one, other, (here.chunk, 1))


def _paired(row: Answered) -> PairedAnswer:
    (a, b), (score_a, score_b), example = row.said, row.scores, row.example
    return PairedAnswer(
        key=example.key,
        question=as_utf8(example.question),
        target=as_utf8(example.answer),
        kind=as_utf8(example.kind),
        cluster=as_utf8(example.cluster),
        a=as_utf8(a),
        b=as_utf8(b),
        score_a=score_a.value,
        score_b=score_b.value,
        parsed_a=score_a.parsed,
        parsed_b=score_b.parsed,
    )
