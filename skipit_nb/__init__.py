"""Understand and skip layers of vision-language models, live, in a notebook.

Names are loaded when first used: `import skipit_nb` brings neither torch nor widgets.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from skipit_nb.garbage import uncollected

if TYPE_CHECKING:
    from skipit_nb.backend.export.skip_config import exported_skips
    from skipit_nb.backend.tasks.task import Task
    from skipit_nb.cost import ModelShape
    from skipit_nb.errors import SkipitError
    from skipit_nb.results import Comparison, Recommendation, RedundancyProfile, Sweep
    from skipit_nb.session import Session
    from skipit_nb.skipset import SkipSet
    from skipit_nb.studio import Studio
    from skipit_nb.tokendrop import TokenDrop
    from skipit_nb.widgets.builder import SkipSetBuilder
    from skipit_nb.widgets.evaluator import ABEvaluator
    from skipit_nb.widgets.explorer import LayerDistanceExplorer

__version__ = "0.1.0"

_HOMES = {
    "ABEvaluator": "widgets.evaluator",
    "Comparison": "results",
    "LayerDistanceExplorer": "widgets.explorer",
    "ModelShape": "cost",
    "Recommendation": "results",
    "RedundancyProfile": "results",
    "Session": "session",
    "SkipSet": "skipset",
    "SkipSetBuilder": "widgets.builder",
    "SkipitError": "errors",
    "Studio": "studio",
    "Sweep": "results",
    "Task": "backend.tasks.task",
    "TokenDrop": "tokendrop",
    "exported_skips": "backend.export.skip_config",
}

__all__ = [
    "ABEvaluator",
    "Comparison",
    "LayerDistanceExplorer",
    "ModelShape",
    "Recommendation",
    "RedundancyProfile",
    "Session",
    "SkipSet",
    "SkipSetBuilder",
    "SkipitError",
    "Studio",
    "Sweep",
    "Task",
    "TokenDrop",
    "exported_skips",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    with uncollected():
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
