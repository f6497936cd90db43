"""A against B on the same questions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from skipit_nb.backend.evaluation.answering import Answered, answer_batch, refuse_without_images, scored
from skipit_nb.backend.evaluation.batches import Runs
from skipit_nb.backend.evaluation.statistics import (
    delta_interval,
    exact_mcnemar,
    minimal_detectable_effect,
)
from skipit_nb.backend.evaluation.timing import time_arms
from skipit_nb.backend.evaluation.verdict import verdict
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.cost import Cost, ModelShape, cost
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.results import Comparison, KindDelta, Metric, PairedAnswer, Provenance
from skipit_nb.skipset import SkipSet

MEASURES = ("accuracy", "latency", "flops")
TIMED_PROMPTS = 7
"""Prompts that are timed, the first of them as warm-up."""


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


def compare(
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
) -> Comparison:
    """Ask both arms the same questions, in the same batches, and judge the difference.

    `live` is timed; `runs` answers, here or elsewhere.

    Raises:
        NoExamplesError: If there are no examples.
        NoImagesError: If a set names vision tokens and no question has an image.
    """
    if not examples:
        raise NoExamplesError("a comparison")
    refuse_without_images(examples, (a, b))
    timed = examples[:TIMED_PROMPTS] if "latency" in measure else ()
    total = len(examples) + len(timed)
    work = partial(answer_batch, arms=(a, b), max_new_tokens=max_new_tokens)
    done = runs.run(examples, work, tick=lambda so_far, _: tick(so_far, total))
    answered = scored(examples, done.rows)
    scores_a, scores_b = ([row.scores[arm].value for row in answered] for arm in (0, 1))
    delta, clustered = delta_interval(scores_a, scores_b, [row.example.cluster for row in answered])
    worse, better = flips(scores_a, scores_b)
    mde = minimal_detectable_effect(worse, better, len(answered), clustered.design_effect)
    n = len(answered)
    accuracy = Metric(
        "accuracy", "share", sum(scores_a) / n, sum(scores_b) / n, "B - A", delta.value, delta.low, delta.high,
        delta.method,
    )  # fmt: skip
    return Comparison(
        provenance=done.provenance(provenance),
        a=a,
        b=b,
        answers=tuple(_paired(row) for row in answered),
        metrics=(
            accuracy,
            *_times(live, a, b, timed, lambda so_far, _: tick(len(examples) + so_far, total)),
            *_costs(live, a, b, measure),
        ),
        kinds=tuple(_kind_delta(kind, answered) for kind in sorted({row.example.kind for row in answered})),
        verdict=verdict(delta, margin, mde),
        p_mcnemar=exact_mcnemar(worse, better),
        mde=mde,
        design_effect=clustered.design_effect,
    )


def prompt_cost(shape: ModelShape, skipset: SkipSet) -> Cost:
    """What a usual prompt of this model costs: one image and 16 text tokens."""
    return cost(shape, skipset, num_vision=shape.num_vision or 576, num_text=16)


def flips(a: Sequence[float], b: Sequence[float]) -> tuple[int, int]:
    """How many got worse, how many better."""
    pairs = list(zip(a, b, strict=True))
    return sum(y < x for x, y in pairs), sum(y > x for x, y in pairs)


def _kind_delta(kind: str, answered: Sequence[Answered]) -> KindDelta:
    """The difference on the questions of one type."""
    rows = [row for row in answered if row.example.kind == kind]
    a, b = ([row.scores[arm].value for row in rows] for arm in (0, 1))
    delta, _ = delta_interval(a, b, [row.example.cluster for row in rows])
    worse, better = flips(a, b)
    n = len(rows)
    return KindDelta(kind, n, sum(a) / n, sum(b) / n, delta.value, delta.low, delta.high, worse, better)


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


def _times(live: LiveModel, a: SkipSet, b: SkipSet, examples: Sequence[Example], tick: Tick) -> list[Metric]:
    return time_arms(live, a, b, examples, tick) if examples else []


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
