"""`WhatIfLine`: one question with its image, and what is answered with and without the skip set."""

from __future__ import annotations

from typing import Literal, TypedDict, get_args

import anywidget
import traitlets

from skipit_nb.results import WhatIf
from skipit_nb.widgets.parts.assets import script, style

Phase = Literal["asking", "answered", "failed"]


class Said(TypedDict):
    """One answer."""

    head: str
    """Whose it is."""
    text: str
    share: float
    """Its probability, 0 to 1: the length of the bar."""
    note: str
    """The probability in words."""


class WhatIfLine(anywidget.AnyWidget):
    """Draws a what-if. While the next answer is on its way the last one stays, dimmed."""

    _esm = script("what_if_line")
    _css = style("what_if_line")

    image = traitlets.Unicode("").tag(sync=True)
    """A data URL; "" for none."""
    alt = traitlets.Unicode("").tag(sync=True)
    question = traitlets.Unicode("").tag(sync=True)
    right = traitlets.Unicode("").tag(sync=True)
    """The right answer; "" where it is not known."""
    answers: traitlets.List[Said] = traitlets.List([]).tag(sync=True)
    """The full model's, then the skip set's, see `Said`."""
    message = traitlets.Unicode("").tag(sync=True)
    """How the two differ, or what went wrong."""
    phase = traitlets.Enum(get_args(Phase), "asking").tag(sync=True)

    def show(self, found: WhatIf, *, image: str, alt: str, right: str) -> None:
        """Show an answer, in one message to the page."""
        with self.hold_sync():
            self.image, self.alt, self.question, self.right = image, alt, found.question, right
            self.answers = [
                _said("full model", found.full_answer, found.full_probability),
                _said("this skip set", found.answer, found.probability),
            ]
            self.message, self.phase = difference(found), "answered"

    def wait(self) -> None:
        """Show that the model is being asked."""
        self.phase = "asking"

    def fail(self, error: BaseException) -> None:
        """Show, as text, why there is no answer."""
        with self.hold_sync():
            self.message, self.phase = f"{type(error).__name__}: {error}", "failed"

    def __repr__(self) -> str:
        return f"WhatIfLine({self.question!r}, {self.phase})"


def difference(found: WhatIf) -> str:
    """Say how the two answers differ: "The same answer. KL 0.31 nats: the next token has moved."."""
    if found.skipset.is_empty:
        return "Nothing is skipped: this is the full model."
    answer = "The same answer." if found.is_same else "Another answer."
    return f"{answer} KL(full ‖ skip set) of the next token: {found.kl:.3g} nats."


def _said(head: str, text: str, probability: float) -> Said:
    return Said(head=head, text=text or "(nothing)", share=probability, note=f"{probability:.1%}")
