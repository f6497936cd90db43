"""What a widget may ask of a session. `Session` satisfies these protocols by shape; a test can do so with ten lines.

A widget is *given* a port; it never imports the backend and never sees the model.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from skipit_nb.cost import ModelShape
from skipit_nb.jobs import Job, Tick
from skipit_nb.results import (
    Answer,
    BandDistances,
    Comparison,
    Proposal,
    Recommendation,
    RedundancyProfile,
    Standing,
    Sweep,
    TokenDistances,
    WhatIf,
)
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    from PIL.Image import Image

T = TypeVar("T")


class Question(Protocol):
    """One question about one image, as tasks give them."""

    @property
    def key(self) -> str:
        """Document key, unique in its task."""

    @property
    def question(self) -> str:
        """The question's text."""

    @property
    def answer(self) -> str:
        """The right answer."""

    @property
    def kind(self) -> str:
        """Question type."""

    @property
    def cluster(self) -> str:
        """The image's key."""

    @property
    def image(self) -> Image:
        """The image, loaded when asked for."""


class Opened(Protocol):
    """Anything that stands for one open model."""

    @property
    def name(self) -> str:
        """Model id; "tiny" is the model in the box."""

    @property
    def shape(self) -> ModelShape:
        """The decoder's numbers."""

    @property
    def code(self) -> str:
        """The line of Python that opens this session again: `session = Session.open()`; "" if it cannot be written."""

    def submit(
        self, work: Callable[[Tick], T], name: str = "", *, quick: bool = False, owner: Hashable = None
    ) -> Job[T]:
        """Run long work on the session's worker; `quick` work jumps the queue, and replaces its owner's older work of
        the same name.
        """


class Asks(Opened, Protocol):
    """Gives questions and answers them."""

    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks that can be had here."""

    def examples(self, task: str, *, limit: int | None = None, seed: int = 0) -> Sequence[Question]:
        """Questions of a task: whole images in seeded order until at least `limit` questions."""

    def example(self, task: str, key: str) -> Question:
        """One question by its document key."""

    def ask(self, image: Any, question: str, *, skipset: SkipSet | str | None = None) -> Answer:
        """Answer one question under a skip set."""


class Profiles(Asks, Protocol):
    """Measures redundancy."""

    def profile(
        self,
        examples: Any,
        *,
        limit: int | None = None,
        seed: int = 0,
        progress: Tick | None = None,
        so_far: Callable[[RedundancyProfile], object] | None = None,
    ) -> RedundancyProfile:
        """Measure distances, tails, norms and cross-modal flow over questions (a task's name, or examples).

        `so_far` hears of the profile of the questions up to there after every batch but the last.
        """

    def look(self, image: Any, question: str) -> TokenDistances:
        """Measure one question, token by token."""


@runtime_checkable
class MapsBands(Asks, Protocol):
    """Measures bands of layers."""

    def bands(
        self, examples: Any, *, limit: int | None = None, seed: int = 0, progress: Tick | None = None
    ) -> BandDistances:
        """Measure how far every band of layers turns each kind of token."""


class Recommends(Asks, Protocol):
    """Knows the paper's conditions."""

    def recommend(self, profile: RedundancyProfile) -> Recommendation:
        """Find a skip set that meets the conditions, with a reason per layer."""


class AsksWhatIf(Asks, Protocol):
    """Answers one question under a skip set and under the full model."""

    def what_if(
        self, image: Any, question: str, skipset: SkipSet | str | None, *, progress: Tick | None = None
    ) -> WhatIf:
        """Give both answers, and how far the next token has moved."""


class Proposes(Asks, Protocol):
    """Knows published methods that take a skip set."""

    def methods(self) -> dict[str, str]:
        """Names of the methods, with what each does."""

    def propose(
        self, method: str, examples: Any, *, limit: int | None = None, progress: Tick | None = None, **knobs: Any
    ) -> Proposal:
        """Let a method take a skip set from what it measures on questions."""


class Compares(Asks, Protocol):
    """Runs A against B."""

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
        """Ask both arms the same questions and judge the difference; stopping early, once it is clear.

        `ledger` is a folder that keeps the answers; `so_far` hears how it stands, with an anytime-valid interval.
        """


@runtime_checkable
class Sweeps(Asks, Protocol):
    """Asks many skip sets at once."""

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
        """Ask them, and the full model, the same questions. It ranks; `compare` judges."""
