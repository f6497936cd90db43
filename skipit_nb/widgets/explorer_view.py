"""The explorer's live view: what to measure, three plots over the layers, and one question under the chosen layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.charts.marks import DISTANCE_UNIT
from skipit_nb.charts.pixels import image_url
from skipit_nb.charts.skipped import skipped_bands
from skipit_nb.results import RedundancyProfile
from skipit_nb.widgets.code_box import CodeBox
from skipit_nb.widgets.controls import Controls
from skipit_nb.widgets.explorer_series import distance_series, flow_series, overlay_values, tail_series
from skipit_nb.widgets.layer_plot import LayerPlot
from skipit_nb.widgets.note import Note
from skipit_nb.widgets.patch_overlay import PatchOverlay
from skipit_nb.widgets.tool_view import ToolView

if TYPE_CHECKING:
    from skipit_nb.widgets.explorer import LayerDistanceExplorer, Seen

STORED = "A stored profile holds no questions. Give the explorer an open session to see a layer over an image."
FITS = 60
"""A longer question is cut off in the list, so it is said in full below."""

ASKED = frozenset({"task", "limit", "seed", "question"})
"""Fields that decide which question is looked at."""


class ExplorerView(ToolView):
    """Plots to the left, the question to the right; a layer chosen in one is chosen in all."""

    tool: LayerDistanceExplorer

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        self.status, self.code = Note(tone="quiet", live=True), CodeBox()
        self.reading = self.bind(Controls(label="How to read it", fields=_view_fields()))
        plots = self.stack(self.reading, *self._plots())
        if self.tool.port is None:
            self.question = Note(text=STORED, tone="quiet")
            return [self.status, plots, self.question, self.code]
        self.measure = self.bind(Controls(label="What to measure", fields=_measure_fields(self.tool.port.tasks())))
        self.job_bar.label = "Measure"
        box = self._laid("skipit-explorer", plots, self._question_parts())
        return [self._laid("skipit-beside", self.measure, self.job_bar), self.status, box, self.code]

    def _laid(self, name: str, *widgets: Any) -> Any:
        """Widgets in a box that explorer.css lays out."""
        box = self.stack(*widgets)
        box.add_class(name)
        return box

    def _plots(self) -> list[Any]:
        common = {"num_layers": self.tool.num_layers}
        self.distance = LayerPlot(
            title="Distance: how far each layer moves a token",
            y_title=f"d = {DISTANCE_UNIT}, low = redundant",
            height=240,
            **common,
        )
        self.tail = LayerPlot(y_title="share of tokens, low = redundant", top=1.0, height=170, **common)
        self.flow = LayerPlot(
            title="Flow: VAR",
            y_title="attention on image, low = not read",
            top=1.0,
            height=170,
            **common,
        )
        self.plots = (self.distance, self.tail, self.flow)
        for plot in self.plots:
            plot.observe(self.guarded(lambda change: self.tool.set(layer=change["new"])), "layer")
        return [self.distance, self._laid("skipit-plot-pair", self.tail, self.flow)]

    def _question_parts(self) -> Any:
        self.pick = Controls(label="Question", fields=_question_fields())
        self.pick.on_enter(self.guarded(self._picked))
        self.pick.on_press(self.guarded(self._stepped))
        self.question, self.overlay = Note(), PatchOverlay(empty="looking …")
        colors = self.bind(Controls(label="Colours", fields=[_choice("colors", "colours span")]))
        return self.stack(self.pick, self.question, self.overlay, colors)

    def _picked(self, _: str, value: Any) -> None:
        place = self.pick.checked("pick", value)
        self.tool.set(question=self._options().index(place))

    def _stepped(self, name: str) -> None:
        count = len(self._options())
        if count:
            self.tool.set(question=(self.tool.state.question + (1 if name == "next" else -1)) % count)

    def _options(self) -> list[str]:
        seen = self.tool.seen
        return [f"{number}. {text}" for number, text in enumerate(seen.questions, start=1)] if seen else []

    # -- drawing --------------------------------------------------------------------------------------------------

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change of what is measured, chosen or looked at."""
        super().show(names)
        every = not names
        if self.tool.port is not None and (every or names & ASKED):
            self.tool.look(block=False)
        if every or names & {"result", "seen", "epsilon", "scale", "skipset"}:
            self._show_plots()
        if every or "layer" in names:
            for plot in self.plots:
                plot.layer = self.tool.layer
        if self.tool.seen and (every or names & {"seen", "layer", "colors"}):
            self._show_overlay(self.tool.seen, has_moved="seen" not in names and not every)
        self.code.code = self.tool.code()

    def _show_plots(self) -> None:
        tool, profile = self.tool, self.tool.profile
        bands = [
            {"start": band.start, "stop": band.stop, "label": band.label}
            for band in skipped_bands(tool.state.skipset, tool.num_layers)
        ]
        for plot in self.plots:
            plot.skipped = bands
        self.tail.title = f"Tail: P[d > {tool.epsilon:g}]"
        self.distance.scale = tool.state.scale
        self.status.text = _status(profile, is_live=tool.port is not None, is_first=tool.result is None)
        if profile is None:
            return
        self.distance.series = distance_series(profile)
        self.tail.series = tail_series(profile, tool.epsilon)
        self.flow.series = flow_series(profile)

    def _show_overlay(self, seen: Seen, *, has_moved: bool) -> None:
        shared = self.tool.state.colors == "all layers"
        traits = overlay_values(seen.distances, self.tool.layer, is_shared=shared)
        if not has_moved:
            traits |= {"image": image_url(seen.example.image), "alt": f"image {seen.example.cluster}"}
            options = self._options()
            self.pick.change("pick", options=options)
            self.pick.show(pick=options[self.tool.state.question])
            self.question.say(_question_text(seen))
        with self.overlay.hold_sync():
            for name, value in traits.items():
                setattr(self.overlay, name, value)


def _status(profile: RedundancyProfile | None, *, is_live: bool, is_first: bool) -> str:
    """What the plots were measured on, in a sentence."""
    if profile is None:
        return "Looking at one question …" if is_live else "Nothing is measured."
    made = profile.provenance
    if is_live and is_first:
        return "A first look: this one question. Press Measure to average over more."
    task = f" of {made.task}" if made.task else ""
    return f"{made.model}: mean over {profile.num_samples} questions{task}, seed {made.seed}; bands are ± 1 s.d."


def _question_text(seen: Seen) -> str:
    example, answer = seen.example, seen.answer
    said = f"right answer: {example.answer} · model: {answer.text or 'nothing'} ({answer.probability:.0%})"
    return said if len(example.question) <= FITS else f"{example.question}\n{said}"


def _choice(name: str, label: str) -> dict[str, Any]:
    from skipit_nb.widgets.explorer import CHOICES

    return {"name": name, "label": label, "kind": "choice", "options": list(CHOICES[name])}


def _measure_fields(tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"name": "task", "label": "task", "kind": "choice", "options": list(tasks)},
        {"name": "limit", "label": "questions", "kind": "int", "min": 1, "hint": "At least so many: whole images."},
        {"name": "seed", "label": "seed", "kind": "int", "min": 0},
    ]


def _view_fields() -> list[dict[str, Any]]:
    hint = "A distance in 1 - cos, above 0 and at most 2."
    return [
        {"name": "epsilon", "label": "ε of the tail", "kind": "number", "hint": hint},
        _choice("scale", "axis of distances"),
    ]


def _question_fields() -> list[dict[str, Any]]:
    return [
        {"name": "pick", "label": "question", "kind": "choice", "options": []},
        {"name": "previous", "label": "Previous", "kind": "button"},
        {"name": "next", "label": "Next", "kind": "button"},
    ]
