"""What the user has chosen in the evaluator, and which choices there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from skipit_nb.errors import LimitError, SettingError, UnknownTaskError
from skipit_nb.results.comparison import FLIPS
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

MANY: dict[str, Callable[[int], list[SkipSet]]] = {
    "early exit of vision": lambda n: [SkipSet.early_exit(k, num_layers=n) for k in range(1, n)],
    "late entry of vision": lambda n: [SkipSet.late_entry(k, num_layers=n) for k in range(1, n)],
    "frozen vision from a layer on": lambda n: [SkipSet.freeze(range(k, n), num_layers=n) for k in range(1, n)],
    "one layer without vision": lambda n: [SkipSet.absent(k, num_layers=n) for k in range(n)],
    "one whole layer": lambda n: [SkipSet.whole(k, num_layers=n) for k in range(n)],
}
"""Families of skip sets that a sweep asks, by what they have in common; each is made for a number of layers."""


@dataclass(frozen=True, slots=True)
class EvaluatorState(Stored):
    """What the user has chosen in the evaluator."""

    a: SkipSet
    """The reference; most often the full model."""
    b: SkipSet
    task: str
    limit: int | None
    """Whole images until at least so many questions; None for all."""
    seed: int
    margin: float
    """The loss of accuracy one would accept, as a share (0.01 = 1 point); fixed before the run."""
    flips: str = "any"
    """Which flips are shown: any, worse, better, changed."""
    kind: str = ""
    """The question type whose flips are shown; "" for all."""
    page: int = 0
    """Page of the gallery, from 0."""
    pinned: str = ""
    """Key of the question that stays in view whatever is filtered; "" for none."""
    ledger: str | None = None
    """A folder that keeps every answer, so that a run goes on after a restart; None for none."""
    stop_early: bool = False
    """Stop as soon as the verdict is clear; the interval then allows for looking, and is wider."""
    many: str = "early exit of vision"
    """The family of skip sets that a sweep asks, one of `MANY`."""


def checked(state: EvaluatorState, *, tasks: tuple[str, ...], num_layers: int) -> EvaluatorState:
    """The state as it is kept: with bound skip sets.

    Raises:
        UnknownTaskError: If there is no such task.
        LimitError: If the limit is below 1.
        SettingError: If something else is out of range.
    """
    if state.task not in tasks:
        raise UnknownTaskError(state.task, tasks)
    if state.limit is not None and not _is_whole(state.limit):
        raise SettingError("limit", state.limit, "a whole number of questions, or None for all")
    if state.limit is not None and state.limit < 1:
        raise LimitError(state.limit)
    for name, fits, expected in _rules(state):
        if not fits:
            raise SettingError(name, getattr(state, name), expected)
    a, b = (SkipSet.of(skipset, num_layers=num_layers) for skipset in (state.a, state.b))
    return replace(state, a=a, b=b, margin=float(state.margin), ledger=str(state.ledger) if state.ledger else None)


def _rules(state: EvaluatorState) -> list[tuple[str, bool, str]]:
    """Field, whether its value is one it takes, and what it takes."""
    margin = state.margin
    is_share = isinstance(margin, int | float) and not isinstance(margin, bool) and 0 < margin < 1
    return [
        ("seed", _is_whole(state.seed), "a whole number"),
        ("margin", is_share, "a share above 0 and below 1, such as 0.01 for one point"),
        ("flips", state.flips in FLIPS, f"one of {', '.join(FLIPS)}"),
        ("kind", isinstance(state.kind, str), "a question type, or '' for all"),
        ("page", _is_whole(state.page) and state.page >= 0, "a page, from 0"),
        ("pinned", isinstance(state.pinned, str), "the key of a question, or '' for none"),
        ("stop_early", isinstance(state.stop_early, bool), "True or False"),
        ("many", state.many in MANY, f"one of {', '.join(MANY)}"),
    ]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
