"""`CodeBox`: the code that does what the tool shows, to be copied into a cell."""

from __future__ import annotations

import anywidget
import traitlets

from skipit_nb.widgets.parts.assets import script, style


class CodeBox(anywidget.AnyWidget):
    """Code to copy. It can be selected, too: a browser may refuse the clipboard to a page."""

    _esm = script("code_box")
    _css = style("code_box")

    code = traitlets.Unicode("").tag(sync=True)
    label = traitlets.Unicode("Code for this").tag(sync=True)

    def __repr__(self) -> str:
        return f"CodeBox({len(self.code)} characters)"
