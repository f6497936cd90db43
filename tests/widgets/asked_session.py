# ruff: noqa: ARG002 - a fake takes what the real one takes
"""A session without a model that also answers what-ifs and knows methods: the fake one, and what the builder asks."""

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from skipit_nb.errors import SettingError, UnsupportedSkipError
from skipit_nb.jobs import Job, Tick, Worker, no_tick
from skipit_nb.results import Candidate, Proposal, WhatIf
from skipit_nb.skipset import SkipSet
from tests.widgets.fake_session import NEEDED, FakeSession

T = TypeVar("T")

UNSUPPORTED = 11
"""A layer that this model cannot run without its vision tokens."""

STEPS = 3


class AskedSession(FakeSession):
    """Answers wrongly where the vision tokens are gone from a layer that `NEEDED` names; KL is the count of those.

    `ask_gate` holds back every step of a what-if while it is cleared; `asked` has the skip sets that were begun,
    `answered` those that came to an end.
    """

    def __init__(self, num_layers: int = 12) -> None:
        super().__init__(num_layers)
        self.quick = Worker("fake questions")
        self.ask_gate = threading.Event()
        self.ask_gate.set()
        self.asked: list[str] = []
        self.answered: list[str] = []

    def submit(
        self, work: Callable[[Tick], T], name: str = "", *, quick: bool = False, owner: Hashable = None
    ) -> Job[T]:
        return (self.quick if quick else self.worker).submit(work, name, latest_wins=quick, owner=owner)

    def close(self) -> None:
        self.ask_gate.set()
        self.gate.set()
        self.worker.close()
        self.quick.close()

    def what_if(
        self, image: Any, question: str, skipset: SkipSet | str | None, *, progress: Tick | None = None
    ) -> WhatIf:
        bound, tick = SkipSet.of(skipset, num_layers=self.shape.num_layers), progress or no_tick
        self.asked.append(str(bound))
        for done in range(STEPS):
            while not self.ask_gate.wait(0.002):
                tick(done, STEPS)
            tick(done, STEPS)
        if bound.action(UNSUPPORTED, "vision") == "absent":
            raise UnsupportedSkipError(bound, f"layer {UNSUPPORTED} needs its vision tokens", "Leave it out.")
        self.answered.append(str(bound))
        lost = [layer for layer in NEEDED if bound.action(layer, "vision") in ("absent", "whole")]
        return WhatIf(
            provenance=self.provenance,
            question=question,
            skipset=bound,
            answer="purple" if lost else "red",
            probability=0.6 if lost else 0.9,
            full_answer="red",
            full_probability=0.9,
            kl=float(len(lost)),
        )

    def methods(self) -> dict[str, str]:
        return {"shortgpt": "Skip the whole layers that turn least.", "novel": "Skip the last layer."}

    def propose(
        self, method: str, examples: Any, *, limit: int | None = None, progress: Tick | None = None, **knobs: Any
    ) -> Proposal:
        if method not in self.methods():
            raise SettingError("method", method, f"one of {', '.join(self.methods())}")
        asked = self.examples(examples, limit=limit)
        self._tick_through(len(asked), progress)
        last = self.shape.num_layers
        layers = range(last - knobs.get("layers", 1), last)
        chosen = SkipSet.whole(layers, num_layers=last)
        return Proposal(
            provenance=self._provenance(examples, tuple(one.key for one in asked), 0),
            method=method,
            skipset=chosen,
            unit="1 - cos",
            candidates=tuple(Candidate(SkipSet.whole(i, num_layers=last), 0.1, i in layers) for i in range(last)),
        )
