"""`Flips`: the questions that A and B answer differently, with their images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from skipit_nb.results.comparison import FLIPS
from skipit_nb.widgets.parts.assets import script, style

PAGE = 24
"""Flips shown at once."""
WISHES = ("flips", "kind", "page", "pinned")
"""What the page may ask for; fields of the evaluator's state."""


class Flips(anywidget.AnyWidget):
    """A gallery: image, question, right answer, what A said, what B said. A press on a filter is sent to Python.

    A question that is pinned stays on top, whatever is filtered and whichever B comes next.
    """

    _esm = script("flips")
    _css = style("flips")

    items: traitlets.List[dict[str, str]] = traitlets.List([]).tag(sync=True)
    """One dict a question: key, image (data address, or ""), question, target, a, b, kind, change ("worse", …)."""
    pinned: traitlets.Dict[str, Any] = traitlets.Dict({}).tag(sync=True)
    """The same of the pinned question, and `earlier`: a list of [skip set, answer]; empty for none."""
    counts = traitlets.Dict({}).tag(sync=True)
    """For each filter, how many questions it lets through; empty before the first run."""
    chosen = traitlets.Enum(list(FLIPS), "any").tag(sync=True)
    """The filter."""
    kinds: traitlets.List[str] = traitlets.List([]).tag(sync=True)
    """Question types to choose from."""
    kind = traitlets.Unicode("").tag(sync=True)
    """The question type that is shown; "" for all."""
    page = traitlets.Int(0).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    first = traitlets.Int(0).tag(sync=True)
    """Place of the first item among those that the filters let through."""

    def on_wish(self, wish: Callable[[str, Any], object]) -> None:
        """Call `wish(name, value)` when the user asks for another filter, question type, page or pin."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict):
                for name in WISHES:
                    if name in content:
                        wish(name, content[name])

        self.on_msg(hear)

    def __repr__(self) -> str:
        return f"Flips({self.chosen!r}, {len(self.items)} shown)"
