"""`PatchOverlay`: images with the value of each vision token laid over its patch, and the text tokens beneath."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from skipit_nb.widgets.parts.assets import script, style


class PatchOverlay(anywidget.AnyWidget):
    """The paler a patch, the less a layer moves its token; a legend gives the numbers.

    Each image is a stage, or two where the model looks at the whole and at tiles. Pointing at a patch, or reaching it
    with the arrow keys, prints its value. "Overlay" fades the patches in and out. Each text token stands beneath with
    a bar and its number. Sinks are outlined. Text is shown as text, whatever it holds.
    """

    # One module in four files: a module without an address can import no other.
    _esm = script("plot_scale", "explorer_marks", "patch_stage", "patch_overlay")
    _css = style("patch_overlay")

    title = traitlets.Unicode("").tag(sync=True)
    """Accessible name of the grids, such as "distance of vision tokens at layer 3"."""
    unit = traitlets.Unicode("").tag(sync=True)
    """What the numbers are, and what pale means."""
    images: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """Data URLs."""
    alt = traitlets.Unicode("").tag(sync=True)
    """What a screen reader says for an image."""
    stages: traitlets.List[dict[str, Any]] = traitlets.List(traitlets.Dict()).tag(sync=True)
    """One dict a stage: `image`, its place in `images`; `caption`; `aspect`, width ÷ height; `at`, for each patch the
    place of its value in `values`; `boxes`, for each patch [left, top, right, bottom] in fractions of the image."""
    values: traitlets.List[float] = traitlets.List(traitlets.Float()).tag(sync=True)
    """One number a vision token, those without a place on an image too."""
    sinks: traitlets.List[int] = traitlets.List(traitlets.Int()).tag(sync=True)
    """Places in `values` of tokens with an unusually long state."""
    tokens: traitlets.List[str] = traitlets.List(traitlets.Unicode()).tag(sync=True)
    """The text tokens, in order."""
    token_values: traitlets.List[float] = traitlets.List(traitlets.Float()).tag(sync=True)
    """Their numbers."""
    token_sinks: traitlets.List[int] = traitlets.List(traitlets.Int()).tag(sync=True)
    """Places in `tokens` of those with an unusually long state."""
    lengths: traitlets.List[float] = traitlets.List(traitlets.Float()).tag(sync=True)
    """Length of the state of every vision token, then of every text token; empty if not known."""
    span: traitlets.List[float] = traitlets.List(traitlets.Float(), [0.0, 0.0]).tag(sync=True)
    """The values that are palest and darkest; [0, 0] for the smallest and the largest shown."""
    frames: traitlets.List[dict[str, Any]] = traitlets.List(traitlets.Dict()).tag(sync=True)
    """For each layer, the traits from `title` to `span` that it will have: a layer that is chosen in a plot of the
    same explorer is painted before Python has answered. Empty where that would be too many numbers."""
    opacity = traitlets.Float(0.65).tag(sync=True)
    """0 shows the image alone, 1 nearly the patches alone."""
    empty = traitlets.Unicode("").tag(sync=True)
    """What stands on the image where it is not known which patch a token is from."""

    def draw(self, **traits: Any) -> None:
        """Change traits, in one message to the page."""
        with self.hold_sync():
            for name, value in traits.items():
                setattr(self, name, value)

    def __repr__(self) -> str:
        return f"PatchOverlay({len(self.values)} vision tokens, {len(self.tokens)} text tokens)"
