"""Published methods at one cost: each with the knob that just saves enough, and random sets that save the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from skipit_nb.backend.evaluation.statistics import max_t
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.selection.controls import controls
from skipit_nb.backend.selection.dropping import under
from skipit_nb.backend.selection.methods import joined, propose
from skipit_nb.backend.selection.splitting import halves
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.cost import usual_cost
from skipit_nb.errors import SettingError, UnsupportedSkipError
from skipit_nb.results import EqualCost, EqualCostRow
from skipit_nb.results.equal_cost import CONTROL
from skipit_nb.skipset import SkipSet
from skipit_nb.tokendrop import TokenDrop

Action = SkipSet | TokenDrop

STEPS = 40
"""Times that the range of a share of tokens is halved."""


def equal_cost(data: Calibration, task: Task, *, speedup: float, num_controls: int) -> EqualCost:
    """Give every method the least that reaches a predicted speed-up, and ask all of them the same new questions.

    Half of the images is what the methods measure, the other half judges. Knobs are set by cost alone: the latest
    early exit (vtw) and the earliest late entry (deepinsert) that save enough, as many layers or sublayers of lowest
    score as needed (shortv, shortgpt, llm-drop), one band as short as can be (angular), the smallest share of tokens
    dropped from layer 2 on (fastv) or at a quarter, half and three quarters of the depth (pyramiddrop). Random sets
    do the same to other layers, for one set of vision tokens and one of whole layers.

    Args:
        data: Questions of both halves.
        task: How its questions are answered: how long an answer may be, and what ends it.
        speedup: Predicted FLOPs of the full model / those of a method, above 1.
        num_controls: Random sets of each kind.

    Raises:
        SettingError: If the speed-up is not above 1, or no method reaches it.
    """
    if not speedup > 1:
        raise SettingError("speedup", speedup, "above 1")
    first, second = halves(data.examples, data.provenance.seed)
    calibration = data.on(first)
    found, missing = _reaching(calibration, speedup)
    if not found:
        raise SettingError("speedup", speedup, f"one that a method can reach here: {missing[0][1]}")
    found += _controls(calibration, found, num_controls)
    everything = [SkipSet.none(num_layers=data.num_layers), *(action for _, action in found)]
    scores = _scores(data, second, everything, task)
    together = max_t([scores[0]] * len(found), scores[1:], [e.cluster for e in second], seed=data.provenance.seed)
    rows = tuple(
        EqualCostRow(
            method=method,
            skipset=action if isinstance(action, SkipSet) else None,
            drop=action if isinstance(action, TokenDrop) else None,
            flops_ratio=ratio(data.live, action),
            accuracy=fmean(right),
            delta=fmean(right) - fmean(scores[0]),
            low=interval.low,
            high=interval.high,
            p_adjusted=p,
        )
        for (method, action), right, interval, p in zip(found, scores[1:], together.intervals, together.p, strict=True)
    )
    return EqualCost(
        provenance=data.on(second).provenance,
        speedup=speedup,
        num_calibration=len(first),
        baseline=fmean(scores[0]),
        rows=rows,
        missing=tuple(missing),
    )


def ratio(live: LiveModel, action: Action) -> float:
    """Predicted prefill FLOPs of the full decoder over those under an action."""
    return usual_cost(live.shape, action).speedup_over(usual_cost(live.shape, SkipSet.none()))


def _reaching(data: Calibration, speedup: float) -> tuple[list[tuple[str, Action]], list[tuple[str, str]]]:
    """Each method with the least that reaches the speed-up; and those that cannot, with the reason."""
    found: list[tuple[str, Action]] = []
    missing: list[tuple[str, str]] = []
    for method, cheapest_first in RULES.items():
        most = 1.0
        try:
            for action in cheapest_first(data, speedup):
                most = max(most, ratio(data.live, action))
                if most >= speedup:
                    found.append((method, action))
                    break
            else:
                missing.append((method, f"it saves at most a factor of {most:.2f}"))
        except UnsupportedSkipError as error:
            missing.append((method, str(error)))
    return found, missing


def _early_exits(data: Calibration, _: float) -> Iterator[SkipSet]:
    layers = data.num_layers
    yield from data.supported(SkipSet.early_exit(k, num_layers=layers) for k in reversed(range(layers)))


def _late_entries(data: Calibration, _: float) -> Iterator[SkipSet]:
    layers = data.num_layers
    yield from data.supported(SkipSet.late_entry(k, num_layers=layers) for k in range(1, layers + 1))


def _lowest(method: str, knob: str) -> Callable[[Calibration, float], Iterator[SkipSet]]:
    """A method that skips what scores lowest: one more, and one more."""

    def grow(data: Calibration, _: float) -> Iterator[SkipSet]:
        scored = sorted(propose(method, data, **{knob: 1}).candidates, key=lambda candidate: candidate.score)
        for count in range(1, len(scored) + 1):
            yield joined((candidate.skipset for candidate in scored[:count]), data.num_layers)

    return grow


def _bands(data: Calibration, speedup: float) -> Iterator[SkipSet]:
    """The best band of the least length that saves enough; layers cost about the same wherever they are."""
    for length in range(1, data.num_layers + 1):
        if ratio(data.live, SkipSet.whole(range(length), num_layers=data.num_layers)) >= speedup:
            yield propose("angular", data, layers=length).skipset


def _drops(make: Callable[[Calibration, float], TokenDrop]) -> Callable[[Calibration, float], Iterator[TokenDrop]]:
    """A share of tokens to drop, by bisection; all of them if that is not enough."""

    def bisect(data: Calibration, speedup: float) -> Iterator[TokenDrop]:
        few, many = 0.0, 1.0
        for _ in range(STEPS):
            middle = (few + many) / 2
            if ratio(data.live, make(data, middle)) >= speedup:
                many = middle
            else:
                few = middle
        yield make(data, many)

    return bisect


RULES: dict[str, Callable[[Calibration, float], Iterator[Action]]] = {
    "vtw": _early_exits,
    "deepinsert": _late_entries,
    "shortv": _lowest("shortv", "layers"),
    "shortgpt": _lowest("shortgpt", "layers"),
    "llm-drop": _lowest("llm-drop", "sublayers"),
    "angular": _bands,
    "fastv": _drops(lambda _, share: TokenDrop.fastv(2, drop=share)),
    "pyramiddrop": _drops(lambda data, share: TokenDrop.pyramid_drop(data.num_layers, keep=1 - share)),
}
"""For each method what it could do, cheapest to the answers first."""


def _controls(data: Calibration, found: Sequence[tuple[str, Action]], count: int) -> list[tuple[str, Action]]:
    """Random sets of the same cost as one that names vision tokens, and as one that does not."""
    drawn: list[tuple[str, Action]] = []
    sets = [(method, action) for method, action in found if isinstance(action, SkipSet)]
    for about_vision in (True, False):
        like = next((one for one in sets if bool(one[1].modalities) is about_vision), None)
        if like is not None and count:
            others = controls(data.live, like[1], count=count, seed=data.provenance.seed, contiguous=about_vision)
            drawn += [(f"{CONTROL} (like {like[0]})", other) for other in others]
    return drawn


def _scores(data: Calibration, examples: Sequence[Example], actions: Sequence[Action], task: Task) -> list[list[float]]:
    """For each action the score of every question, answered by generation in the same batches."""
    live, scores = data.live, [list[float]() for _ in actions]
    for start in range(0, len(examples), data.batch_size):
        data.tick(start, len(examples))
        batch = examples[start : start + data.batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        for right, action in zip(scores, actions, strict=True):
            with under(live, action):
                given = live.generate(inputs, max_new_tokens=task.max_new_tokens, until=task.until)
            right += [score(one.text, example).value for one, example in zip(given, batch, strict=True)]
    data.tick(len(examples), len(examples))
    return scores
