"""The builder's live view: the strip, its text, presets, predicted cost, conditions, and the code."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from skipit_nb.errors import SettingError
from skipit_nb.results import LayerReason
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.code_box import CodeBox
from skipit_nb.widgets.controls import Controls
from skipit_nb.widgets.layer_strip import Heat, LayerStrip, Mark, Paint
from skipit_nb.widgets.note import Note
from skipit_nb.widgets.readout import (
    broken_conditions,
    conditions_sentence,
    cost_rows,
    skipped_layers,
    thresholds_sentence,
)
from skipit_nb.widgets.table import Table
from skipit_nb.widgets.tool_view import ToolView

if TYPE_CHECKING:
    from skipit_nb.widgets.builder import SkipSetBuilder

Preset = Callable[[dict[str, Any], int], SkipSet]

PRESETS: dict[str, Preset] = {
    "late entry of vision": lambda v, n: SkipSet.late_entry(v["k"], num_layers=n),
    "early exit of vision": lambda v, n: SkipSet.early_exit(v["k"], num_layers=n),
    "freeze vision": lambda v, n: SkipSet.freeze(_span(v), num_layers=n),
    "skip whole layers": lambda v, n: SkipSet.whole(_span(v), num_layers=n),
    "skip attention": lambda v, n: SkipSet.attn(_span(v), num_layers=n),
    "skip MLPs": lambda v, n: SkipSet.mlp(_span(v), num_layers=n),
}
AT_A_BOUNDARY = tuple(PRESETS)[:2]
"""Presets that take one number, the boundary k."""


class BuilderView(ToolView):
    """Strip first; everything else follows from it."""

    tool: SkipSetBuilder

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        tool, last = self.tool, self.tool.num_layers - 1
        self.strip = LayerStrip()
        self.strip.on_paint(self.guarded(self._paint))
        self.edit = self.bind(Controls(label="Skip set", fields=_edit_fields()))
        self.edit.on_press(self.guarded(lambda name: getattr(tool, name)()))
        self.preset = self.bind(Controls(label="Presets", fields=_preset_fields(last)))
        self.preset.show(preset=AT_A_BOUNDARY[0], k=tool.num_layers // 2, first=last, last=last)
        self.preset.observe(lambda _: self._fit_preset(), "values")
        self.preset.on_press(self.guarded(lambda _: tool.add(self._preset())))
        self.prompt = self.bind(Controls(label="Prompt", fields=_prompt_fields()))
        self.table, self.verdict, self.thresholds, self.code = Table(), Note(), Note(tone="quiet"), CodeBox()
        self.verdict.live = True
        words = self.stack(self.verdict, self.thresholds)
        numbers = [self.stack(self.prompt, self.table)] if tool.shape else []
        return [self.edit, self.preset, self.strip, self.columns(words, *numbers), self.code]

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change of the skip set, the prompt's size or the recommendation."""
        super().show(names)
        tool = self.tool
        self.edit.change("undo", disabled=not tool.can_undo)
        self.edit.change("redo", disabled=not tool.can_redo)
        self.edit.change("recommended", hidden=tool.result is None)
        if not names or "result" in names:
            self.strip.heat = self._heat()
            self.strip.notes = [reason.why for reason in tool.result.reasons] if tool.result else []
            self.thresholds.text = thresholds_sentence(tool.result) if tool.result else ""
        self.strip.marks = self._marks()
        if not names or "skipset" in names:
            self.strip.draw(tool.skipset)
        sentence, is_well = conditions_sentence(tool.skipset, tool.result)
        self.verdict.say(sentence, "plain" if is_well else "bad")
        self._show_cost()
        self.code.code = tool.code()

    def _show_cost(self) -> None:
        chosen, full = self.tool.cost, self.tool.full_cost
        if chosen and full:
            columns = ["predicted for this prompt", "full model", "this skip set", "ratio"]
            self.table.draw(columns, cost_rows(full, chosen), "Arithmetic, not a measured time.")

    def _paint(self, content: Any) -> None:
        paint = Paint.read(content, self.tool.num_layers)
        self.tool.set(skipset=paint.on(self.tool.skipset))

    def _preset(self) -> SkipSet:
        values = self.preset.values
        return PRESETS[values["preset"]](values, self.tool.num_layers)

    def _fit_preset(self) -> None:
        is_boundary = self.preset.values["preset"] in AT_A_BOUNDARY
        self.preset.change("k", hidden=not is_boundary)
        for name in ("first", "last"):
            self.preset.change(name, hidden=is_boundary)

    def _heat(self) -> list[Heat]:
        distances: Sequence[float] = ()
        flow: Sequence[float | None] = ()
        if self.tool.result is not None:
            reasons = self.tool.result.reasons
            distances, flow = [reason.distance for reason in reasons], [reason.var for reason in reasons]
        elif self.tool.profile is not None:
            profile = self.tool.profile
            distances, flow = profile.distances(), [None if row is None else row.var for row in profile.flow_by_layer]
        bars = [_bars("vision distance", "low = redundant", "vision", distances, max(distances))] if distances else []
        is_measured = any(value is not None for value in flow)
        return [*bars, _bars("flow (VAR)", "low = not read", "flow", flow, 1.0)] if is_measured else bars

    def _marks(self) -> list[Mark]:
        if self.tool.result is None:
            return []
        chosen = set(skipped_layers(self.tool.skipset))
        return [_mark(reason, reason.layer in chosen) for reason in self.tool.result.reasons]


def _bars(label: str, hint: str, tone: str, values: Sequence[float | None], most: float) -> Heat:
    heights = [(value or 0.0) / most if most else 0.0 for value in values]
    texts = ["not measured" if value is None else f"{value:.4g}" for value in values]
    return Heat(label=label, hint=hint, tone=tone, values=heights, texts=texts)


def _mark(reason: LayerReason, is_chosen: bool) -> Mark:
    broken = broken_conditions(reason)
    tone = "good" if not broken else "bad" if is_chosen else "quiet"
    return Mark(sign=broken or "✓", text=reason.why, tone=tone)


def _span(values: dict[str, Any]) -> range:
    if values["last"] < values["first"]:
        raise SettingError("last layer", values["last"], f"at least the first layer, {values['first']}")
    return range(values["first"], values["last"] + 1)


def _edit_fields() -> list[dict[str, Any]]:
    hint = "'none', or clauses such as 'vision absent 0-7; whole 28'. Press Enter."
    buttons = {"undo": "Undo", "redo": "Redo", "clear": "Clear", "recommended": "Recommended"}
    return [
        {"name": "skipset", "label": "skip set", "kind": "code", "hint": hint},
        *({"name": name, "label": label, "kind": "button"} for name, label in buttons.items()),
    ]


def _preset_fields(last: int) -> list[dict[str, Any]]:
    layer = {"kind": "int", "min": 0, "max": last}
    return [
        {"name": "preset", "label": "preset", "kind": "choice", "options": list(PRESETS)},
        {"name": "k", "label": "at layer k", "kind": "int", "min": 0, "max": last + 1},
        {"name": "first", "label": "first layer", "hidden": True, **layer},
        {"name": "last", "label": "last layer", "hidden": True, **layer},
        {"name": "add", "label": "Add", "kind": "button", "hint": "Join it to the skip set; the stronger action wins."},
    ]


def _prompt_fields() -> list[dict[str, Any]]:
    return [
        {"name": "num_vision", "label": "vision tokens", "kind": "int", "min": 0},
        {"name": "num_text", "label": "text tokens", "kind": "int", "min": 0},
    ]
