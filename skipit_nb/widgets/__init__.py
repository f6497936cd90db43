"""The tools of the notebook. They draw and are clicked; what they show is computed elsewhere.

Names load on first use: nothing of ipywidgets is imported until a tool is shown.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skipit_nb.widgets.builder import SkipSetBuilder
    from skipit_nb.widgets.evaluator import ABEvaluator
    from skipit_nb.widgets.explorer import LayerDistanceExplorer

_HOMES = {"ABEvaluator": "evaluator", "LayerDistanceExplorer": "explorer", "SkipSetBuilder": "builder"}

__all__ = ["ABEvaluator", "LayerDistanceExplorer", "SkipSetBuilder"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"skipit_nb.widgets.{_HOMES[name]}"), name)
