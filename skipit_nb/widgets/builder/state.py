"""`BuilderState`: what the user has chosen in the builder, and what of it is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from skipit_nb.errors import SettingError, UnknownTaskError
from skipit_nb.ports import AsksWhatIf
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.paste import read_skipset


@dataclass(frozen=True, slots=True)
class BuilderState(Stored):
    """What the user has chosen in the builder."""

    skipset: SkipSet
    """Bound to the model's number of layers."""
    num_vision: int
    """Vision tokens of the prompt that the cost is counted for."""
    num_text: int
    """Text tokens of that prompt."""
    task: str = ""
    """Where the question of the what-if comes from; "" for the session's first task, and where there is none to ask."""
    question: str = ""
    """Document key of that question; "" for the first of the task's sample."""


def checked(
    state: BuilderState, *, num_layers: int, port: AsksWhatIf | None, before: BuilderState | None
) -> BuilderState:
    """The state as it is kept.

    Args:
        state: As it was given; the skip set may also be its written form, code or JSON.
        num_layers: Decoder layers of the model.
        port: The session that answers what-ifs; without one there is no task and no question.
        before: The state until now: a question that stays is not looked up again.

    Raises:
        SettingError: If a number of tokens is below 0, both are 0, or the task has no such question.
        UnknownTaskError: If the session has no such task.
        SkipitError: Whatever is wrong with the skip set.
    """
    for name in ("num_vision", "num_text"):
        value = getattr(state, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise SettingError(name, value, "a number of tokens, at least 0")
    if state.num_vision + state.num_text == 0:
        raise SettingError("num_text", 0, "at least 1 if there are no vision tokens")
    given: Any = state.skipset
    skipset = SkipSet.of(read_skipset(given) if isinstance(given, str) else given, num_layers=num_layers)
    if port is None:
        return replace(state, skipset=skipset, task="", question="")
    if not state.task:
        state = replace(state, task=port.tasks()[0], question="")
    if before is not None and state.task != before.task and state.question == before.question:
        state = replace(state, question="")  # it was of the other task
    if before is None or (state.task, state.question) != (before.task, before.question):
        _check_question(state, port)
    return replace(state, skipset=skipset)


def _check_question(state: BuilderState, port: AsksWhatIf) -> None:
    if state.task not in (known := port.tasks()):
        raise UnknownTaskError(state.task, known)
    if state.question:
        port.example(state.task, state.question)
