"""Pictures of results: pure functions from a value to an Altair chart. No torch, no widgets, no state.

Every chart has a title, says its unit and direction on the axis, carries a description for a screen reader, and shows
each series by shape and dash as well as by colour. Names load on first use: importing this package loads no Altair.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skipit_nb.charts.bands import band_map
    from skipit_nb.charts.comparison import comparison_chart
    from skipit_nb.charts.conditions import conditions_chart
    from skipit_nb.charts.distance import distance_chart
    from skipit_nb.charts.flow import flow_chart
    from skipit_nb.charts.overlay import overlay_chart
    from skipit_nb.charts.profile import profile_chart
    from skipit_nb.charts.skipset import skipset_chart
    from skipit_nb.charts.sweep import sweep_chart
    from skipit_nb.charts.tail import tail_chart, tail_curve_chart

_HOMES = {
    "band_map": "bands",
    "comparison_chart": "comparison",
    "conditions_chart": "conditions",
    "distance_chart": "distance",
    "flow_chart": "flow",
    "overlay_chart": "overlay",
    "profile_chart": "profile",
    "skipset_chart": "skipset",
    "sweep_chart": "sweep",
    "tail_chart": "tail",
    "tail_curve_chart": "tail",
}

__all__ = [
    "band_map",
    "comparison_chart",
    "conditions_chart",
    "distance_chart",
    "flow_chart",
    "overlay_chart",
    "profile_chart",
    "skipset_chart",
    "sweep_chart",
    "tail_chart",
    "tail_curve_chart",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"skipit_nb.charts.{_HOMES[name]}"), name)
