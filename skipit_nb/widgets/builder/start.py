"""What the builder starts from, in the page: presets, and published methods that measure and propose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.results import Proposal
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.builder import LIMIT
from skipit_nb.widgets.builder.presets import (
    AT_A_BOUNDARY,
    KNOBS,
    knob_of,
    method_fields,
    preset,
    preset_fields,
    taking,
)
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.note import Note
from skipit_nb.widgets.readout import proposal_sentence

if TYPE_CHECKING:
    from skipit_nb.widgets.builder.view import BuilderView


class PresetPane:
    """A preset, the numbers it needs, and two buttons: in place of what is drawn, or beside it."""

    def __init__(self, view: BuilderView) -> None:
        self._tool = tool = view.tool
        last = tool.num_layers - 1
        self.controls = view.bind(Controls(label="Presets", fields=preset_fields(last)))
        self.controls.show(preset=AT_A_BOUNDARY[0], k=tool.num_layers // 2, first=last, last=last)
        self.controls.observe(lambda _: self._fit(), "values")
        self.controls.on_press(view.guarded(self._take))
        self.box = view.stack(Note(text="Presets", tone="section"), self.controls)

    def _take(self, how: str) -> None:
        self._tool.take(preset(self.controls.values, self._tool.num_layers), join=how == "join")

    def _fit(self) -> None:
        is_boundary = self.controls.values["preset"] in AT_A_BOUNDARY
        self.controls.change("k", hidden=not is_boundary)
        for name in ("first", "last"):
            self.controls.change(name, hidden=is_boundary)


class MethodPane:
    """A method, its knob, Propose; then what it proposes, and the same two buttons."""

    def __init__(self, view: BuilderView) -> None:
        self._tool = view.tool
        port: Any = view.tool.port
        self._known: dict[str, str] = port.methods()
        self._shown = ""
        self.controls = view.bind(Controls(label="Methods", fields=method_fields(self._known, LIMIT)))
        self.does, self.says = Note(tone="quiet"), Note(tone="quiet", live=True)
        self.taking = Controls(label="Proposal", fields=taking(hidden=True))
        self.taking.on_press(view.guarded(self._take))
        self.bar = view.job_bar_for("Propose", self._propose)
        self.controls.observe(lambda _: self._fit(), "values")
        self.controls.show(method=next(iter(self._known)))
        heading = Note(text="Published methods: measure, then propose", tone="section")
        self.box = view.stack(heading, view.beside(self.controls, self.bar), self.does, self.says, self.taking)

    def show(self, proposal: Proposal | None) -> None:
        """Show what was proposed, or that nothing is yet."""
        self.says.text = proposal_sentence(proposal) if proposal else ""
        for name in ("replace", "join"):
            self.taking.change(name, hidden=proposal is None)

    def _propose(self) -> None:
        self.show(None)
        values = self.controls.values
        self._tool.propose(values["method"], block=False, **knob_of(values))

    def _take(self, how: str) -> None:
        proposed: SkipSet = self._tool.proposal.skipset  # type: ignore[union-attr]
        self._tool.take(proposed, join=how == "join")

    def _fit(self) -> None:
        method = self.controls.values["method"]
        if method == self._shown:
            return
        self._shown, knob = method, KNOBS.get(method)
        self.controls.change("knob", label=knob.label if knob else "", hidden=knob is None)
        self.controls.show(knob=knob.start if knob else None)
        self.does.text = self._known[method]
