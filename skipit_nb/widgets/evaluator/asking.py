"""What the evaluator asks its port: A against B while one watches, and many skip sets at once."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from skipit_nb.errors import CancelledError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.ports import Compares, Sweeps
from skipit_nb.results import Comparison, Standing, Sweep
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.evaluator.state import MANY, EvaluatorState
from skipit_nb.widgets.tool import RESULT, Tool

SWEPT = "swept"
"""What observers are told beside fields and "result": a sweep is there."""
LOOKED = "looked"
"""What a view is told when the run under way stands otherwise."""
MOST_BEFORE = 4
"""Earlier comparisons that are remembered for the pinned question."""
MOST_LOOKS = 200
"""Looks that are kept of a run; of more, every other one is dropped."""


class Judging(Tool[EvaluatorState, Comparison], ABC):
    """The part of the evaluator that asks a port, and holds what it gave."""

    results: ClassVar[Mapping[str, type[Stored]]] = {RESULT: Comparison, SWEPT: Sweep}

    def __init__(self, state: EvaluatorState, port: Compares | None, num_layers: int) -> None:
        self.num_layers = num_layers
        self._compares = port
        self._can_sweep = isinstance(port, Sweeps)  # asked now: a closed session refuses even that
        self._looks: tuple[Standing, ...] = ()
        self._swept: Sweep | None = None
        self._before: tuple[Comparison, ...] = ()
        super().__init__(state, port)

    @property
    def looks(self) -> tuple[Standing, ...]:
        """How the last run stood while it ran, oldest first; each interval holds at every look at once."""
        return self._looks

    @property
    def swept(self) -> Sweep | None:
        """What the last sweep found; None before the first."""
        return self._swept

    @property
    def can_sweep(self) -> bool:
        """Whether the session can ask many skip sets at once."""
        return self._can_sweep

    # -- A against B ----------------------------------------------------------------------------------------------

    def _work(self) -> Callable[[Tick], Comparison] | None:
        port, s, mine = self._compares, self.state, self._runs + 1
        if port is None:
            return None

        def look(found: Standing) -> None:
            if mine == self._runs:
                self._see((*self._looks, found))

        def work(tick: Tick) -> Comparison:
            self._see(())
            try:
                return port.compare(
                    s.task, s.a, s.b, limit=self._limit(s), seed=s.seed, margin=s.margin, stop_early=s.stop_early,
                    ledger=s.ledger, progress=tick, so_far=look,
                )  # fmt: skip
            except CancelledError as stop:
                if isinstance(stop.partial, Comparison) and mine == self._runs:
                    self._take(stop.partial)
                raise

        return work

    def _limit(self, state: EvaluatorState) -> int:
        """Questions to ask. All of them are said as a number: only with one are the images in random order."""
        return len(self._compares.examples(state.task)) if state.limit is None else state.limit  # type: ignore[union-attr]

    @property
    def earlier(self) -> list[tuple[str, str]]:
        """What skip sets of earlier runs said to the pinned question, newest first: skip set, answer."""
        now = self.result
        return [
            (str(found.b), answer.b)
            for found in self._before
            if now is not None and found.b != now.b
            for answer in found.answers
            if answer.key == self.state.pinned
        ]

    def _take(self, result: Comparison) -> None:
        if self.result is not None:
            others = [found for found in self._before if found.b != self.result.b]
            self._before = (self.result, *others)[:MOST_BEFORE]
        super()._take(result)

    def _see(self, looks: tuple[Standing, ...]) -> None:
        self._looks = looks if len(looks) <= MOST_LOOKS else (*looks[:-1:2], looks[-1])
        if self._view is not None:
            self._view.redraw(frozenset({LOOKED}))

    # -- many skip sets -------------------------------------------------------------------------------------------

    def family(self) -> list[SkipSet]:
        """The skip sets of the chosen family, and B if it is none of them."""
        sets = MANY[self.state.many](self.num_layers)
        return sets if self.state.b in sets or self.state.b.is_empty else [*sets, self.state.b]

    def sweep(self, skipsets: Iterable[SkipSet | str] | None = None, *, block: bool = True) -> Sweep | None:
        """Ask many skip sets the questions that are chosen, from one prefill; `swept` is what they say.

        Args:
            skipsets: By default those of the chosen family, and B.
            block: Wait for the end, and raise what it raised. Otherwise return at once: `job` has the rest.

        Returns:
            The sweep; None if it was not waited for.

        Raises:
            SettingError: If there is no session that can sweep.
        """
        port: object = self._compares
        s = self.state
        if not isinstance(port, Sweeps):
            raise SettingError("port", port, "an open session, which can ask many skip sets")
        sets = self.family() if skipsets is None else [SkipSet.of(one, num_layers=self.num_layers) for one in skipsets]
        mine = self._runs + 1

        def work(tick: Tick) -> Sweep:
            try:
                return port.sweep(s.task, sets, limit=self._limit(s), seed=s.seed, ledger=s.ledger, progress=tick)
            except CancelledError as stop:
                if isinstance(stop.partial, Sweep) and mine == self._runs:
                    self._take_sweep(stop.partial)
                raise

        job = self._start(work, take=self._take_sweep)
        return job.result() if block else None

    def take_as_b(self, skipset: SkipSet | str) -> None:
        """Make a skip set B, as a press on its point in the chart does; in the studio the builder gets it too."""
        self.set(b=skipset)

    def _take_sweep(self, swept: Sweep) -> None:
        with self._lock:
            old, self._swept = self._swept, swept
        self._announce({SWEPT: (old, swept)})

    def _receive(self, name: str, result: Any) -> None:
        if name == SWEPT:
            self._take_sweep(result)
        else:
            super()._receive(name, result)
