"""One question, looked at: everything the explorer shows of it, from one model or from two."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from skipit_nb.errors import SettingError
from skipit_nb.jobs import Tick
from skipit_nb.ports import MapsBands, Profiles, Question
from skipit_nb.results import Answer, BandDistances, RedundancyProfile, TokenDistances
from skipit_nb.widgets.explorer.state import ExplorerState

MOST_MAPPED_AT_ONCE = 200_000_000
"""A map of bands compares every boundary with every other: layers² × tokens × width. Above so many numbers a person
would wait for it, so it is measured only when asked for."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One question, looked at: its distances token by token, what the model says, and a profile of it alone."""

    example: Question
    questions: tuple[str, ...]
    """The text of every question of the sample."""
    distances: TokenDistances
    answer: Answer
    profile: RedundancyProfile
    other: Seen | None = None
    """The same question, looked at by the other model."""


def look_at(port: Profiles, other: Profiles | None, state: ExplorerState, tick: Tick) -> Seen:
    """Look at the chosen question; on the worker.

    Raises:
        SettingError: If the sample has no such question.
    """
    examples = sample_of(port, state)
    if state.question >= len(examples):
        raise SettingError("question", state.question, f"one of the {len(examples)} of this sample, from 0")
    example = examples[state.question]
    questions = tuple(one.question for one in examples)
    seen = _seen(port, example, questions, tick)
    return replace(seen, other=_seen(other, example, questions, tick)) if other else seen


def _seen(port: Profiles, example: Question, questions: tuple[str, ...], tick: Tick) -> Seen:
    return Seen(
        example=example,
        questions=questions,
        distances=port.look(example.image, example.question),
        answer=port.ask(example.image, example.question),
        profile=port.profile([example], progress=tick),
    )


def sample_of(port: Profiles, state: ExplorerState) -> Sequence[Question]:
    """The questions that one can be chosen from."""
    return port.examples(state.task, limit=state.limit, seed=state.seed)


def asked_of(port: Profiles, state: ExplorerState) -> Sequence[Question]:
    """The questions that the plots are to be of."""
    if state.over == "question":
        return [sample_of(port, state)[state.question]]
    tasks = port.tasks() if state.over == "all tasks" else (state.task,)
    return [example for task in tasks for example in port.examples(task, limit=state.limit, seed=state.seed)]


def has_bands(port: object) -> bool:
    """Whether a port can map bands."""
    return isinstance(port, MapsBands)


def bands_of(port: Profiles, examples: Sequence[Question], tick: Tick) -> BandDistances | None:
    """A map of bands of these questions; None from a port that has none."""
    measured: Any = port.bands(examples, progress=tick) if has_bands(port) else None  # type: ignore[attr-defined]
    return measured  # type: ignore[no-any-return]


def is_mapped_at_once(port: Profiles, seen: Seen) -> bool:
    """Whether a map of bands of one question takes no longer than the look itself."""
    shape = port.shape
    return math.prod((shape.num_layers, shape.num_layers, len(seen.distances.tokens), shape.d_model)) <= (
        MOST_MAPPED_AT_ONCE
    )
