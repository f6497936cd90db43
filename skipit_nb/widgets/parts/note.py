"""`Note`: some text in a tool: a heading, a sentence, a message. Always text, never HTML."""

from __future__ import annotations

from typing import Literal, get_args

import anywidget
import traitlets

from skipit_nb.widgets.parts.assets import script, style

Tone = Literal["plain", "quiet", "bad", "error", "heading", "section", "verdict", "verdict-good", "verdict-bad"]


class Note(anywidget.AnyWidget):
    """Text that a screen reader hears when it changes, if `live` says so; nothing is shown for no text."""

    _esm = script("note")
    _css = style("note")

    text = traitlets.Unicode("").tag(sync=True)
    """What to say. Ends of line are kept."""
    tone = traitlets.Enum(get_args(Tone), "plain").tag(sync=True)
    """How it looks; "error" interrupts a screen reader, "heading" and "section" are headings."""
    live = traitlets.Bool(False).tag(sync=True)
    """Whether a change is read out."""

    def say(self, text: str, tone: Tone = "plain") -> None:
        """Show `text`, in one message to the page."""
        with self.hold_sync():
            self.text, self.tone = text, tone

    def __repr__(self) -> str:
        return f"Note({self.text!r})"
