"""`Standing`: how a comparison stands while it runs."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.results.stored import Stored


@dataclass(frozen=True, slots=True)
class Standing(Stored):
    """What the whole images say that both arms have answered so far, on the way to a `Comparison`.

    The interval is anytime-valid: at 95 % it holds at every look at once, so one may look as often as one likes and
    stop when one has seen enough. That makes it wider than the interval of a finished run.
    """

    num_questions: int
    """Questions of whole images that both arms have answered."""
    planned: int
    """Questions of the whole run."""
    accuracy_a: float
    """0 to 1."""
    accuracy_b: float
    """0 to 1."""
    delta: float
    """Accuracy under B minus that under A."""
    low: float
    """Lower end of the anytime-valid 95 % interval of `delta`."""
    high: float
    worse: int
    """Questions with a lower score under B."""
    better: int
    method: str
    """How the interval was found."""
