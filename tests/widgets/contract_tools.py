"""Every kind of tool that a notebook can hold, each made from a session or from what one has measured."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from skipit_nb.studio import Studio
from skipit_nb.widgets import ABEvaluator, LayerDistanceExplorer, SkipSetBuilder


@dataclass(frozen=True)
class Kind:
    """One kind of tool."""

    make: Callable[[Any], Any]
    """Gives the tool for a session."""
    change: dict[str, Any] = field(default_factory=dict)
    """What `set` takes."""
    starts_work: bool = True
    """Whether `run` hands work to the session."""
    opens: bool = True
    """Whether its `code` opens a session."""


KINDS: dict[str, Kind] = {
    "explorer": Kind(lambda one: LayerDistanceExplorer(one, limit=12), {"epsilon": 0.3}),
    "builder": Kind(lambda one: SkipSetBuilder(one, skipset="vision absent 8-"), {"num_text": 32}, starts_work=False),
    "evaluator": Kind(lambda one: ABEvaluator(one, b="vision absent 0-3", limit=12), {"margin": 0.02}),
    "studio": Kind(lambda one: Studio(one, skipset="vision absent 8-", limit=12), {"builder": {"num_text": 32}}),
    "stored explorer": Kind(
        lambda one: LayerDistanceExplorer(one.profile(one.tasks()[0], limit=12)),
        {"epsilon": 0.3},
        starts_work=False,
        opens=False,
    ),
    "stored evaluator": Kind(
        lambda one: ABEvaluator.from_result(one.compare(one.tasks()[0], None, "vision absent 0-3", limit=12)),
        {"margin": 0.02},
        starts_work=False,
        opens=False,
    ),
    "builder of a shape": Kind(
        lambda one: SkipSetBuilder(one.shape, skipset="vision absent 8-"),
        {"num_text": 32},
        starts_work=False,
        opens=False,
    ),
}
