"""`LayerDistanceExplorer`: where is the model redundant, and which patches of this image does a layer move?"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from skipit_nb.errors import LayerIndexError, LimitError, SettingError, UnknownTaskError
from skipit_nb.jobs import Job, Tick
from skipit_nb.ports import Profiles, Question
from skipit_nb.results import Answer, RedundancyProfile, TokenDistances
from skipit_nb.results.profile import epsilon_index
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.tool import Tool

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.explorer_view import ExplorerView

LIMIT = 64
EPSILON = 0.02
CHOICES = {"scale": ("linear", "log"), "colors": ("this layer", "all layers")}
"""Fields of the state that take one of a few words."""

SEEN = "seen"
"""What a view is told when the chosen question has been looked at."""


@dataclass(frozen=True, slots=True)
class ExplorerState(Stored):
    """What the user has chosen in the explorer."""

    task: str
    limit: int
    """Questions to measure, at least: whole images."""
    seed: int
    """Of the sampling of questions."""
    epsilon: float
    """Threshold of the tail probability P[d > ε], in 1 - cos, above 0 and at most 2."""
    layer: int
    """The layer whose distances lie over the image."""
    question: int
    """The question shown: its place in the sample, from 0."""
    scale: str
    """Axis of distances: "linear" or "log"."""
    colors: str
    """The patches' colours span the distances of "this layer", or of "all layers" from 0."""
    skipset: SkipSet
    """Layers to shade; it does not change what is measured."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One question, looked at: its distances token by token, what the model says, and a profile of it alone."""

    example: Question
    questions: tuple[str, ...]
    """The text of every question of the sample."""
    distances: TokenDistances
    answer: Answer
    profile: RedundancyProfile


class LayerDistanceExplorer(Tool[ExplorerState, RedundancyProfile]):
    """Distance, tail probability and cross-modal flow per layer, and one layer's distances over an image.

    A first look comes from one question at once; Measure (or `run`) averages over `limit` of them. A low distance and
    a low flow at a layer mean that it may be skipped for the vision tokens. Choose a layer by click or key, and its
    distances are laid over the image of the chosen question.

    Args:
        source: An open session, or a stored `RedundancyProfile`: that works without torch, but shows no questions.
        task: Where the questions come from; by default the first task of the session.
        limit: Questions to measure, at least: whole images.
        seed: Of the sampling of questions.
        epsilon: Threshold of the tail probability P[d > ε], in 1 - cos, above 0 and at most 2.
        layer: The layer whose distances lie over the image.
        question: The question shown: its place in the sample, from 0.
        scale: Axis of distances: "linear" or "log".
        colors: The patches' colours span the distances of "this layer", or of "all layers" from 0.
        skipset: Layers to shade in the plots; it does not change what is measured.

    Raises:
        UnknownTaskError: If there is no such task.
        LimitError: If `limit` is below 1.
        LayerIndexError: If the model does not have the layer.
        SettingError: If another argument is out of range.
    """

    result_type = RedundancyProfile

    def __init__(
        self,
        source: Profiles | RedundancyProfile,
        *,
        task: str | None = None,
        limit: int = LIMIT,
        seed: int = 0,
        epsilon: float = EPSILON,
        layer: int = 0,
        question: int = 0,
        scale: Literal["linear", "log"] = "linear",
        colors: Literal["this layer", "all layers"] = "this layer",
        skipset: SkipSet | str | None = None,
    ) -> None:
        stored = source if isinstance(source, RedundancyProfile) else None
        self.num_layers = stored.num_layers if stored else source.shape.num_layers  # type: ignore[union-attr]
        self.port: Profiles | None
        if task is None:
            task = stored.provenance.task if stored else source.tasks()[0]  # type: ignore[union-attr]
        self._seen: Seen | None = None
        self._looking: Job[Seen] | None = None
        shaded = SkipSet.of(skipset, num_layers=self.num_layers)
        state = ExplorerState(task, limit, seed, epsilon, layer, question, scale, colors, shaded)
        super().__init__(state, None if stored else source)  # type: ignore[arg-type]
        if stored:
            self._take(stored)

    def _check(self, state: ExplorerState) -> ExplorerState:
        if self.port is not None and state.task not in (known := self.port.tasks()):
            raise UnknownTaskError(state.task, known)
        for name in ("limit", "seed", "layer", "question"):
            if isinstance(value := getattr(state, name), bool) or not isinstance(value, int):
                raise SettingError(name, value, "a whole number")
        if state.limit < 1:
            raise LimitError(state.limit)
        if not 0 <= state.layer < self.num_layers:
            raise LayerIndexError(state.layer, self.num_layers)
        if state.question < 0:
            raise SettingError("question", state.question, "the place of a question in the sample, from 0")
        for name, words in CHOICES.items():
            if getattr(state, name) not in words:
                raise SettingError(name, getattr(state, name), f"one of {', '.join(words)}")
        if isinstance(state.epsilon, bool) or not isinstance(state.epsilon, int | float):
            raise SettingError("epsilon", state.epsilon, "a number")
        epsilon_index(state.epsilon)
        shaded = SkipSet.of(state.skipset, num_layers=self.num_layers)
        return dataclasses.replace(state, epsilon=float(state.epsilon), skipset=shaded)

    # -- what is chosen -------------------------------------------------------------------------------------------

    @property
    def layer(self) -> int:
        """The chosen layer, from 0."""
        return self.state.layer

    @layer.setter
    def layer(self, value: int) -> None:
        self.set(layer=value)

    @property
    def epsilon(self) -> float:
        """The threshold of the tail probability, in 1 - cos."""
        return self.state.epsilon

    @epsilon.setter
    def epsilon(self, value: float) -> None:
        self.set(epsilon=value)

    # -- measuring ------------------------------------------------------------------------------------------------

    @property
    def profile(self) -> RedundancyProfile | None:
        """The measured profile; before that, the profile of the one question looked at; None before both."""
        if self.result is not None:
            return self.result
        return self._seen.profile if self._seen else None

    @property
    def seen(self) -> Seen | None:
        """The question looked at last: its distances token by token, and the model's answer."""
        return self._seen

    def _work(self) -> Callable[[Tick], RedundancyProfile] | None:
        port, state = self.port, self.state
        if port is None:
            return None
        return lambda tick: port.profile(state.task, limit=state.limit, seed=state.seed, progress=tick)

    def look(self, block: bool = True) -> TokenDistances | None:
        """Look at the chosen question: its distances token by token, the model's answer, and a profile of it alone.

        It gets in between the batches of long work. A stored profile has no questions, so it gives None.

        Args:
            block: Wait for the end, and raise what it raised. Otherwise return at once, and give None.
        """
        if self.port is None:
            return None
        port, state, job = self.port, self.state, None

        def work(tick: Tick) -> Seen:
            seen = _seen(port, state, tick)
            with self._lock:
                if self._looking is job:  # a later choice has not taken its place
                    self._seen = seen
                    self._show_seen()
            return seen

        with self._lock:
            job = self._looking = port.submit(work, f"look {id(self)}", quick=True)
        job.watch(self._complain)
        return job.result().distances if block else None

    def _show_seen(self) -> None:
        if self._view is not None:
            self._view.redraw(frozenset({SEEN}))

    def _complain(self, job: Job[Seen]) -> None:
        if job is self._looking and job.state == "failed" and self._view is not None and job.exception is not None:
            self._view.complain(job.exception)

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def data(self) -> pd.DataFrame:
        """One row per layer and kind of token.

        Columns: layer, tokens, distance, spread, norm, update, var, var_uniform, epsilon, tail; no rows before
        anything was measured.
        """
        import pandas as pd

        if self.profile is None:
            columns = ["layer", "tokens", "distance", "spread", "norm", "update", "var", "var_uniform"]
            return pd.DataFrame(columns=[*columns, "epsilon", "tail"])
        return self.profile.frame.merge(self.profile.tail_frame(self.epsilon), on=["layer", "tokens"])

    @property
    def chart(self) -> Any:
        """Distance, tail and flow as an Altair chart.

        Raises:
            SettingError: If nothing was measured yet.
        """
        from skipit_nb.charts.profile import profile_chart

        if self.profile is None:
            raise SettingError("profile", None, "measured before it is drawn: explorer.run()")
        return profile_chart(self.profile, self.epsilon, scale=self.state.scale, skipset=self.state.skipset)  # type: ignore[arg-type]

    def code(self) -> str:
        """A cell that gives the same `data`, by `session.profile`."""
        opening = self.opening() or [f"# session: an open session of {self.profile.provenance.model}"]  # type: ignore[union-attr]
        merged = f'profile.frame.merge(profile.tail_frame({self.epsilon!r}), on=["layer", "tokens"])'
        return "\n".join([*opening, f"profile = {self._call()}", f"data = {merged}", "data"])

    def _call(self) -> str:
        """The call that measures what is shown."""
        if self.result is not None:
            made = self.result.provenance
            task, _, _ = made.task.partition("/")
            return f"session.profile({task!r}, limit={len(made.samples)}, seed={made.seed})"
        if self._seen is not None:
            return f"session.profile([session.example({self.state.task!r}, {self._seen.example.key!r})])"
        return f"session.profile({self.state.task!r}, limit={self.state.limit}, seed={self.state.seed})"

    def _has_picture(self) -> bool:
        return self.profile is not None

    def _make_view(self) -> ExplorerView:
        from skipit_nb.widgets.explorer_view import ExplorerView

        return ExplorerView(self)

    def close(self) -> None:
        """Cancel what runs, and free every widget, observer and image. Showing it again builds a new view."""
        if self._looking is not None:
            self._looking.cancel()
        self._looking = self._seen = None
        super().close()

    def __repr__(self) -> str:
        made = self.profile
        what = repr(made) if made else f"{self.num_layers} layers, not measured"
        return f"LayerDistanceExplorer({what}, layer {self.layer}, ε = {self.epsilon:g})"


def _seen(port: Profiles, state: ExplorerState, tick: Tick) -> Seen:
    """Look at the chosen question; on the worker."""
    examples = port.examples(state.task, limit=state.limit, seed=state.seed)
    if state.question >= len(examples):
        raise SettingError("question", state.question, f"one of the {len(examples)} of this sample, from 0")
    example = examples[state.question]
    return Seen(
        example=example,
        questions=tuple(other.question for other in examples),
        distances=port.look(example.image, example.question),
        answer=port.ask(example.image, example.question),
        profile=port.profile([example], progress=tick),
    )
