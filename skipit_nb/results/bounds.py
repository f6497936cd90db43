"""`BoundsReport`: every implication between kinds of redundancy, measured on every layer of a model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd

ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class BoundRow:
    """One implication on one layer: what was measured, what the bound allows, what is trivially so."""

    layer: int
    implication: str
    """Such as "geometric ⇒ proximal"."""
    premise: str
    """What the bound was computed from, with its value."""
    conclusion: str
    """What is bounded."""
    measured: float
    bound: float
    trivial: float
    """What the quantity never exceeds anyway."""
    unit: str

    @property
    def holds(self) -> bool:
        """Whether the measured value is within the bound."""
        return self.measured <= self.bound + ROUNDING

    @property
    def is_vacuous(self) -> bool:
        """Whether the bound allows everything, so that it says nothing about this layer."""
        return self.bound >= self.trivial - ROUNDING


@dataclass(frozen=True, slots=True, repr=False)
class BoundsReport(Stored):
    """Per layer, the measured gaps beside what each implication allows, and whether that says anything.

    All is counted on the same questions, without correction of bias: the implications are about one distribution, and
    this is the counted one. That a bound holds is therefore no evidence for the model; that it is not vacuous is.

    Source:
        Hartman et al., arXiv:2509.25584 (reviewers: the four kinds are tied by implications); the formulas are ours.
    """

    provenance: Provenance
    view: str
    """Which pooled states were compared."""
    k: int
    """Centroids of the codebooks."""
    epsilon: float
    """ε of the tail P[d > ε], in 1 - cos."""
    rows: tuple[BoundRow, ...]
    left_out: str = ""
    """Which implications could not be measured, and why; empty if all were."""
    unit: str = "of each row: 1 - cos, share or nats"
    redundant_when: str = "low (measured); low and not vacuous (bound)"
    source: str = "arXiv:2509.25584 (the implications, by its reviewers); formulas: ours"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer and implication: the fields of `BoundRow`, holds, is_vacuous."""
        import pandas as pd

        rows = [asdict(row) | {"holds": row.holds, "is_vacuous": row.is_vacuous} for row in self.rows]
        return pd.DataFrame(rows, columns=[*BoundRow.__dataclass_fields__, "holds", "is_vacuous"])

    def __repr__(self) -> str:
        told = sum(not row.is_vacuous for row in self.rows)
        about = f"{self.provenance.task or 'own questions'}, {len(self.provenance.samples)} questions"
        return f"BoundsReport({self.provenance.model}, {about}, view {self.view}, {told} of {len(self.rows)} tell)"
