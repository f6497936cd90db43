"""`Flips`: the questions that A and B answer differently, with their images."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from skipit_nb.results.comparison import FLIPS
from skipit_nb.widgets.assets import script, style

MOST_SHOWN = 24


class Flips(anywidget.AnyWidget):
    """A gallery: image, question, right answer, what A said, what B said. A press on a filter is sent to Python."""

    _esm = script("flips")
    _css = style("flips")

    items: traitlets.List[dict[str, str]] = traitlets.List([]).tag(sync=True)
    """One dict a question: image (data address, or ""), question, target, a, b, kind, change ("worse", …)."""
    counts = traitlets.Dict({}).tag(sync=True)
    """For each filter, how many questions it lets through; empty before the first run."""
    chosen = traitlets.Enum(list(FLIPS), "any").tag(sync=True)
    """The filter."""

    def on_filter(self, choose: Callable[[Any], object]) -> None:
        """Call `choose(filter)` when the user asks for another one."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and "filter" in content:
                choose(content["filter"])

        self.on_msg(hear)

    def __repr__(self) -> str:
        return f"Flips({self.chosen!r}, {len(self.items)} shown)"
