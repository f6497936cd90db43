"""`EqualCost`: what each published method costs in answers when all of them save as much."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet
from skipit_nb.tokendrop import TokenDrop

if TYPE_CHECKING:
    import pandas as pd

CONTROL = "random"
"""How the method of a control begins."""


@dataclass(frozen=True, slots=True)
class EqualCostRow:
    """One method, at the budget."""

    method: str
    """One of `session.methods()`, "fastv", "pyramiddrop", or "random (like …)" for a control."""
    skipset: SkipSet | None
    """What is skipped; None where tokens are dropped."""
    drop: TokenDrop | None
    """Which tokens are dropped; None where layers are skipped."""
    flops_ratio: float
    """Predicted prefill FLOPs of the full decoder / those of this one, for a usual prompt (`usual_cost` in
    `skipit_nb.cost`); above 1 is cheaper. Arithmetic, not time."""
    accuracy: float
    """Share of right answers, 0 to 1, generated."""
    delta: float
    """Accuracy minus that of the full model on the same questions; below 0 the method costs answers."""
    low: float
    """Lower end of the simultaneous 95 % interval of `delta`: those of all rows hold at once (max-T, by image)."""
    high: float
    p_adjusted: float
    """Two-sided p of no difference, corrected for the number of rows (max-T)."""

    @property
    def action(self) -> SkipSet | TokenDrop:
        """What the method does."""
        found = self.skipset if self.drop is None else self.drop
        assert found is not None  # noqa: S101  a row has one of the two
        return found


@dataclass(frozen=True, slots=True, repr=False)
class EqualCost(Stored):
    """Published methods and random controls at one predicted speed-up, on questions none of them was taken from."""

    provenance: Provenance
    """Its samples are the questions of the judging half."""
    speedup: float
    """Predicted prefill FLOPs of the full model / those of a method, to reach."""
    num_calibration: int
    """Questions of the other half, from which methods took what they skip."""
    baseline: float
    """Accuracy of the full model, 0 to 1."""
    rows: tuple[EqualCostRow, ...]
    missing: tuple[tuple[str, str], ...]
    """(method, why) for those that cannot save as much on this model."""
    unit: str = "accuracy: share; speed-up: predicted prefill FLOPs, full model / method"
    redundant_when: str = "accuracy near that of the full model"
    source: str = "ours; the methods: see docs/methods.md"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per method: method, action, flops_ratio, accuracy, delta, low, high, p_adjusted; best first."""
        import pandas as pd

        columns = ["method", "action", "flops_ratio", "accuracy", "delta", "low", "high", "p_adjusted"]
        values = [[row.method, str(row.action), *(getattr(row, name) for name in columns[2:])] for row in self.rows]
        found = pd.DataFrame(values, columns=columns)
        return found.sort_values("accuracy", ascending=False, kind="stable").reset_index(drop=True)

    def __repr__(self) -> str:
        n = len(self.provenance.samples)
        about = f"{self.provenance.task}, {n} questions, predicted speed-up {self.speedup:g}"
        return f"EqualCost({about}, {len(self.rows)} rows, {len(self.missing)} missing, baseline {self.baseline:.3f})"
