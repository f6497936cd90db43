"""`Sweep`: many skip sets on the same questions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One skip set of a sweep."""

    skipset: SkipSet
    accuracy: float
    """Share of right answers, 0 to 1."""
    delta: float
    """Accuracy minus that of the full model on the same questions."""
    low: float
    """Lower end of the 95 % interval of `delta`, clustered by image, not corrected for the number of sets."""
    high: float
    worse: int
    """Questions the full model answers right and this set does not."""
    better: int
    flops_ratio: float
    """Predicted prefill FLOPs of the full decoder / those of this set; above 1 is cheaper. Arithmetic, not time."""


@dataclass(frozen=True, slots=True, repr=False)
class Sweep(Stored):
    """Accuracy of many skip sets against the full model. It ranks; `compare` judges."""

    provenance: Provenance
    baseline: float
    """Accuracy of the full model, 0 to 1."""
    rows: tuple[SweepRow, ...]
    """In the order the skip sets were given."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row per skip set: skipset, accuracy, delta, low, high, worse, better, flops_ratio."""
        import pandas as pd

        rows = [asdict(row) | {"skipset": str(row.skipset)} for row in self.rows]
        return pd.DataFrame(rows, columns=list(SweepRow.__dataclass_fields__))

    def __repr__(self) -> str:
        n = len(self.provenance.samples)
        return f"Sweep({self.provenance.task}, {n} questions, {len(self.rows)} skip sets, baseline {self.baseline:.3f})"
