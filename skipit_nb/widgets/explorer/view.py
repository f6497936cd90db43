"""The explorer's live view: what to measure, five plots over the layers, one question, and the map of bands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.charts.marks import DISTANCE_UNIT
from skipit_nb.charts.skipped import skipped_bands
from skipit_nb.widgets.explorer import series, words
from skipit_nb.widgets.explorer.bands import BandMap
from skipit_nb.widgets.explorer.fields import band_fields, compare_fields, measure_fields, view_fields
from skipit_nb.widgets.explorer.layer_plot import LayerPlot
from skipit_nb.widgets.explorer.question import QuestionPart
from skipit_nb.widgets.explorer.values import ValuesTable, bands_table, profile_table
from skipit_nb.widgets.parts.code_box import CodeBox
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.note import Note
from skipit_nb.widgets.tool_view import ToolView

if TYPE_CHECKING:
    from skipit_nb.widgets.explorer.explorer import LayerDistanceExplorer

ASKED = frozenset({"task", "limit", "seed", "question"})
"""Fields that decide which question is looked at."""

DRAWN = frozenset({"result", "seen", "partial", "epsilon", "scale", "skipset", "over", "pinned", "band"})
"""What the plots over the layers depend on."""


class ExplorerView(ToolView):
    """Plots to the left, the question and the bands to the right; a layer chosen in one is chosen in all."""

    tool: LayerDistanceExplorer

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        self.status, self.beside_note = Note(tone="quiet", live=True), Note(tone="quiet")
        self.code, self.values = CodeBox(), ValuesTable()
        self.reading = self.bind(Controls(label="How to read it", fields=view_fields()))
        plots = self.stack(self.reading, *self._plots())
        self.compare = Controls(label="Compare", fields=compare_fields())
        self.compare.on_press(self.guarded(self._pressed))
        comparing = self.beside(self.compare, self.beside_note)
        self.asked: QuestionPart | None = None
        if self.tool.port is None:
            self.question = Note(text=words.STORED, tone="quiet")
            right = self.stack(self.question, *self._band_parts())
            return [self.status, comparing, self._laid(plots, right), self.values, self.code]
        self.measure = self.bind(Controls(label="What to measure", fields=measure_fields(self.tool.port.tasks())))
        self.job_bar.label = "Measure"
        self.asked = QuestionPart(self)
        right = self.stack(*self.asked.parts, *self._band_parts())
        measuring = self.beside(self.measure, self.job_bar)
        return [measuring, self.status, comparing, self._laid(plots, right), self.values, self.code]

    def _laid(self, *widgets: Any) -> Any:
        box = self.stack(*widgets)
        box.add_class("skipit-explorer")
        return box

    def _plots(self) -> list[Any]:
        self.distance = self._plot(
            "Distance: how far each layer turns a token", f"d = {DISTANCE_UNIT}, low = redundant", 240
        )
        self.tail = self._plot("Tail", "share of tokens, low = redundant", top=1.0)
        self.flow = self._plot("Flow: VAR", "attention on image, low = unread", top=1.0)
        self.norm = self._plot("Length before each layer", "‖state‖; a sink stands out")
        self.update = self._plot("Change", "‖after − before‖ / ‖before‖")
        self.plots = (self.distance, self.tail, self.flow, self.norm, self.update)
        for plot in self.plots:
            plot.observe(self.guarded(lambda change: self.tool.set(layer=change["new"])), "layer")
        pairs = [self.stack(self.tail, self.flow), self.stack(self.norm, self.update)]
        for pair in pairs:
            pair.add_class("skipit-plot-pair")
        return [self.distance, *pairs]

    def _plot(self, title: str, y_title: str, height: int = 170, top: float = 0.0) -> LayerPlot:
        return LayerPlot(title=title, y_title=y_title, height=height, top=top, num_layers=self.tool.num_layers)

    def _band_parts(self) -> list[Any]:
        self.map = BandMap(
            title="Bands: how far several layers together turn a token", unit="angle / π, pale = redundant"
        )
        self.map.observe(self.guarded(lambda change: self.tool.set(band=tuple(change["new"]))), "band")
        self.map_controls = self.bind(Controls(label="Bands", fields=band_fields(is_live=self.tool.port is not None)))
        self.map_controls.on_press(self.guarded(lambda _: self.tool.map_bands(block=False)))
        return [self.map, self.map_controls]

    def _pressed(self, name: str) -> None:
        if name == "pin":
            self.tool.pin()
        else:
            self.tool.unpin()

    # -- drawing --------------------------------------------------------------------------------------------------

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change of what is measured, chosen or looked at."""
        super().show(names)
        every = not names
        if every or names & DRAWN:
            self._show_plots()
            self._show_compared()
        if every or "layer" in names:
            for plot in self.plots:
                plot.layer = self.tool.layer
        if self.asked is not None:
            self.asked.show(names)
        self._show_map(names)
        if every or names & {*DRAWN, "bands", "band_tokens"}:
            self._show_values()
        if names != {"layer"}:
            self.code.code = self.tool.code()
        self._look_again(names)

    def _look_again(self, names: frozenset[str]) -> None:
        """Look at another question, last: a closed session refuses, and then everything else has been drawn."""
        if self.tool.port is not None and not names:
            self.guarded(self.tool.look)(False)
        elif self.tool.port is not None and names & ASKED:
            self.tool.look(block=False)

    def _show_map(self, names: frozenset[str]) -> None:
        if not names or names & {"bands", "band_tokens"}:
            self._show_bands()
        if not names or "band" in names:
            self.map.band = list(self.tool.state.band)

    def _show_plots(self) -> None:
        tool, profile = self.tool, self.tool.profile
        bands = [
            {"start": band.start, "stop": band.stop, "label": band.label}
            for band in skipped_bands(tool.state.skipset, tool.num_layers)
        ]
        if tool.state.band:
            first, last = tool.state.band
            bands.append({"start": first, "stop": last + 1, "label": f"band {first}-{last}", "is_chosen": True})
        for plot in self.plots:
            plot.skipped = bands
        self.tail.title = f"Tail: P[d > {tool.epsilon:g}]"
        for plot in (self.distance, self.norm, self.update):
            plot.scale = tool.state.scale
        self.status.text = words.status(
            profile,
            is_live=tool.port is not None,
            is_alone=tool.port is not None and tool.state.over == "question",
            is_first=tool.is_first_look,
            is_refining=tool.is_refining,
        )
        if profile is None:
            return
        beside = tool.beside.profile if tool.beside else None
        self.distance.series = series.distance_series(profile, beside)
        self.tail.series = series.tail_series(profile, tool.epsilon, beside)
        self.flow.series = series.flow_series(profile, beside)
        self.norm.series = series.norm_series(profile, beside)
        self.update.series = series.update_series(profile, beside)

    def _show_compared(self) -> None:
        self.beside_note.text = words.beside(self.tool.beside)
        self.compare.change("pin", disabled=self.tool.profile is None)
        self.compare.change("unpin", disabled=self.tool.state.pinned is None)

    def _show_bands(self) -> None:
        found, tokens = self.tool.bands, self.tool.state.band_tokens
        if found is None or tokens not in {band.tokens for band in found.bands}:
            self.map.values = []
            self.map.empty = "not measured" if found is None else f"there are no {tokens} tokens"
            return
        count = len(found.provenance.samples)
        self.map.title = f"Bands: how far several layers turn {tokens} tokens, {count} question{'s' * (count != 1)}"
        self.map.draw(found, tokens)

    def _show_values(self) -> None:
        tool, tables = self.tool, []
        if tool.profile is not None:
            tables.append(profile_table(tool.profile, tool.epsilon, "per layer"))
            if tool.beside is not None:
                tables.append(profile_table(tool.beside.profile, tool.epsilon, f"beside: {tool.beside.label}"))
        if tool.bands is not None and tool.state.band_tokens in {band.tokens for band in tool.bands.bands}:
            tables.append(bands_table(tool.bands, tool.state.band_tokens))
        self.values.tables = tables
