"""`FailedQuestion`: a question that a run could not ask, or a model not answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FailedQuestion:
    """A question with an error: it counts in no number, under no arm."""

    key: str
    """Document key; the task gives the question back for it."""
    question: str
    target: str
    """The right answer."""
    kind: str
    """Question type."""
    cluster: str
    """The image that it is about."""
    error: str
    """What was wrong, and with which file or under which arm."""
