# ruff: noqa: ARG002 - a fake takes what the real one takes
"""A session without a model: every number is computed from the layer's index, so that a test knows the answer.

It satisfies the ports of `skipit_nb.ports` by shape, has a real worker thread, and answers wrongly exactly where a
skip set removes the vision tokens from a layer that `NEEDED` names.
"""

import math
import threading
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from PIL import Image, ImageDraw

from skipit_nb.cost import ModelShape, cost
from skipit_nb.errors import CancelledError, LimitError, SettingError, UnknownTaskError
from skipit_nb.jobs import Job, Tick, Worker, no_tick
from skipit_nb.results import (
    EPSILONS,
    Answer,
    Comparison,
    KindDelta,
    LayerDistance,
    LayerFlow,
    LayerReason,
    Metric,
    PairedAnswer,
    Provenance,
    Recommendation,
    RedundancyProfile,
    Standing,
    Sweep,
    SweepRow,
    TokenDistances,
    Verdict,
)
from skipit_nb.skipset import SkipSet

T = TypeVar("T")

TASKS = ("shapes", "counts")
KINDS = ("color", "shape", "presence")
COLORS = ("red", "green", "blue", "yellow")
NEEDED = (2, 3)
"""Layers where text reads the image: a question of kind "color" is lost without vision tokens there."""
PARTIAL = 6
"""Questions from which on a cancelled comparison hands over what it has."""


@cache
def layer_distance(layer: int, tokens: str) -> LayerDistance:
    """Of some tokens at a layer; every fake has the same."""
    scale = {"vision": 0.4, "text": 0.6, "first": 0.1}[tokens]
    distance = scale * math.exp(-layer / 3) + 0.02
    tail = tuple(min(1.0, math.exp(-epsilon / distance)) for epsilon in EPSILONS)
    return LayerDistance(layer, tokens, distance, distance / 5, tail, norm=10.0 + layer, update=distance)


@dataclass(frozen=True)
class FakeExample:
    """One question about a square of one colour."""

    key: str
    question: str
    answer: str
    kind: str
    cluster: str

    @property
    def image(self) -> Image.Image:
        """A square on white; the cluster's number decides its colour and place."""
        number = int(self.cluster.rsplit("/", 1)[1])
        image = Image.new("RGB", (64, 64), "white")
        left = 6 + 7 * (number % 5)
        ImageDraw.Draw(image).rectangle((left, left, left + 24, left + 24), COLORS[number % 4])
        return image


def examples_of(task: str) -> tuple[FakeExample, ...]:
    """20 images with 3 questions each."""
    return tuple(
        FakeExample(
            key=f"{task}/{image:02d}/{kind}",
            question=f"what {kind} is in image {image}?",
            answer=COLORS[image % 4],
            kind=kind,
            cluster=f"{task}/{image:02d}",
        )
        for image in range(20)
        for kind in KINDS
    )


class FakeSession:
    """A port with `num_layers` layers and a 4 x 4 grid of vision tokens.

    `gate` holds back every tick of long work while it is cleared: a test can look at a job in the middle.
    """

    name = "fake"
    code = ""
    weights_bytes = 2_500_000

    def __init__(self, num_layers: int = 12) -> None:
        self.shape = ModelShape(
            num_layers=num_layers,
            d_model=128,
            d_ff=384,
            num_heads=4,
            num_kv_heads=4,
            head_dim=32,
            vocab=300,
            num_vision=16,
        )
        self.worker = Worker("fake session")
        self.ledgers: list[str | None] = []
        self.stops: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()

    @property
    def provenance(self) -> Provenance:
        return self._provenance("", (), 0)

    @property
    def jobs(self) -> tuple[Job[object], ...]:
        return self.worker.jobs

    def watch(self, watcher: Callable[[Job[object]], object]) -> None:
        self.worker.watch(watcher)

    def unwatch(self, watcher: Callable[[Job[object]], object]) -> None:
        self.worker.unwatch(watcher)

    # -- Opened and Asks --------------------------------------------------------------------------------------------

    def submit(
        self, work: Callable[[Tick], T], name: str = "", *, quick: bool = False, owner: Hashable = None
    ) -> Job[T]:
        return self.worker.submit(work, name, latest_wins=quick, owner=owner)

    def tasks(self) -> tuple[str, ...]:
        return TASKS

    def examples(self, task: str, *, limit: int | None = None, seed: int = 0) -> Sequence[FakeExample]:
        if task not in TASKS:
            raise UnknownTaskError(task, TASKS)
        if limit is not None and limit < 1:
            raise LimitError(limit)
        every = examples_of(task)
        return every if limit is None else every[: 3 * math.ceil(limit / 3)]

    def example(self, task: str, key: str) -> FakeExample:
        for example in self.examples(task):
            if example.key == key:
                return example
        raise SettingError("key", key, "the key of a question")

    def ask(self, image: Any, question: str, *, skipset: SkipSet | str | None = None) -> Answer:
        bound = SkipSet.of(skipset, num_layers=self.shape.num_layers)
        return Answer(text="red", probability=0.9, skipset=bound, num_tokens=2)

    # -- Profiles and Recommends ------------------------------------------------------------------------------------

    def profile(
        self,
        examples: Any,
        *,
        limit: int | None = None,
        seed: int = 0,
        progress: Tick | None = None,
        so_far: Callable[[RedundancyProfile], object] | None = None,
    ) -> RedundancyProfile:
        task = examples if isinstance(examples, str) else ""
        asked = self.examples(task, limit=limit, seed=seed) if task else tuple(examples)

        def tell(done: int, total: int, /) -> None:
            if progress is not None:
                progress(done, total)
            if so_far is not None and 0 < done < total:
                so_far(self._profiled(task, asked[:done], seed))

        self._tick_through(len(asked), tell)
        return self._profiled(task, asked, seed)

    def _profiled(self, task: str, asked: Sequence[FakeExample], seed: int) -> RedundancyProfile:
        layers = tuple(
            layer_distance(layer, tokens)
            for layer in range(self.shape.num_layers)
            for tokens in ("vision", "text", "first")
        )
        flow = tuple(
            LayerFlow(layer, var=0.5 if layer in NEEDED else 0.02, spread=0.01, uniform=0.4)
            for layer in range(self.shape.num_layers)
        )
        return RedundancyProfile(self._provenance(task, tuple(e.key for e in asked), seed), layers, flow)

    def look(self, image: Any, question: str) -> TokenDistances:
        words = tuple(question.split())
        tokens = ("<s>", *("<image>",) * 16, *words)
        distance = tuple(
            tuple(0.5 * math.exp(-layer / 4) * (1 + (position * 7 % 5)) / 5 for position in range(len(tokens)))
            for layer in range(self.shape.num_layers)
        )
        is_vision = tuple(0 < position <= 16 for position in range(len(tokens)))
        return TokenDistances(self._provenance("", ("made",), 0), tokens, is_vision, (4, 4), distance)

    def recommend(self, profile: RedundancyProfile) -> Recommendation:
        limits = {"max_distance": 0.1, "epsilon": 0.1, "max_tail": 0.1, "max_var": 0.1}
        flows = [row.var for row in profile.flow]
        rows = profile.of("vision")
        reasons = []
        for row, var in zip(rows, flows, strict=True):
            redundant, low = row.distance <= limits["max_distance"], var <= limits["max_var"]
            reasons.append(
                LayerReason(
                    layer=row.layer,
                    distance=row.distance,
                    tail=row.tail_at(limits["epsilon"]),
                    var=var,
                    is_redundant=redundant,
                    is_flow_low=low,
                    action="absent" if redundant and low else "run",
                    why=f"distance {row.distance:.3f}, VAR {var:.2f}",
                )
            )
        last = max(r.layer for r in reasons if r.action == "run")
        return Recommendation(
            provenance=profile.provenance,
            skipset=SkipSet.early_exit(last + 1, num_layers=profile.num_layers),
            reasons=tuple(reasons),
            **limits,
        )

    # -- Compares ---------------------------------------------------------------------------------------------------

    def compare(
        self,
        task: str,
        a: SkipSet | str | None = None,
        b: SkipSet | str | None = None,
        *,
        limit: int | None = None,
        seed: int = 0,
        margin: float = 0.01,
        stop_early: bool = False,
        ledger: str | None = None,
        progress: Tick | None = None,
        so_far: Callable[[Standing], object] | None = None,
    ) -> Comparison:
        asked = self.examples(task, limit=limit, seed=seed)
        one, two = (SkipSet.of(s, num_layers=self.shape.num_layers) for s in (a, b))
        self.ledgers.append(ledger)
        self.stops.append(stop_early)

        def tell(done: int, total: int, /) -> None:
            try:
                (progress or no_tick)(done, total)
            except CancelledError as stop:
                if done >= 2 * PARTIAL:
                    stop.partial = self._compared(task, asked[: done // 2], one, two, seed, margin, of=len(asked))
                raise
            if so_far is not None and 0 < done < total and done % 12 == 0:
                so_far(self._standing([self._paired(example, one, two) for example in asked[: done // 2]], len(asked)))

        self._tick_through(2 * len(asked), tell)
        found = self._compared(task, asked, one, two, seed, margin, of=len(asked))
        return replace(found, planned=len(asked)) if stop_early else found

    def sweep(
        self,
        task: str,
        skipsets: Iterable[SkipSet | str],
        *,
        limit: int | None = None,
        seed: int = 0,
        ledger: str | None = None,
        progress: Tick | None = None,
    ) -> Sweep:
        asked = self.examples(task, limit=limit, seed=seed)
        self._tick_through(len(asked), progress)
        full = SkipSet.none(num_layers=self.shape.num_layers)
        rows = []
        for skipset in (SkipSet.of(s, num_layers=self.shape.num_layers) for s in skipsets):
            lost = sum(self._is_lost(example, skipset) for example in asked) / len(asked)
            costs = [cost(self.shape, some, num_text=16) for some in (full, skipset)]
            ratio = costs[1].speedup_over(costs[0])
            rows.append(
                SweepRow(
                    skipset,
                    1 - lost,
                    -lost,
                    -lost - 0.02,
                    0.02 - lost,
                    flops_ratio=ratio,
                    low_all=-lost - 0.03,
                    high_all=0.03 - lost,
                    p_adjusted=0.5,
                )
            )
        return Sweep(self._provenance(task, tuple(e.key for e in asked), seed), 1.0, tuple(rows))

    def _compared(
        self,
        task: str,
        asked: Sequence[FakeExample],
        one: SkipSet,
        two: SkipSet,
        seed: int,
        margin: float,
        *,
        of: int,
    ) -> Comparison:
        answers = tuple(self._paired(example, one, two) for example in asked)
        accuracy_a = sum(answer.score_a for answer in answers) / len(answers)
        accuracy_b = sum(answer.score_b for answer in answers) / len(answers)
        delta = accuracy_b - accuracy_a
        costs = [cost(self.shape, skipset, num_text=16) for skipset in (one, two)]
        metrics = (
            Metric("accuracy", "share", accuracy_a, accuracy_b, "B - A", delta, delta - 0.02, delta + 0.02, "by image"),
            Metric("prefill time", "ms", 12.0, 8.0, "A / B", 1.5, 1.4, 1.6, "median of 5"),
            Metric(
                "prefill FLOPs",
                "FLOPs",
                costs[0].flops_prefill,
                costs[1].flops_prefill,
                "A / B",
                costs[1].speedup_over(costs[0]),
                costs[1].speedup_over(costs[0]),
                costs[1].speedup_over(costs[0]),
                "arithmetic",
            ),
        )
        kind = "worse" if delta < -margin else "not worse"
        stopped = "" if len(asked) == of else f"Incomplete, interrupted after {len(asked)} of {of} questions. "
        return Comparison(
            provenance=self._provenance(task, tuple(e.key for e in asked), seed),
            a=one,
            b=two,
            answers=answers,
            metrics=metrics,
            kinds=tuple(_kind_delta(name, answers) for name in sorted({answer.kind for answer in answers})),
            verdict=Verdict(kind, f"{stopped}B is {kind} than A: {100 * delta:+.1f} points.", margin),
            p_mcnemar=0.5,
            mde=0.05,
            design_effect=1.2,
            is_complete=len(asked) == of,
            num_unasked=of - len(asked),
        )

    @staticmethod
    def _standing(answers: Sequence[PairedAnswer], planned: int) -> Standing:
        a, b = (sum(getattr(one, score) for one in answers) / len(answers) for score in ("score_a", "score_b"))
        worse = sum(one.score_b < one.score_a for one in answers)
        wide = 1 / math.sqrt(len(answers))
        return Standing(len(answers), planned, a, b, b - a, b - a - wide, b - a + wide, worse, 0, "anytime-valid")

    # -- inside -----------------------------------------------------------------------------------------------------

    def _tick_through(self, total: int, progress: Tick | None) -> None:
        tick = progress or no_tick
        for done in range(total + 1):
            while not self.gate.wait(0.01):
                tick(max(done - 1, 0), total)  # what is held back is not done
            tick(done, total)

    def _paired(self, example: FakeExample, a: SkipSet, b: SkipSet) -> PairedAnswer:
        said = ["purple" if self._is_lost(example, s) else example.answer for s in (a, b)]
        scores = [float(answer == example.answer) for answer in said]
        return PairedAnswer(
            key=example.key,
            question=example.question,
            target=example.answer,
            kind=example.kind,
            cluster=example.cluster,
            a=said[0],
            b=said[1],
            score_a=scores[0],
            score_b=scores[1],
            parsed_a=True,
            parsed_b=True,
        )

    @staticmethod
    def _is_lost(example: FakeExample, skipset: SkipSet) -> bool:
        hidden = any(skipset.action(layer, "vision") in ("absent", "whole") for layer in NEEDED)
        return hidden and example.kind == "color"

    def _provenance(self, task: str, samples: tuple[str, ...], seed: int) -> Provenance:
        return Provenance(
            model="fake",
            revision="",
            num_layers=self.shape.num_layers,
            dtype="float32",
            device="cpu",
            attention="eager",
            task=task,
            samples=samples,
            seed=seed,
        )


def _kind_delta(kind: str, answers: tuple[PairedAnswer, ...]) -> KindDelta:
    rows = [answer for answer in answers if answer.kind == kind]
    a, b = (sum(getattr(row, score) for row in rows) / len(rows) for score in ("score_a", "score_b"))
    worse, better = (sum(sign * (row.score_b - row.score_a) > 0 for row in rows) for sign in (-1, 1))
    return KindDelta(kind, len(rows), a, b, b - a, b - a - 0.1, b - a + 0.1, worse, better)
