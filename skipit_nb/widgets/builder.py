"""`SkipSetBuilder`: draw a skip set on a strip of layers, and see what it saves and which conditions it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skipit_nb.cost import Cost, ModelShape, cost
from skipit_nb.errors import LayerCountError, SettingError
from skipit_nb.jobs import Tick
from skipit_nb.ports import Opened
from skipit_nb.results import Recommendation, RedundancyProfile
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import MODALITIES, Layers, SkipSet
from skipit_nb.widgets.tool import RESULT, Tool

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.builder_view import BuilderView

NUM_TEXT, NUM_VISION = 16, 576
"""The usual prompt, if nothing else is said: as `compare` counts it."""


@dataclass(frozen=True, slots=True)
class BuilderState(Stored):
    """What the user has chosen in the builder."""

    skipset: SkipSet
    """Bound to the model's number of layers."""
    num_vision: int
    """Vision tokens of the prompt that the cost is counted for."""
    num_text: int
    """Text tokens of that prompt."""


class SkipSetBuilder(Tool[BuilderState, Recommendation]):
    """A strip of layers by kinds of tokens: click, drag or type, and read the predicted cost and the conditions.

    Everything it says about cost is arithmetic (`skipit_nb.cost`), never a measured time. Its `result` is the
    recommendation that the conditions come from.

    Args:
        source: An open session; or a `ModelShape`, a profile or a recommendation, without any model.
        profile: Where the model is redundant; with a session that can recommend, the conditions follow from it.
        recommendation: The conditions, if they are known already.
        skipset: What to start with.
        num_vision: Vision tokens of the prompt that the cost is counted for; those of one image by default.
        num_text: Its text tokens.
    """

    result_type = Recommendation

    def __init__(
        self,
        source: Opened | ModelShape | RedundancyProfile | Recommendation,
        profile: RedundancyProfile | None = None,
        recommendation: Recommendation | None = None,
        *,
        skipset: SkipSet | str | None = "none",
        num_vision: int | None = None,
        num_text: int = NUM_TEXT,
    ) -> None:
        given = isinstance(source, ModelShape | RedundancyProfile | Recommendation)
        self.shape: ModelShape | None = source if isinstance(source, ModelShape) else getattr(source, "shape", None)
        self.num_layers = _num_layers(source)
        self.profile: RedundancyProfile | None = None
        self._past: list[SkipSet] = []
        self._future: list[SkipSet] = []
        self._is_travelling = False
        if num_vision is None:
            num_vision = (self.shape.num_vision if self.shape else 0) or NUM_VISION
        state = BuilderState(SkipSet.of(skipset), num_vision, num_text)
        super().__init__(state, None if given else source)  # type: ignore[arg-type]
        profile = source if isinstance(source, RedundancyProfile) else profile
        recommendation = source if isinstance(source, Recommendation) else recommendation
        if profile is not None or recommendation is not None:
            self.inform(profile, recommendation)

    # -- the skip set ---------------------------------------------------------------------------------------------

    @property
    def skipset(self) -> SkipSet:
        """The skip set as it is drawn now."""
        return self.state.skipset

    @skipset.setter
    def skipset(self, value: SkipSet | str | None) -> None:
        self.set(skipset=value)

    def add(self, skipset: SkipSet | str) -> None:
        """Join another skip set to this one; the stronger action wins."""
        self.set(skipset=self.skipset | SkipSet.of(skipset, num_layers=self.num_layers))

    def late_entry(self, k: int, modality: str = "vision") -> None:
        """Add: the tokens join before layer `k`."""
        self.add(SkipSet.late_entry(k, num_layers=self.num_layers, modality=modality))

    def early_exit(self, k: int, modality: str = "vision") -> None:
        """Add: the tokens leave before layer `k`."""
        self.add(SkipSet.early_exit(k, num_layers=self.num_layers, modality=modality))

    def freeze(self, layers: Layers, modality: str = "vision") -> None:
        """Add: the tokens keep their state at `layers`, but stay visible."""
        self.add(SkipSet.freeze(layers, num_layers=self.num_layers, modality=modality))

    def whole(self, layers: Layers) -> None:
        """Add: nothing is computed at `layers`."""
        self.add(SkipSet.whole(layers, num_layers=self.num_layers))

    def recommended(self) -> None:
        """Take the recommended skip set, in place of what is there.

        Raises:
            SettingError: If there is no recommendation: the builder has no profile.
        """
        if self.result is None:
            raise SettingError("profile", None, "a measured profile, which a recommendation needs (session.profile)")
        self.set(skipset=self.result.skipset)

    def clear(self) -> None:
        """Skip nothing."""
        self.set(skipset="none")

    def undo(self) -> None:
        """Take the last change of the skip set back, if there is one."""
        self._travel(self._past, self._future)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._travel(self._future, self._past)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return bool(self._future)

    def _travel(self, source: list[SkipSet], other: list[SkipSet]) -> None:
        if not source:
            return
        other.append(self.skipset)
        self._is_travelling = True
        try:
            self.set(skipset=source.pop())
        finally:
            self._is_travelling = False

    def _announce(self, changes: dict[str, tuple[Any, Any]]) -> None:
        if "skipset" in changes and not self._is_travelling:
            self._past.append(changes["skipset"][0])
            self._future.clear()
        super()._announce(changes)

    def _check(self, state: BuilderState) -> BuilderState:
        for name in ("num_vision", "num_text"):
            value = getattr(state, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise SettingError(name, value, "a number of tokens, at least 0")
        if state.num_vision + state.num_text == 0:
            raise SettingError("num_text", 0, "at least 1 if there are no vision tokens")
        skipset = SkipSet.of(state.skipset, num_layers=self.num_layers)
        return BuilderState(skipset, state.num_vision, state.num_text)

    # -- what is known about the layers ---------------------------------------------------------------------------

    def inform(self, profile: RedundancyProfile | None, recommendation: Recommendation | None = None) -> None:
        """Take a profile, and the recommendation that follows from it, for the conditions.

        Raises:
            LayerCountError: If it was measured on a model with another number of layers.
        """
        for known in (profile, recommendation):
            if known is not None and known.provenance.num_layers != self.num_layers:
                raise LayerCountError(known.provenance.num_layers, self.num_layers, type(known).__name__)
        self.profile = profile
        if recommendation is None and profile is not None and profile.flow and hasattr(self.port, "recommend"):
            recommendation = self.port.recommend(profile)  # type: ignore[union-attr]
        with self._lock:
            old, self._result = self._result, recommendation
        self._announce({RESULT: (old, recommendation)})

    def _work(self) -> Callable[[Tick], Recommendation] | None:
        profile, port = self.profile, self.port
        if profile is None or not hasattr(port, "recommend"):
            return None
        return lambda _: port.recommend(profile)  # type: ignore[union-attr]

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def cost(self) -> Cost | None:
        """The predicted cost of the skip set; None without the model's shape."""
        return self._cost(self.skipset)

    @property
    def full_cost(self) -> Cost | None:
        """The predicted cost of the full model for the same prompt."""
        return self._cost(None)

    def _cost(self, skipset: SkipSet | None) -> Cost | None:
        if self.shape is None:
            return None
        return cost(self.shape, skipset, num_vision=self.state.num_vision, num_text=self.state.num_text)

    @property
    def data(self) -> pd.DataFrame:
        """One row per layer: layer, the actions of vision and text, and predicted prefill FLOPs with and without."""
        import pandas as pd

        chosen, full = self.cost, self.full_cost
        rows: dict[str, Any] = {"layer": range(self.num_layers)}
        rows |= {name: [self.skipset.action(i, name) for i in range(self.num_layers)] for name in MODALITIES}
        if chosen and full:
            rows |= {"flops": chosen.layer_flops, "flops_full": full.layer_flops}
        return pd.DataFrame(rows)

    @property
    def chart(self) -> Any:
        """The strip as an Altair chart."""
        from skipit_nb.charts.skipset import skipset_chart

        return skipset_chart(self.skipset)

    def code(self) -> str:
        """A cell that names the skip set and gives `data`; `skipset` in it is ready for `session.skipping`."""
        lines = [f"skipset = {self.skipset.code()}"]
        if self.port is None and self.shape is None:
            return "\n".join([*self.opening("SkipSet"), *lines, f"skipset = skipset.bind({self.num_layers})"])
        names = ["SkipSet", "SkipSetBuilder", *([] if self.port else ["ModelShape"])]
        source = "session" if self.port else repr(self.shape)
        size = f"num_vision={self.state.num_vision}, num_text={self.state.num_text}"
        call = f"SkipSetBuilder({source}, skipset=skipset, {size})"
        return "\n".join([*self.opening(*names), *lines, f"data = {call}.data", "data"])

    def _has_picture(self) -> bool:
        return True

    def _draw_thumbnail(self) -> bytes:
        from skipit_nb.widgets.strip_picture import strip_png

        return strip_png(self.skipset)

    def _make_view(self) -> BuilderView:
        from skipit_nb.widgets.builder_view import BuilderView

        return BuilderView(self)

    def __repr__(self) -> str:
        return f"SkipSetBuilder({str(self.skipset)!r}, {self.num_layers} layers)"


def _num_layers(source: Any) -> int:
    shape = getattr(source, "shape", source)
    count = getattr(shape, "num_layers", None) or getattr(getattr(source, "provenance", None), "num_layers", None)
    if count is None:
        raise SettingError("source", source, "an open session, a ModelShape, a profile or a recommendation")
    return int(count)
