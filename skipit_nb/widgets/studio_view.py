"""The studio's live view: three tools below each other, in the order of the story."""

from __future__ import annotations

from typing import Any

from skipit_nb.widgets.note import Note
from skipit_nb.widgets.tool_view import ToolView

SECTIONS = {
    "explorer": ("1  Explore", "Where is the model redundant, and where does the text read the image?"),
    "builder": ("2  Build", "Choose what to skip. The conditions come from what was measured above."),
    "evaluator": ("3  Evaluate", "What does it cost, and what is gained? B is the skip set built above."),
}
"""Heading and the question behind it, for each tool."""


class StudioView(ToolView):
    """A card of the session, then a section for each tool."""

    tool: Any  # a `Studio`, which stands above the widgets: it has `card` and `tools`

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        sections = [self._section(name, *words) for name, words in SECTIONS.items()]
        return [Note(text=self.tool.card, tone="quiet"), *sections]

    def _section(self, name: str, heading: str, question: str) -> Any:
        head = self.stack(Note(text=heading, tone="heading"), Note(text=question, tone="quiet"))
        section = self.stack(head, self.tool.tools[name].view.box)
        section.add_class("skipit-section")
        return section
