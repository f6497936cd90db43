"""`Proposal`: the skip set that a published method would take, and the score of everything it chose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing a method could have skipped."""

    skipset: SkipSet
    score: float
    """What the method goes by, in the unit of the proposal. Low = redundant."""
    chosen: bool
    """Whether it is part of the proposed set."""


@dataclass(frozen=True, slots=True, repr=False)
class Proposal(Stored):
    """The skip set that a published, training-free method takes on this model and these questions."""

    provenance: Provenance
    method: str
    """One of `session.methods()`."""
    skipset: SkipSet
    unit: str
    """Of the scores; low = redundant in every method."""
    candidates: tuple[Candidate, ...]
    """Everything that was scored, in the order of layers; empty where the method measures nothing."""
    redundant_when: str = "low"
    source: str = ""
    """The paper of the method; "" in results of earlier versions."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row per candidate: skipset, score, chosen."""
        import pandas as pd

        rows = [{"skipset": str(c.skipset), "score": c.score, "chosen": c.chosen} for c in self.candidates]
        return pd.DataFrame(rows, columns=["skipset", "score", "chosen"])

    def __repr__(self) -> str:
        return f"Proposal({self.method}, {str(self.skipset)!r}, from {len(self.candidates)} candidates)"
