"""`Drawing`: every way to change the skip set that is being drawn, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skipit_nb.errors import SettingError
from skipit_nb.ports import Opened
from skipit_nb.results import Recommendation
from skipit_nb.skipset import Layers, SkipSet
from skipit_nb.widgets.builder.history import History
from skipit_nb.widgets.builder.paste import read_skipset
from skipit_nb.widgets.builder.state import BuilderState
from skipit_nb.widgets.tool import Tool


class Drawing(Tool[BuilderState, Recommendation]):
    """A tool whose state holds a skip set, with presets, undo and redo. `SkipSetBuilder` is the one."""

    num_layers: int

    def __init__(self, state: BuilderState, port: Opened | None) -> None:
        self._history = History()
        self._is_travelling = False
        super().__init__(state, port)

    @property
    def skipset(self) -> SkipSet:
        """The skip set as it is drawn now."""
        return self.state.skipset

    @skipset.setter
    def skipset(self, value: SkipSet | str | None) -> None:
        self.set(skipset=value)

    def take(self, skipset: SkipSet | str, *, join: bool = False) -> None:
        """Take a skip set in place of what is there, or joined to it; of two actions the stronger wins."""
        given = read_skipset(skipset) if isinstance(skipset, str) else skipset
        bound = SkipSet.of(given, num_layers=self.num_layers)
        self.set(skipset=self.skipset | bound if join else bound)

    def add(self, skipset: SkipSet | str) -> None:
        """Join another skip set to this one; the stronger action wins."""
        self.take(skipset, join=True)

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
        self.take(self.result.skipset)

    def clear(self) -> None:
        """Skip nothing."""
        self.set(skipset="none")

    def undo(self) -> None:
        """Take the last change of the skip set back, if there is one."""
        self._travel(self._history.back)

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._travel(self._history.forth)

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self._history.can_go_back

    @property
    def can_redo(self) -> bool:
        """Whether something was taken back."""
        return self._history.can_go_forth

    def _travel(self, way: Callable[[SkipSet], SkipSet]) -> None:
        self._is_travelling = True
        try:
            self.set(skipset=way(self.skipset))
        finally:
            self._is_travelling = False

    def _announce(self, changes: dict[str, tuple[Any, Any]]) -> None:
        if "skipset" in changes and not self._is_travelling:
            self._history.note(changes["skipset"][0])
        super()._announce(changes)
