"""`LayerPlot`: a live plot of values per layer, on which a click or a key chooses a layer."""

from __future__ import annotations

import anywidget
import traitlets

from skipit_nb.widgets.parts.assets import script, style


class LayerPlot(anywidget.AnyWidget):
    """Lines with points over the layers 0, 1, ..., each with its own colour, shape and dash.

    A vertical line marks the chosen layer; the legend above prints the values there, or under the pointer. It is a
    slider to keyboard and screen reader: arrow keys, Page Up and Down (five layers), Home and End. A drag or a held
    key sends one message, at its end.
    """

    # One module in three files: a module without an address can import no other.
    _esm = script("plot_scale") + script("plot_marks") + script("layer_plot")
    _css = style("layer_plot", "explorer")

    title = traitlets.Unicode("").tag(sync=True)
    """What is plotted; also the accessible name."""
    y_title = traitlets.Unicode("").tag(sync=True)
    """The quantity, its unit, and its direction."""
    series = traitlets.List(traitlets.Dict()).tag(sync=True)
    """One dict a line: `name`; `look` ("vision", "text", "first", "flow", or "uniform" for a thin dashed line without
    points); `values`, one per layer, None where there is none; if there is a band, its ends `low` and `high`; and
    `is_beside` for a line of what is compared, in hollow points, which may have another number of layers."""
    skipped = traitlets.List(traitlets.Dict()).tag(sync=True)
    """Bands to shade: `start`, `stop` (one after the last layer) and `label`; `is_chosen` for another colour."""
    num_layers = traitlets.Int(1).tag(sync=True)
    layer = traitlets.Int(0).tag(sync=True)
    """The chosen layer."""
    scale = traitlets.Enum(["linear", "log"], "linear").tag(sync=True)
    """"log" has no zero: smaller values lie on its foot, which is at 1e-6 or above."""
    top = traitlets.Float(0.0).tag(sync=True)
    """Upper end of the axis; 0 to fit the values."""
    height = traitlets.Int(220).tag(sync=True)
    """Pixels."""
    empty = traitlets.Unicode("not measured yet").tag(sync=True)
    """What stands where no series is."""

    def __repr__(self) -> str:
        names = ", ".join(str(one.get("name")) for one in self.series)
        return f"LayerPlot({self.title!r}, {self.num_layers} layers, {names or 'empty'})"
