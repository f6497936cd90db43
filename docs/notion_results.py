"""What the pages of `docs/notions/` show: results of the model in the box, stored as small JSON in `docs/results/`.

Measuring them takes minutes (`python docs/draw_notions.py --measure`, all or those named behind it), reading them
milliseconds. Floats are stored with five significant digits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipit_nb import results

if TYPE_CHECKING:
    from skipit_nb import Session

RESULTS = Path(__file__).parent / "results"
TASKS = ("digits-vqa", "easy-vqa")
EPSILON = 0.02

# information counts on half of the questions and wants four for each pair of code and answer.
MEASURES: dict[str, Callable[[Session, str], Any]] = {
    "profile": lambda session, task: session.profile(task, limit=400),
    "knockout": lambda session, task: session.knockout(task, limit=400),
    "contribution": lambda session, task: session.contribution(task, limit=200),
    "information": lambda session, task: session.information(task, limit=1000, permutations=100),
    "functional": lambda session, task: session.functional(task, limit=400),
    "bounds": lambda session, task: session.bounds_report(task, limit=128),
    "bands": lambda session, task: session.bands(task, limit=200),
    "similarity": lambda session, task: session.similarity(task, limit=200),
    "agreement": lambda session, task: session.agreement(task, limit=400, epsilon=EPSILON),
}
"""Name in `Found` → how it is measured."""


@dataclass(frozen=True, slots=True)
class Found:
    """All results of one task."""

    task: str
    profile: results.RedundancyProfile
    knockout: results.Knockout
    contribution: results.Contribution
    information: results.Information
    functional: results.Functional
    bounds: results.BoundsReport
    bands: results.BandDistances
    similarity: results.Similarity
    agreement: results.Agreement


KINDS = {
    "profile": results.RedundancyProfile,
    "knockout": results.Knockout,
    "contribution": results.Contribution,
    "information": results.Information,
    "functional": results.Functional,
    "bounds": results.BoundsReport,
    "bands": results.BandDistances,
    "similarity": results.Similarity,
    "agreement": results.Agreement,
}


def stored(task: str) -> Found:
    """What was measured on a task."""
    texts = {name: _file(task, name).read_text(encoding="utf-8") for name in KINDS}
    return Found(task, **{name: kind.from_json(texts[name]) for name, kind in KINDS.items()})


def measure(names: Sequence[str] = ()) -> None:
    """Measure what is named, or everything, anew, and store it."""
    from skipit_nb import Session

    RESULTS.mkdir(exist_ok=True)
    with Session.open(device="cpu") as session:
        for task in TASKS:
            for name in names or MEASURES:
                found = MEASURES[name](session, task)
                _file(task, name).write_text(shortened(found.to_json()) + "\n", encoding="utf-8")


def _file(task: str, name: str) -> Path:
    return RESULTS / f"{task}-{name}.json"


def shortened(text: str) -> str:
    """The same JSON with five significant digits."""
    return json.dumps(json.loads(text, parse_float=lambda number: float(f"{float(number):.5g}")))
