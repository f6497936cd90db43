"""What the explorer measures: one question at once, more of them while one watches, and bands of layers."""

from __future__ import annotations

import time
from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from skipit_nb.errors import CancelledError
from skipit_nb.jobs import Job, Tick, part
from skipit_nb.ports import Profiles, Question
from skipit_nb.results import BandDistances, RedundancyProfile, TokenDistances
from skipit_nb.results.stored import Stored
from skipit_nb.widgets.explorer.code import call_of
from skipit_nb.widgets.explorer.looking import (
    Seen,
    asked_of,
    bands_of,
    has_bands,
    is_mapped_at_once,
    look_at,
    sample_of,
)
from skipit_nb.widgets.explorer.state import ExplorerState, Pinned
from skipit_nb.widgets.tool import RESULT, Tool

SEEN, PARTIAL, BANDS = "seen", "partial", "bands"
"""What a view is told when the question has been looked at, more questions are in, or bands have been measured."""

SECONDS_BETWEEN_REFINEMENTS = 0.25


class Measuring(Tool[ExplorerState, RedundancyProfile], ABC):
    """The part of the explorer that asks a port, and holds what it gave."""

    port: Profiles | None
    results: ClassVar[Mapping[str, type[Stored]]] = {RESULT: RedundancyProfile, BANDS: BandDistances}

    def __init__(
        self, state: ExplorerState, port: Profiles | None, other: Profiles | None, bands: BandDistances | None
    ) -> None:
        self.other = other
        self._seen: Seen | None = None
        self._pinned_seen: Seen | None = None
        self._looking: Job[Seen] | None = None
        self._partial: RedundancyProfile | None = None
        self._refined = 0.0
        self._bands = bands
        self._calls: tuple[RedundancyProfile | None, str] = (None, "")
        super().__init__(state, port)

    # -- what was measured ----------------------------------------------------------------------------------------

    @property
    def profile(self) -> RedundancyProfile | None:
        """What the plots show: the measured profile, or that of the questions that are in so far.

        Before that, and where the plots are of the question, it is the profile of the one looked at; None before that.
        """
        alone = self._seen.profile if self._seen else None
        if self.state.over == "question" and self.port is not None:
            return alone
        return self._partial or self.result or alone

    @property
    def is_first_look(self) -> bool:
        """Whether the plots are of one question because no more were measured yet."""
        return self.port is not None and self._partial is None and self.result is None

    @property
    def is_refining(self) -> bool:
        """Whether the plots follow a measurement that is not at its end."""
        return self._partial is not None

    @property
    def seen(self) -> Seen | None:
        """The question looked at last: its distances token by token, and the model's answer."""
        return self._seen

    @property
    def seen_beside(self) -> Seen | None:
        """The question that lies beside: what the other model did with it, or the one looked at when it was pinned."""
        if self._seen is None or self._seen.other is not None:
            return self._seen.other if self._seen else None
        pinned = self._pinned_seen
        return None if pinned is None or pinned.example.key == self._seen.example.key else pinned

    @property
    def sample(self) -> Sequence[Question]:
        """The questions of the chosen task that Measure takes and that one is chosen from; none without a session."""
        return sample_of(self.port, self.state) if self.port else ()

    @property
    def beside(self) -> Pinned | None:
        """What is shown beside: what was pinned, or what the other model did in the first look."""
        alone = self._seen.other if self._seen else None
        if alone is None or (self.state.pinned is not None and self.state.over != "question"):
            return self.state.pinned
        task, key = self.state.task, alone.example.key
        call = f"other.profile([other.example({task!r}, {key!r})])"
        return Pinned(alone.profile, alone.profile.provenance.model, call)

    @property
    def bands(self) -> BandDistances | None:
        """How far every band of layers turns each kind of token; None before it was measured."""
        return self._bands

    # -- measuring ------------------------------------------------------------------------------------------------

    def run(self, block: bool = True) -> RedundancyProfile | None:
        """Measure what is chosen, as the Measure button does; the plots follow while questions come in.

        A run that is cancelled keeps the questions that were in. Where the plots are of the one question, this looks
        at it.

        Args:
            block: Wait for the end, and raise what it raised. Otherwise return at once: `job` has the rest.
        """
        if self.state.over == "question" and self.port is not None:
            self.look(block)
            return self.profile if block else None
        return super().run(block)

    def _work(self) -> Callable[[Tick], RedundancyProfile] | None:
        port, other, state, mine = self.port, self.other, self.state, self._runs + 1
        if port is None:
            return None

        def refine(profile: RedundancyProfile) -> None:
            self._partial = profile
            if time.monotonic() - self._refined >= SECONDS_BETWEEN_REFINEMENTS:
                self._refined = time.monotonic()
                self._tell(PARTIAL)

        def work(tick: Tick) -> RedundancyProfile:
            asked = state.task if state.over == "task" else asked_of(port, state)
            named: dict[str, Any] = {"limit": state.limit, "seed": state.seed} if state.over == "task" else {}
            arms = 2 if other else 1
            try:
                measured = port.profile(asked, **named, progress=part(tick, 0, arms), so_far=refine)
                if other:
                    self._partial = measured
                    beside = other.profile(asked, **named, progress=part(tick, 1, arms))
                    self.set(pinned=Pinned(beside, beside.provenance.model, call_of(state, "other")))
            except CancelledError:
                if self._partial is not None and mine == self._runs:
                    self._keep(self._partial, call_of(state, first=self._partial.num_samples))
                raise
            finally:
                self._partial = None
            self._calls = (measured, call_of(state))
            return measured

        return work

    def _keep(self, partial: RedundancyProfile, call: str) -> None:
        """Make what was measured before a cancel the result."""
        self._partial, self._calls = None, (partial, call)
        self._take(partial)

    def look(self, block: bool = True) -> TokenDistances | None:
        """Look at the chosen question: its distances token by token, the model's answer, and a profile of it alone.

        It gets in between the batches of long work. A stored profile has no questions, so it gives None.

        Args:
            block: Wait for the end, and raise what it raised. Otherwise return at once, and give None.
        """
        if self.port is None:
            return None
        port, other, state = self.port, self.other, self.state
        job: Job[Seen] | None = None

        def work(tick: Tick) -> Seen:
            seen = look_at(port, other, state, tick)
            with self._lock:
                is_newest = self._looking is job  # else a later choice has taken its place
                if is_newest:
                    self._seen = seen
            if is_newest:
                self._tell(SEEN)  # without the lock: whoever draws may be waiting for it
            if is_newest and self._has_bands_of_one() and is_mapped_at_once(port, seen):
                self._take_bands(bands_of(port, [seen.example], tick))
            return seen

        with self._lock:
            job = self._looking = port.submit(work, "a look at one question", quick=True, owner=id(self))
        job.watch(self._complain)
        return job.result().distances if block else None

    def _has_bands_of_one(self) -> bool:
        """Whether no map over many questions would be lost."""
        return self._bands is None or len(self._bands.provenance.samples) == 1

    def map_bands(self, block: bool = True) -> BandDistances | None:
        """Measure how far every band of layers turns each kind of token, over the questions that Measure takes.

        Args:
            block: Wait for the end, and raise what it raised. Otherwise return at once, and give None.
        """
        port, state = self.port, self.state
        if port is None or not has_bands(port):
            return self._bands

        def work(tick: Tick) -> BandDistances | None:
            return bands_of(port, asked_of(port, state), tick)

        job = self._start(work, take=self._take_bands)
        return job.result() if block else None

    def _take_bands(self, bands: BandDistances | None) -> None:
        old, self._bands = self._bands, bands
        self._announce({BANDS: (old, bands)})

    def _receive(self, name: str, result: Any) -> None:
        if name == BANDS:
            self._take_bands(result)
        else:
            super()._receive(name, result)

    def _tell(self, name: str) -> None:
        if self._view is not None:
            self._view.redraw(frozenset({name}))

    def _complain(self, job: Job[Seen]) -> None:
        if job is self._looking and job.state == "failed" and self._view is not None and job.exception is not None:
            self._view.complain(job.exception)
