"""`LayerDistanceExplorer`: where is the model redundant, and which patches of this image does a layer move?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from skipit_nb.errors import SettingError
from skipit_nb.ports import Profiles
from skipit_nb.results import BandDistances, RedundancyProfile
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.explorer.code import call_of, code_of, table_of
from skipit_nb.widgets.explorer.measuring import Measuring
from skipit_nb.widgets.explorer.state import EPSILON, LIMIT, ExplorerState, Pinned, checked

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.explorer.view import ExplorerView


class LayerDistanceExplorer(Measuring):
    """Distance, tail probability, lengths and cross-modal flow per layer, and one layer's distances over an image.

    A first look comes from one question at once; Measure (or `run`) averages over more, and the plots follow while
    questions come in. A low distance and a low flow at a layer mean that it may be skipped for the vision tokens.
    Choose a layer by click or key, and its distances are laid over the image of the chosen question.

    Args:
        source: An open session, or a stored `RedundancyProfile`: that works without torch, but shows no questions.
        against: Another model to show beside it, the same way: an open session, or a stored profile.
        bands: A stored map of bands to show with a stored profile.
        task: Where the questions come from; by default the first task of the session.
        limit: Questions to measure, at least: whole images.
        seed: Of the sampling of questions.
        epsilon: Threshold of the tail probability P[d > ε], in 1 - cos, above 0 and at most 2.
        layer: The layer whose distances lie over the image.
        question: The question shown: its place in the sample, from 0.
        scale: Axis of distances and lengths: "log" or "linear".
        colors: The patches' colours span the values of "this layer", or of "all layers" from 0.
        skipset: Layers to shade in the plots; it does not change what is measured.
        over: What the plots are of: the "question", the "task", or "all tasks" with `limit` questions each.
        shows: What lies over the image: each token's "distance", or the "length" of its state.

    Raises:
        UnknownTaskError: If there is no such task.
        LimitError: If `limit` is below 1.
        LayerIndexError: If the model does not have the layer.
        SettingError: If another argument is out of range.
    """

    def __init__(  # noqa: PLR0913 - each is one thing to choose, by its name
        self,
        source: Profiles | RedundancyProfile,
        *,
        against: Profiles | RedundancyProfile | None = None,
        bands: BandDistances | None = None,
        task: str | None = None,
        limit: int = LIMIT,
        seed: int = 0,
        epsilon: float = EPSILON,
        layer: int = 0,
        question: int = 0,
        scale: Literal["log", "linear"] = "log",
        colors: Literal["this layer", "all layers"] = "this layer",
        skipset: SkipSet | str | None = None,
        over: Literal["question", "task", "all tasks"] = "task",
        shows: Literal["distance", "length"] = "distance",
    ) -> None:
        stored = source if isinstance(source, RedundancyProfile) else None
        self.num_layers = stored.num_layers if stored else source.shape.num_layers  # type: ignore[union-attr]
        if task is None:
            task = stored.provenance.task if stored else source.tasks()[0]  # type: ignore[union-attr]
        pinned = _known(against) if isinstance(against, RedundancyProfile) else None
        shaded = SkipSet.of(skipset, num_layers=self.num_layers)
        state = ExplorerState(
            task, limit, seed, epsilon, layer, question, scale, colors, shaded, over, shows, pinned=pinned
        )
        other = None if isinstance(against, RedundancyProfile) else against
        super().__init__(state, None if stored else source, other, bands)  # type: ignore[arg-type]
        if stored:
            self._take(stored)

    def _check(self, state: ExplorerState) -> ExplorerState:
        tasks = None if self.port is None else self.port.tasks()
        return checked(state, tasks=tasks, num_layers=self.num_layers)

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

    # -- comparing ------------------------------------------------------------------------------------------------

    def pin(self) -> None:
        """Keep what is shown, to compare it with what is chosen next: its lines stay in the plots, and the question
        with its image stays beside the next one.

        Raises:
            SettingError: If nothing was measured yet.
        """
        if self.profile is None:
            raise SettingError("profile", None, "measured before it is pinned: explorer.look()")
        is_one = self.profile.num_samples == 1 and self._seen is not None
        made = self.profile.provenance
        label = (
            self._seen.example.question if is_one and self._seen else f"{len(made.samples)} questions of {made.task}"
        )
        self._pinned_seen = self._seen
        self.set(pinned=Pinned(self.profile, label, self._call()))

    def unpin(self) -> None:
        """Show nothing beside any more."""
        self._pinned_seen = None
        self.set(pinned=None)

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def data(self) -> pd.DataFrame:
        """One row per layer and kind of token.

        Columns: layer, tokens, distance, spread, norm, update, var, var_uniform, epsilon, tail; no rows before
        anything was measured. With something beside, its rows follow, and a first column `shown` says "this" or
        "beside".
        """
        return table_of(self.profile, self.beside, self.epsilon)

    @property
    def chart(self) -> Any:
        """Distance, tail and flow as an Altair chart.

        Raises:
            SettingError: If nothing was measured yet.
        """
        from skipit_nb.charts import profile_chart

        if self.profile is None:
            raise SettingError("profile", None, "measured before it is drawn: explorer.run()")
        return profile_chart(self.profile, self.epsilon, scale=self.state.scale, skipset=self.state.skipset)  # type: ignore[arg-type]

    def code(self) -> str:
        """A cell that gives the same `data`, by `session.profile`."""
        opening = self.opening() or [f"# session: an open session of {self.profile.provenance.model!r}"]  # type: ignore[union-attr]
        return code_of(opening, self._call(), self.beside if self.profile else None, self.epsilon, self.other)

    def _call(self) -> str:
        """The call that measures what is shown."""
        shown = self.profile
        if shown is not None and self._calls[0] is shown:
            return self._calls[1]
        if shown is not None and shown is self.result and shown.provenance.task:
            made = shown.provenance
            task, _, _ = made.task.partition("/")
            return f"session.profile({task!r}, limit={len(made.samples)}, seed={made.seed})"
        if shown is not None and self._seen is not None and shown is self._seen.profile:
            return f"session.profile([session.example({self.state.task!r}, {self._seen.example.key!r})])"
        return call_of(self.state)

    def _has_picture(self) -> bool:
        return self.profile is not None

    def _make_view(self) -> ExplorerView:
        from skipit_nb.widgets.explorer.view import ExplorerView

        return ExplorerView(self)

    def close(self) -> None:
        """Cancel what runs, and free every widget, observer and image. Showing it again builds a new view."""
        if self._looking is not None:
            self._looking.cancel()
        self._looking = self._seen = self._pinned_seen = None
        super().close()

    def __repr__(self) -> str:
        made = self.profile
        what = repr(made) if made else f"{self.num_layers} layers, not measured"
        beside = f", beside {self.state.pinned.label!r}" if self.state.pinned else ""
        return f"LayerDistanceExplorer({what}, layer {self.layer}, ε = {self.epsilon:g}{beside})"


def _known(profile: RedundancyProfile) -> Pinned:
    """A stored profile, to be shown beside."""
    made = profile.provenance
    task, _, _ = made.task.partition("/")
    call = f"other.profile({task!r}, limit={len(made.samples)}, seed={made.seed})" if task else ""
    return Pinned(profile, made.model, call)
