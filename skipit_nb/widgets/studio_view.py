"""The studio's live view: who has the model, a file for the state, and three tools in the order of the story."""

from __future__ import annotations

from typing import Any

from skipit_nb.jobs import Job
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.note import Note
from skipit_nb.widgets.tool_view import ToolView

SECTIONS = {
    "explorer": ("1  Explore", "Where is the model redundant, and where does the text read the image?"),
    "builder": ("2  Build", "Choose what to skip. The conditions come from what was measured above."),
    "evaluator": ("3  Evaluate", "What does it cost, and what is gained? B is the skip set built above."),
}
"""Heading and the question behind it, for each tool."""
FILE = "studio.json"


class StudioView(ToolView):
    """A card of the session, a row to save and restore, then a section for each tool."""

    tool: Any  # a `Studio`, which stands above the widgets: it has `card`, `at_work`, `session` and `tools`

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        self.at_work, self.kept = Note(text=self.tool.at_work, tone="quiet"), Note(tone="quiet", live=True)
        self.file = Controls(label="State of the studio", fields=_file_fields())
        self.file.show(file=FILE)
        self.file.on_enter(self.guarded(lambda name, value: self.file.show(**{name: self.file.checked(name, value)})))
        self.file.on_press(self.guarded(self._press))
        self.tool.session.watch(self._follow)
        card = self.stack(Note(text=self.tool.card, tone="quiet"), self.at_work)
        sections = [self._section(name, *words) for name, words in SECTIONS.items()]
        return [card, self.stack(self.file, self.kept), *sections]

    def _press(self, wish: str) -> None:
        """Save or restore; what is wrong with the file is said in the studio's own area."""
        self.kept.text = ""
        path = self.file.values["file"]
        if wish == "save":
            self.kept.text = f"Saved as {self.tool.save(path)}."
        else:
            self.tool.load(path)
            self.kept.text = f"Restored from {path}."

    def _follow(self, _: Job[Any]) -> None:
        self.at_work.text = self.tool.at_work

    def _section(self, name: str, heading: str, question: str) -> Any:
        head = self.stack(Note(text=heading, tone="heading"), Note(text=question, tone="quiet"))
        section = self.stack(head, self.tool.tools[name].view.box)
        section.add_class("skipit-section")
        return section

    def close(self) -> None:
        """Close every widget, and hear of the session's jobs no more."""
        self.tool.session.unwatch(self._follow)
        super().close()


def _file_fields() -> list[dict[str, Any]]:
    hint = "Choices and results of all three tools, as JSON. Studio(session, state=...) opens it too."
    return [
        {"name": "file", "label": "state, as a file", "kind": "text", "hint": hint},
        {"name": "save", "label": "Save", "kind": "button"},
        {"name": "restore", "label": "Restore", "kind": "button"},
    ]
