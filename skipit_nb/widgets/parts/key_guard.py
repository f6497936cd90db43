"""`KeyGuard`: keys typed in a tool stay there, and the tool's style sheet comes with it."""

from __future__ import annotations

import anywidget

from skipit_nb.widgets.parts.assets import script, style


class KeyGuard(anywidget.AnyWidget):
    """Invisible. Without it `d d` in a focused button deletes the cell, because JupyterLab listens to the page."""

    _esm = script("key_guard")
    _css = style("controls")

    def __repr__(self) -> str:
        return "KeyGuard()"
