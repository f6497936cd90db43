"""`PatchOverlay`: an image with the distance of each vision token laid over its patch, and the text tokens beneath."""

from __future__ import annotations

import anywidget
import traitlets

from skipit_nb.widgets.assets import script, style


class PatchOverlay(anywidget.AnyWidget):
    """The paler a patch, the less a layer moves its token; a legend gives the numbers, in 1 - cos.

    Pointing at a patch, or reaching it with the arrow keys, prints its value. "Overlay" fades the patches in and out.
    Each text token stands beneath with a bar and its number. Text is shown as text, whatever it holds.
    """

    _esm = script("patch_overlay")
    _css = style("patch_overlay")

    title = traitlets.Unicode("").tag(sync=True)
    """Accessible name of the grid, such as "distance of vision tokens at layer 3"."""
    image = traitlets.Unicode("").tag(sync=True)
    """A data URL; "" for none."""
    alt = traitlets.Unicode("").tag(sync=True)
    """What a screen reader says for the image."""
    grid = traitlets.List(traitlets.Int(), [0, 0]).tag(sync=True)
    """Rows and columns of vision tokens."""
    values = traitlets.List(traitlets.Float()).tag(sync=True)
    """Their distances, in reading order; empty for none."""
    tokens = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The text tokens, in order."""
    token_values = traitlets.List(traitlets.Float()).tag(sync=True)
    """Their distances."""
    span = traitlets.List(traitlets.Float(), [0.0, 0.0]).tag(sync=True)
    """The distances that are palest and darkest; [0, 0] for the smallest and the largest shown."""
    opacity = traitlets.Float(0.65).tag(sync=True)
    """0 shows the image alone, 1 nearly the patches alone."""
    empty = traitlets.Unicode("").tag(sync=True)
    """What stands on the image where there are no distances."""

    def __repr__(self) -> str:
        rows, columns = self.grid
        return f"PatchOverlay({rows} x {columns} vision tokens, {len(self.tokens)} text tokens)"
