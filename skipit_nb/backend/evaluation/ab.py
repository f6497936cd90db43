"""A against B on the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from skipit_nb.backend.evaluation.answering import Answered, answer_batch, refuse_without_images, scored
from skipit_nb.backend.evaluation.batches import Done, Here, Kept, Runs, Work
from skipit_nb.backend.evaluation.judged import judge
from skipit_nb.backend.evaluation.statistics import noise_floor
from skipit_nb.backend.evaluation.stopping import so_far, until_clear
from skipit_nb.backend.evaluation.timing import time_arms
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.cost import Cost, ModelShape, cost
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import Comparison, Metric, NoiseFloor, PairedAnswer, Provenance
from skipit_nb.skipset import SkipSet

MEASURES = ("accuracy", "latency", "flops")
TIMED_PROMPTS = 7
"""Prompts that are timed, the first of them as warm-up."""
TWICE = 64
"""Questions asked a second time under A, one by one, where batches change answers."""


def measures(wanted: Sequence[str] | None, *, is_shared: bool) -> tuple[str, ...]:
    """What to measure; by default all, but no latency where an executor's workers do the work.

    Raises:
        SettingError: If something else is wanted, or latency of an executor's workers.
    """
    if wanted is None:
        return tuple(name for name in MEASURES if not (is_shared and name == "latency"))
    if unknown := set(wanted) - set(MEASURES):
        raise SettingError("measure", min(unknown), f"any of {', '.join(MEASURES)}")
    if is_shared and "latency" in wanted:
        # Workers share a machine, or have other ones: their times would be neither A's nor B's.
        raise SettingError("measure", "latency", "left out with an executor; time the arms without one")
    return tuple(wanted)


def compare(  # noqa: PLR0913 - as many knobs as `Session.compare`
    live: LiveModel,
    examples: Sequence[Example],
    a: SkipSet,
    b: SkipSet,
    provenance: Provenance,
    *,
    margin: float,
    measure: Sequence[str],
    max_new_tokens: int,
    runs: Runs,
    tick: Tick,
    stop_early: bool = False,
    kept: Kept[tuple[str, ...]] | None = None,
) -> Comparison:
    """Ask both arms the same questions, in the same batches, and judge the difference.

    `live` is timed; `runs` answers, here or elsewhere, what is not `kept`. To stop early, examples must be whole
    images in random order.

    Raises:
        NoExamplesError: If there are no examples.
        NoImagesError: If a set names vision tokens and no question has an image.
    """
    if not examples:
        raise NoExamplesError("a comparison")
    refuse_without_images(examples, (a, b))
    timed = examples[:TIMED_PROMPTS] if "latency" in measure else ()
    noisy = _in_batches(runs, provenance)
    total = len(examples) + len(timed) + (min(TWICE, len(examples)) if noisy else 0)
    work = partial(answer_batch, max_new_tokens=max_new_tokens)
    asking = _Asking(runs, kept or partial(work, arms=(a, b)), tick, total)
    answered = until_clear(examples, asking, margin) if stop_early else asking(examples, 0)
    judged = judge(
        [row.scores[0].value for row in answered],
        [row.scores[1].value for row in answered],
        [row.example.cluster for row in answered],
        [row.example.kind for row in answered],
        margin,
        so_far(answered) if stop_early else None,
    )
    times = time_arms(live, a, b, timed, lambda so_far, _: tick(len(examples) + so_far, total)) if timed else []
    before = len(examples) + len(timed)
    again = partial(_noise, first=answered[:TWICE], work=partial(work, arms=(a,)))
    noise = again(noisy, tick=lambda so_far, _: tick(before + so_far, total)) if noisy else None
    tick(total, total)
    return Comparison(
        provenance=asking.provenance(provenance, answered),
        a=a,
        b=b,
        answers=tuple(_paired(row) for row in answered),
        metrics=(judged.accuracy, *times, *_costs(live, a, b, measure)),
        kinds=judged.kinds,
        verdict=judged.verdict,
        p_mcnemar=judged.p_mcnemar,
        mde=judged.mde,
        design_effect=judged.design_effect,
        is_complete=len(answered) == len(examples),
        tests=judged.tests,
        noise=noise,
        planned=len(examples) if stop_early else None,
    )


def prompt_cost(shape: ModelShape, skipset: SkipSet) -> Cost:
    """What a usual prompt of this model costs: one image and 16 text tokens."""
    return cost(shape, skipset, num_vision=shape.num_vision or 576, num_text=16)


class _Asking:
    """Asks both arms, part by part, and remembers who answered."""

    def __init__(self, runs: Runs, work: Work[tuple[str, ...]] | Kept[tuple[str, ...]], tick: Tick, total: int) -> None:
        self.runs, self.work, self.tick, self.total = runs, work, tick, total
        self.workers: dict[Provenance, None] = {}

    def __call__(self, part: Sequence[Example], before: int) -> list[Answered]:
        """Answer some questions; `before` were answered already."""
        done = self.runs.run(part, self.work, tick=lambda so_far, _: self.tick(before + so_far, self.total))
        self.workers.update(dict.fromkeys(done.workers))
        return scored(part, done.rows)

    def provenance(self, asked: Provenance, answered: Sequence[Answered]) -> Provenance:
        """`asked`, with the questions that were answered, and by whom."""
        made = Done([], tuple(self.workers)).provenance(asked)
        return replace(made, samples=tuple(row.example.key for row in answered))


def _in_batches(runs: Runs, provenance: Provenance) -> Here | None:
    """This session's model, if batches change its answers: rounding in half precision depends on a batch's shape."""
    return runs if isinstance(runs, Here) and runs.chunk > 1 and provenance.dtype != "float32" else None


def _noise(here: Here, first: Sequence[Answered], work: Work[tuple[str, ...]], tick: Tick) -> NoiseFloor:
    """A against A: the same questions again, one by one."""
    examples = [row.example for row in first]
    second = scored(examples, Here(here.live, 1).run(examples, work, tick=tick).rows)
    one, other = ([(row.texts[0], row.scores[0].value) for row in rows] for rows in (first, second))
    return noise_floor(one, other, (here.chunk, 1))


def _paired(row: Answered) -> PairedAnswer:
    (a, b), (score_a, score_b), example = row.texts, row.scores, row.example
    return PairedAnswer(
        key=example.key,
        question=example.question,
        target=example.answer,
        kind=example.kind,
        cluster=example.cluster,
        a=a,
        b=b,
        score_a=score_a.value,
        score_b=score_b.value,
        parsed_a=score_a.parsed,
        parsed_b=score_b.parsed,
    )


def _costs(live: LiveModel, a: SkipSet, b: SkipSet, measure: Sequence[str]) -> list[Metric]:
    if "flops" not in measure:
        return []
    one, two = (prompt_cost(live.shape, skipset) for skipset in (a, b))
    metrics = [
        _predicted("prefill FLOPs", "GFLOPs", one.flops_prefill / 1e9, two.flops_prefill / 1e9),
        _predicted("FLOPs per token", "GFLOPs", one.flops_per_token / 1e9, two.flops_per_token / 1e9),
    ]
    if two.kv_bytes:  # B may keep no keys at all; a ratio to nothing is no number
        metrics.append(_predicted("KV cache", "kB", one.kv_bytes / 1e3, two.kv_bytes / 1e3))
    return metrics


def _predicted(name: str, unit: str, a: float, b: float) -> Metric:
    ratio = a / b
    return Metric(name, unit, a, b, "A / B", ratio, ratio, ratio, "predicted: one image, 16 text tokens, decoder only")
