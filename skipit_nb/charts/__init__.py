"""Pictures of results: pure functions from a value to an Altair chart. No torch, no widgets, no state.

Every chart has a title, says its unit and direction on the axis, carries a description for a screen reader, and shows
each series by shape and dash as well as by colour. Names load on first use: importing this package loads no Altair.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from skipit_nb.charts.quick_import import importing_quickly
from skipit_nb.signature import held

if TYPE_CHECKING:
    from skipit_nb.charts.agreement import agreement_chart
    from skipit_nb.charts.bands import band_map
    from skipit_nb.charts.bounds import bounds_chart
    from skipit_nb.charts.comparison import comparison_chart
    from skipit_nb.charts.conditions import conditions_chart
    from skipit_nb.charts.contribution import contribution_chart
    from skipit_nb.charts.decomposition import decomposition_chart
    from skipit_nb.charts.distance import distance_chart
    from skipit_nb.charts.efficiency import efficiency_chart
    from skipit_nb.charts.equal_cost import equal_cost_chart
    from skipit_nb.charts.flow import flow_chart
    from skipit_nb.charts.functional import functional_chart
    from skipit_nb.charts.information import information_chart
    from skipit_nb.charts.knockout import knockout_chart
    from skipit_nb.charts.norm import norm_chart
    from skipit_nb.charts.overlay import overlay_chart
    from skipit_nb.charts.profile import profile_chart
    from skipit_nb.charts.reproduction import reproduction_chart
    from skipit_nb.charts.robustness import robustness_chart
    from skipit_nb.charts.similarity import similarity_chart
    from skipit_nb.charts.skipset import skipset_chart
    from skipit_nb.charts.sweep import sweep_chart
    from skipit_nb.charts.tail import tail_chart, tail_curve_chart

_HOMES = {
    "agreement_chart": "agreement",
    "band_map": "bands",
    "bounds_chart": "bounds",
    "comparison_chart": "comparison",
    "conditions_chart": "conditions",
    "contribution_chart": "contribution",
    "decomposition_chart": "decomposition",
    "distance_chart": "distance",
    "efficiency_chart": "efficiency",
    "equal_cost_chart": "equal_cost",
    "flow_chart": "flow",
    "functional_chart": "functional",
    "information_chart": "information",
    "knockout_chart": "knockout",
    "norm_chart": "norm",
    "overlay_chart": "overlay",
    "profile_chart": "profile",
    "reproduction_chart": "reproduction",
    "robustness_chart": "robustness",
    "similarity_chart": "similarity",
    "skipset_chart": "skipset",
    "sweep_chart": "sweep",
    "tail_chart": "tail",
    "tail_curve_chart": "tail",
}

__all__ = [
    "agreement_chart",
    "band_map",
    "bounds_chart",
    "comparison_chart",
    "conditions_chart",
    "contribution_chart",
    "decomposition_chart",
    "distance_chart",
    "efficiency_chart",
    "equal_cost_chart",
    "flow_chart",
    "functional_chart",
    "information_chart",
    "knockout_chart",
    "norm_chart",
    "overlay_chart",
    "profile_chart",
    "reproduction_chart",
    "robustness_chart",
    "similarity_chart",
    "skipset_chart",
    "sweep_chart",
    "tail_chart",
    "tail_curve_chart",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with importing_quickly():
        value: object = held(getattr(import_module(f"skipit_nb.charts.{_HOMES[name]}"), name))
    globals()[name] = value
    return value
