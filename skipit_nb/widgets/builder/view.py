"""The builder's live view: the strip beside the what-if, what it costs and breaks, and what to start from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from skipit_nb.widgets import saving
from skipit_nb.widgets.builder.builder import ANSWERED, PROPOSED
from skipit_nb.widgets.builder.exchange import Exchange
from skipit_nb.widgets.builder.layer_strip import LayerStrip, Paint
from skipit_nb.widgets.builder.measures import marks, measures
from skipit_nb.widgets.builder.question import QuestionPane
from skipit_nb.widgets.builder.start import MethodPane, PresetPane
from skipit_nb.widgets.parts.code_box import CodeBox
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.job_bar import JobBar
from skipit_nb.widgets.parts.note import Note
from skipit_nb.widgets.parts.table import Table
from skipit_nb.widgets.readout import conditions_sentence, cost_rows, speedup_sentence, thresholds_sentence
from skipit_nb.widgets.tool_view import ToolView

if TYPE_CHECKING:
    from skipit_nb.widgets.builder.builder import SkipSetBuilder

WISHED = frozenset({"skipset", "task", "question"})
"""Fields that decide what is asked."""


class BuilderView(ToolView):
    """Strip first; everything else follows from it."""

    tool: SkipSetBuilder

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        tool = self.tool
        self.strip = LayerStrip()
        self.strip.on_paint(self.guarded(self._paint))
        self.strip.on_travel(self.guarded(lambda way: getattr(tool, way)()))
        self.edit = self.bind(Controls(label="Skip set", fields=_edit_fields()))
        self.edit.on_press(self.guarded(lambda name: getattr(tool, name)()))
        self.question = QuestionPane(self) if tool.can_ask else None
        self.presets = PresetPane(self)
        self.methods = MethodPane(self) if tool.can_propose else None
        bench, start = (
            [pane.box for pane in panes if pane] for panes in ((self.question,), (self.presets, self.methods))
        )
        return [
            self.edit,
            self._laid("skipit-bench", self.strip, *bench),
            self._words_and_numbers(),
            self._laid("skipit-start", *start),
            self._code_parts(),
        ]

    def _words_and_numbers(self) -> Any:
        self.table, self.verdict, self.thresholds = Table(), Note(live=True), Note(tone="quiet")
        self.prompt = self.bind(Controls(label="Prompt", fields=_prompt_fields()))
        words = self.stack(self.verdict, self.thresholds)
        return self.columns(words, self.stack(self.prompt, self.table)) if self.tool.shape else self.columns(words)

    def _code_parts(self) -> Any:
        self.code, self.exchange = CodeBox(), Exchange()
        self.exchange.on_take(self._exchanged)
        self.exchange.on_save(self.guarded(lambda: self.exchange.offer("skipset.json", saving.to_json(self.tool))))
        return self.stack(self.code, self.exchange)

    def _laid(self, name: str, *widgets: Any) -> Any:
        """Widgets in a box that builder.css lays out."""
        box = self.stack(*widgets)
        box.add_class(name)
        return box

    def job_bar_for(self, label: str, run: Callable[[], object]) -> JobBar:
        """A bar for the tool's long work that `run` starts."""
        self._job_bar = bar = JobBar(label=label)
        bar.on_intent(self.guarded(run), self._cancel)
        return bar

    def _paint(self, content: Any) -> None:
        paint = Paint.read(content, self.tool.num_layers)
        self.tool.set(skipset=paint.on(self.tool.skipset))

    def _exchanged(self, text: str, join: bool) -> None:
        was_taken = self.guarded(lambda: self.tool.take(text, join=join))()
        self.exchange.said = f"taken: {self.tool.skipset}" if was_taken else self.message.text

    # -- drawing --------------------------------------------------------------------------------------------------

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change; the strip comes first, as the eye is there."""
        tool, every = self.tool, not names
        if every or names & {"skipset", "result"}:
            self._show_strip(with_result=every or "result" in names)
        super().show(names)
        if every or names & {"skipset", "result", "num_vision", "num_text"}:
            self._show_words()
        if self.question and (every or names & WISHED):
            self.question.ask()
        if self.question and tool.asked and (every or ANSWERED in names):
            self.question.show(tool.asked)
        if self.methods and (every or PROPOSED in names):
            self.methods.show(tool.proposal)
        self.code.code = tool.code()

    def fail(self, error: BaseException) -> None:
        """Say why the what-if has no answer, in its own place."""
        with self._drawing:
            if self.question:
                self.question.line.fail(error)

    def _show_strip(self, *, with_result: bool) -> None:
        tool = self.tool
        with self.strip.hold_sync():
            self.strip.draw(tool.skipset)
            self.strip.marks = marks(tool.skipset, tool.result)
            if with_result:
                self.strip.behind = measures(tool.profile, tool.result)
                self.strip.notes = [reason.why for reason in tool.result.reasons] if tool.result else []

    def _show_words(self) -> None:
        tool, edit = self.tool, self.edit
        edit.change("undo", disabled=not tool.can_undo)
        edit.change("redo", disabled=not tool.can_redo)
        edit.change("recommended", hidden=tool.result is None)
        sentence, is_well = conditions_sentence(tool.skipset, tool.result)
        self.verdict.say(sentence, "plain" if is_well else "bad")
        self.thresholds.text = thresholds_sentence(tool.result) if tool.result else ""
        chosen, full = tool.cost, tool.full_cost
        if chosen and full:
            columns = ["predicted for this prompt", "full model", "this skip set", "ratio"]
            self.table.draw(columns, cost_rows(full, chosen), speedup_sentence(full, chosen))


def _edit_fields() -> list[dict[str, Any]]:
    hint = "'none', clauses such as 'vision absent 0-7; whole 28', or code such as SkipSet.late_entry(8). Press Enter."
    buttons = {
        "undo": ("Undo", "Ctrl-Z"),
        "redo": ("Redo", "Ctrl-Shift-Z"),
        "clear": ("Clear", "Skip nothing."),
        "recommended": ("Recommended", "What meets both conditions, in place of what is drawn."),
    }
    return [
        {"name": "skipset", "label": "skip set", "kind": "code", "hint": hint},
        *({"name": name, "label": label, "kind": "button", "hint": hint} for name, (label, hint) in buttons.items()),
    ]


def _prompt_fields() -> list[dict[str, Any]]:
    return [
        {"name": "num_vision", "label": "vision tokens", "kind": "int", "min": 0},
        {"name": "num_text", "label": "text tokens", "kind": "int", "min": 0},
    ]
