"""`BandMap`: a square per band of layers, the darker the further it turns a token; click or keys choose a band."""

from __future__ import annotations

import anywidget
import traitlets

from skipit_nb.results import BandDistances
from skipit_nb.widgets.parts.assets import script, style


class BandMap(anywidget.AnyWidget):
    """First layer of the band to the right, last layer upwards, so that the lowest diagonal is the single layers.

    The readout prints the band under the pointer or the keys. Left and right change the first layer, up and down the
    last one, Escape chooses none. A held key or a click sends one message, at its end.
    """

    _esm = script("plot_scale", "explorer_marks", "explorer_bands")
    _css = style("explorer_bands")

    title = traitlets.Unicode("").tag(sync=True)
    """What is mapped; also the accessible name."""
    unit = traitlets.Unicode("").tag(sync=True)
    """The quantity and its direction."""
    num_layers = traitlets.Int(1).tag(sync=True)
    values: traitlets.List[float] = traitlets.List(traitlets.Float()).tag(sync=True)
    """One number a band [first, last], sorted by first, then by last; empty for none."""
    band: traitlets.List[int] = traitlets.List(traitlets.Int()).tag(sync=True)
    """First and last layer of the chosen band; empty for none."""
    empty = traitlets.Unicode("").tag(sync=True)
    """What stands where no map is."""

    def draw(self, bands: BandDistances, tokens: str) -> None:
        """Show the turns of one kind of token, in one message to the page."""
        with self.hold_sync():
            self.num_layers = bands.num_layers
            self.values = [float(f"{band.angle:.4g}") for band in bands.of(tokens)]

    def __repr__(self) -> str:
        return f"BandMap({self.title!r}, {self.num_layers} layers)"


def best_bands(bands: BandDistances, tokens: str) -> list[list[str]]:
    """For each number of layers the band that turns the tokens least, in words: the map as a table."""
    found = [bands.best(width, tokens) for width in range(1, bands.num_layers + 1)]
    return [
        [str(band.stop - band.start), f"{band.start} to {band.stop - 1}", f"{band.angle:.4g}", f"{band.distance:.4g}"]
        for band in found
    ]
