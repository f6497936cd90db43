"""`RaceResult`: skip sets asked questions only as long as they could still be the best."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

WINNER, WITHIN, WORSE, NO_BETTER = "winner", "within margin", "worse", "no better"


@dataclass(frozen=True, slots=True)
class RaceRow:
    """One skip set of a race."""

    skipset: SkipSet
    flops_ratio: float
    """Predicted prefill FLOPs of the full decoder / those of this set, for a usual prompt (`usual_cost` in
    `skipit_nb.cost`); above 1 is cheaper. Arithmetic, not time."""
    questions: int
    """How many it was asked: the first so many of the random order."""
    stopped_at: int | None
    """The same where the race went on without it; None if it was asked to the end."""
    score: float
    """Mean of the objective over those questions, 0 to 1, higher is better."""
    delta: float
    """Its score minus the winner's on the same questions."""
    low: float
    """Lower end of the interval of `delta` on all questions of the race, wherever one stops; each end of each row is
    wrong with probability (1 - level) / (sets - 1) at most, for a winner named before the race."""
    high: float
    status: str
    """"winner"; "within margin": certainly at most the margin below the best; "worse": certainly worse than the
    winner; "no better": certainly not better than the winner by more than the margin, and how much worse was not
    asked. All that is certain is so at once, with probability `level`, except that "worse" is a row's own."""


@dataclass(frozen=True, slots=True, repr=False)
class RaceResult(Stored):
    """The winner of a race of skip sets, at most `margin` below the best of them on all questions of the race.

    That holds with probability `level` over the random order of the questions. It is about these questions: what the
    winner scored among them flatters it, and `compare` judges it on others.
    """

    provenance: Provenance
    """Of all questions that could be asked; `seed` is that of their order."""
    objective: str
    """"accuracy", or "agreement" with the full model's next token."""
    margin: float
    """What the winner may be below the best, as a share."""
    level: float
    """Probability with which it is not further below, at least."""
    chunk: int
    """Questions from one look to the next."""
    rows: tuple[RaceRow, ...]
    """In the order the skip sets were given."""
    layers_executed: int
    """Layers run, each once for every question; what sets share is run once."""
    layers_swept: int
    """Layers that a sweep of all sets over all questions runs, shared as well."""
    layers_naive: int
    """Layers to run had every set, and the full model, run by itself on all questions."""
    unit: str = "share of questions"
    redundant_when: str = "high: the set still answers"
    source: str = "ours: a race by an anytime-valid test"

    @property
    def won(self) -> RaceRow:
        """The winner's row."""
        return next(row for row in self.rows if row.status == WINNER)

    @property
    def winner(self) -> SkipSet:
        """The set with the highest score when the race was over; of equal ones the cheapest."""
        return self.won.skipset

    @property
    def within_margin(self) -> tuple[RaceRow, ...]:
        """The winner, and the others that are certainly at most the margin below the best; the cheapest first."""
        found = (row for row in self.rows if row.status in {WINNER, WITHIN})
        return tuple(sorted(found, key=lambda row: (-row.flops_ratio, -row.score)))

    @property
    def cheapest_within_margin(self) -> SkipSet:
        """The cheapest set that is certainly at most the margin below the best, as the winner is.

        Others may be so too: a race stops asking a set once it cannot win, not when it is known how far below it is.
        """
        return self.within_margin[0].skipset

    @property
    def frame(self) -> pd.DataFrame:
        """One row per skip set, with the fields of `RaceRow` as columns."""
        import pandas as pd

        rows = [asdict(row) | {"skipset": str(row.skipset)} for row in self.rows]
        return pd.DataFrame(rows, columns=list(RaceRow.__dataclass_fields__))

    def __repr__(self) -> str:
        asked = f"{self.won.questions} of {len(self.provenance.samples)} questions"
        layers = f"{self.layers_executed / self.layers_swept:.0%} of a sweep's layers"
        field = f"{len(self.rows)} skip sets, {self.objective}, margin {self.margin:g} at {self.level:.0%}"
        return f"RaceResult({str(self.winner)!r} of {field}, after {asked}, {layers})"
