"""`LayerStrip`: a grid of layers by kinds of tokens, where each cell says what is skipped. Click, drag or type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypedDict

import anywidget
import traitlets

from skipit_nb.errors import SettingError
from skipit_nb.skipset import LAYER_ACTIONS, MODALITIES, MODALITY_ACTIONS, SkipSet
from skipit_nb.widgets.parts.assets import script, style

ROWS: dict[str, tuple[str, ...]] = {
    **{modality: ("run", *reversed(MODALITY_ACTIONS)) for modality in MODALITIES},
    "layer": ("run", "whole", "attn", "mlp"),
}
"""The rows of the strip, and what a click goes through in each."""


class Measure(TypedDict):
    """What was measured at every layer, drawn as bars behind the cells of one row."""

    label: str
    """Such as "vision distance"."""
    hint: str
    """How to read the bars, in a few words below the row's name."""
    heights: list[float]
    """0 to 1; 1 stands for more, too, if there is a line."""
    line: float | None
    """Height of the threshold; None where there is none."""
    texts: list[str]
    """The numbers in words, one per layer."""


class Mark(TypedDict):
    """A sign below one layer, and what it means."""

    sign: str
    text: str
    tone: str
    """"good", "bad" or "quiet"."""


@dataclass(frozen=True, slots=True)
class Paint:
    """One gesture: an action for some layers of one row."""

    row: str
    """"vision", "text" or "layer"."""
    layers: tuple[int, ...]
    action: str

    @classmethod
    def read(cls, content: Any, num_layers: int) -> Paint:
        """Take what the page sent; it is checked like anybody's words."""
        sent = content if isinstance(content, dict) else {}
        row, layers, action = str(sent.get("row")), sent.get("layers"), str(sent.get("action"))
        if row not in ROWS:
            raise SettingError("row", row, f"one of {', '.join(ROWS)}")
        allowed = ("run", *(LAYER_ACTIONS if row == "layer" else MODALITY_ACTIONS))
        if action not in allowed:
            raise SettingError("action", action, f"one of {', '.join(allowed)} in the row {row!r}")
        if not isinstance(layers, list) or not all(type(x) is int and 0 <= x < num_layers for x in layers):
            raise SettingError("layers", layers, f"a list of layers from 0 to {num_layers - 1}")
        return cls(row, tuple(layers), action)

    def on(self, skipset: SkipSet) -> SkipSet:
        """The skip set after this gesture."""
        return skipset.replace(self.layers, self.action, None if self.row == "layer" else self.row)


class LayerStrip(anywidget.AnyWidget):
    """Shows a bound skip set. It changes nothing by itself: it sends a gesture, and Python draws the answer."""

    _esm = script("strip_rows", "strip_keys", "strip_cells", "layer_strip")
    _css = style("layer_strip", "builder")

    cells = traitlets.Dict({}).tag(sync=True)
    """For each row, the action at each layer."""
    cycles = traitlets.Dict({row: list(actions) for row, actions in ROWS.items()}).tag(sync=True)
    """For each row, what a click goes through."""
    behind: traitlets.Dict[str, Measure] = traitlets.Dict({}).tag(sync=True)
    """For each row that has one, its bars, see `Measure`."""
    notes: traitlets.List[str] = traitlets.List([]).tag(sync=True)
    """A sentence for each layer, or none at all."""
    marks: traitlets.List[Mark] = traitlets.List([]).tag(sync=True)
    """A sign below each layer, see `Mark`, or none at all."""
    answered = traitlets.Unicode("").tag(sync=True)
    """The last gesture that was dealt with, so that the page shows what became of it."""

    def draw(self, skipset: SkipSet) -> None:
        """Show a bound skip set."""
        layers = range(len(skipset.head))
        self.cells = {row: [_shown(skipset, layer, row) for layer in layers] for row in ROWS}

    def on_paint(self, paint: Callable[[Any], object]) -> None:
        """Call `paint(content)` once for each click, drag or key; `Paint.read` checks what the page sent."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and "travel" in content:
                return
            with self.hold_sync():  # one message back
                paint(content)
                self.answered = str(content.get("id", "")) if isinstance(content, dict) else ""

        self.on_msg(hear)

    def on_travel(self, travel: Callable[[str], object]) -> None:
        """Call `travel("undo")` or `travel("redo")` when the user asks for it by key, anywhere in the tool."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and content.get("travel") in ("undo", "redo"):
                travel(content["travel"])

        self.on_msg(hear)

    def __repr__(self) -> str:
        return f"LayerStrip({len(self.cells.get('layer', []))} layers)"


def _shown(skipset: SkipSet, layer: int, row: str) -> str:
    """What a cell shows: a modality's strongest action, or what happens to the layer as a whole."""
    if row != "layer":
        return skipset.action(layer, row)
    both = {skipset.action(layer, modality) for modality in MODALITIES} & set(LAYER_ACTIONS)
    return both.pop() if both else "run"
