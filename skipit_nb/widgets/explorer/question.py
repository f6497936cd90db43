"""The part of the explorer's view that shows one question: its image under the layer's distances, and its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.charts.pixels import image_url
from skipit_nb.widgets.explorer import words
from skipit_nb.widgets.explorer.fields import overlay_fields, question_fields
from skipit_nb.widgets.explorer.overlay import overlay_values, stages_of
from skipit_nb.widgets.explorer.patch_overlay import PatchOverlay
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.note import Note

if TYPE_CHECKING:
    from skipit_nb.widgets.explorer.looking import Seen
    from skipit_nb.widgets.explorer.view import ExplorerView

NOTHING: dict[str, Any] = {
    **{key: [] for key in ("images", "stages", "values", "sinks", "tokens", "token_values", "token_sinks", "frames")},
    "empty": "",
}
"""An overlay that shows nothing."""

FRAMED = frozenset({"seen", "colors", "shows", "pinned", "over"})
"""What the frames of all layers depend on."""

MOST_FRAMED = 20_000
"""Tokens times layers that the page gets beforehand: LLaVA-1.5's 600 tokens at 32 layers, a quarter of a megabyte."""

UNKNOWN = "it is not known which part of the image each of these vision tokens is from"


class QuestionPart:
    """Which question, what it says, its overlay, and that of what is compared."""

    def __init__(self, view: ExplorerView) -> None:
        self.tool = view.tool
        self.pick = Controls(label="Question", fields=question_fields())
        self.pick.on_enter(view.guarded(self._picked))
        self.pick.on_press(view.guarded(self._stepped))
        self.note, self.overlay = Note(), PatchOverlay(empty="looking …")
        self.beside_note, self.beside = Note(), PatchOverlay()
        colors = view.bind(Controls(label="Overlay", fields=overlay_fields()))
        both = view.stack(view.stack(self.note, self.overlay), view.stack(self.beside_note, self.beside))
        both.add_class("skipit-overlays")
        self.parts: list[Any] = [self.pick, both, colors]

    def _picked(self, _: str, value: Any) -> None:
        self.tool.set(question=self._options().index(self.pick.checked("pick", value)))

    def _stepped(self, name: str) -> None:
        if count := len(self._options()):
            self.tool.set(question=(self.tool.state.question + (1 if name == "next" else -1)) % count)

    def _options(self) -> list[str]:
        seen = self.tool.seen
        return [f"{number}. {text}" for number, text in enumerate(seen.questions, start=1)] if seen else []

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change of these fields, or of all."""
        every, seen = not names, self.tool.seen
        if seen is None:
            return
        if every or "seen" in names:
            options = self._options()
            self.pick.change("pick", options=options)
            self.pick.show(pick=options[self.tool.state.question])
            self.note.say(words.question(seen))
        if every or names & {*FRAMED, "layer"}:
            is_new = every or bool(names & {"seen", "pinned", "over"})
            self._draw(seen, self.tool.seen_beside, is_new=is_new, is_framed=every or bool(names & FRAMED))

    def _draw(self, seen: Seen, beside: Seen | None, *, is_new: bool, is_framed: bool) -> None:
        """Both overlays."""
        traits, theirs = self._values(seen, beside, self.tool.layer)
        if is_framed:
            layers = range(self.tool.num_layers if self._is_small(seen, beside) else 0)
            frames = [self._values(seen, beside, layer) for layer in layers]
            traits |= {"frames": [own for own, _ in frames]}
            theirs = theirs | {"frames": [other for _, other in frames if beside]}
        if is_new:
            traits |= _pictures(seen)
            theirs = theirs | (_pictures(beside) if beside else {})
        self.overlay.draw(**traits)
        self.beside.draw(**theirs)
        self.beside_note.text = self._beside_words(beside) if beside else ""

    def _is_small(self, *both: Seen | None) -> bool:
        return sum(len(one.distances.tokens) for one in both if one) * self.tool.num_layers <= MOST_FRAMED

    def _values(self, seen: Seen, beside: Seen | None, layer: int) -> tuple[dict[str, Any], dict[str, Any]]:
        """Both overlays at a layer, with one span of colours: a difference of colours is one of numbers."""
        state = self.tool.state
        how: dict[str, Any] = {"shows": state.shows, "is_shared": state.colors == "all layers"}
        traits = overlay_values(seen.distances, self._layer_of(seen, layer), **how)
        if beside is None:
            return traits, NOTHING
        theirs = overlay_values(beside.distances, self._layer_of(beside, layer), **how)
        if traits["values"] and theirs["values"]:
            traits["span"] = theirs["span"] = _joint_span(traits, theirs)
        return traits, theirs

    def _beside_words(self, seen: Seen) -> str:
        model, layer = seen.distances.provenance.model, self._layer_of(seen, self.tool.layer)
        return f"Beside: {seen.example.question}\n{model}, layer {layer}: {words.said(seen)}"

    def _layer_of(self, seen: Seen, layer: int) -> int:
        """The layer itself, or the one of the same depth in a model with another number of layers."""
        layers = len(seen.distances.distance)
        return layer if layers == self.tool.num_layers else int((layer + 0.5) * layers / self.tool.num_layers)


def _pictures(seen: Seen) -> dict[str, Any]:
    """What depends on the question and not on the layer, as traits of the overlay."""
    given = seen.example.image
    images = [] if given is None else list(given) if isinstance(given, list | tuple) else [given]
    stages = stages_of(seen.distances, [image.size for image in images])
    urls = [image_url(image) for image in images]
    empty = UNKNOWN if images and not stages else ""
    return {"images": urls, "alt": f"image {seen.example.cluster}", "stages": stages, "empty": empty}


def _joint_span(*both: dict[str, Any]) -> list[float]:
    """From the smallest to the largest of both; where colours span all layers, from 0."""
    lows = [min(one["values"]) if one["span"] == [0.0, 0.0] else 0.0 for one in both]
    highs = [max(one["values"]) if one["span"] == [0.0, 0.0] else one["span"][1] for one in both]
    return [min(lows), max(highs)]
