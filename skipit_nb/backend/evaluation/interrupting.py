"""A run that somebody interrupts: what it has is handed over, and says that it is not all.

An interrupt of a call (Ctrl-C, the stop button of a notebook) gives the result so far, with a warning. A cancelled job
stays cancelled: its `CancelledError` carries the result so far as `partial`, and `Job.partial` gives it.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TypeVar

from skipit_nb.errors import CancelledError
from skipit_nb.results import Comparison, Sweep

Result = TypeVar("Result", Comparison, Sweep)


class InterruptedWarning(UserWarning):
    """A result that is not all that was asked for, because somebody interrupted the run."""


def handed_over(found: Result, stop: BaseException | None) -> Result:
    """The result, as who stopped the run expects it; as it is if nobody did.

    Raises:
        CancelledError: If a job was cancelled, with the result as `partial`.
    """
    if isinstance(stop, CancelledError):
        stop.partial = found
        raise stop
    if stop is not None:
        warnings.warn(f"interrupted: this result is incomplete. {found!r}", InterruptedWarning, stacklevel=5)
    return found


def said(found: Comparison) -> Comparison:
    """The comparison, whose verdict says what is missing."""
    n = found.num_questions
    words = [found.verdict.sentence]
    if not found.is_complete and found.num_unasked:
        words.insert(0, f"Incomplete, interrupted after {n} of {n + found.num_errors + found.num_unasked} questions.")
    elif not found.is_complete and found.planned is None:
        words.insert(0, "Incomplete, interrupted after the last question: some measurements are missing.")
    if found.errors:
        words.append(f"{found.num_errors} of {n + found.num_errors} questions had an error and are left out.")
    return replace(found, verdict=replace(found.verdict, sentence=" ".join(words)))
