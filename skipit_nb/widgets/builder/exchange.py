"""`Exchange`: a skip set comes in by paste or from a file, and goes out as a JSON file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from skipit_nb.widgets.parts.assets import script, style


class Exchange(anywidget.AnyWidget):
    """A box to paste into, and files. What comes in is handed on as text: nobody has looked at it before."""

    _esm = script("builder_exchange")
    _css = style("code_box", "builder_exchange")

    file = traitlets.Dict({}).tag(sync=True)
    """`{"name": …, "text": …}` is offered as a download; {} is nothing."""
    said = traitlets.Unicode("").tag(sync=True)
    """What became of the last paste or file."""

    def on_take(self, take: Callable[[str, bool], object]) -> None:
        """Call `take(text, join)` when text was pasted or a file opened; `join` if it is to join what is drawn."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and isinstance(text := content.get("take"), str):
                take(text, content.get("join") is True)

        self.on_msg(hear)

    def on_save(self, save: Callable[[], object]) -> None:
        """Call `save()` when a JSON file is wanted; `offer` gives it."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and content.get("save") is True:
                save()

        self.on_msg(hear)

    def offer(self, name: str, text: str) -> None:
        """Let the browser download a file. The text does not stay in the notebook."""
        self.file = {"name": name, "text": text}
        self.file = {}

    def __repr__(self) -> str:
        return f"Exchange({self.said!r})"
