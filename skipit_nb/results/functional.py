"""`Functional`: how well a named family of readers tells the answer from every boundary, and what each layer gains."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class FunctionalRow:
    """One boundary, one view: the cross-validated reader there, and against the boundary before."""

    boundary: int
    """0 is before layer 0; l is after layer l - 1."""
    view: str
    """"vision", "text" (means of these tokens) or "last" (the last prompt token)."""
    log_loss: float
    """Mean -log p(right answer), in nats. Low = the boundary tells."""
    error: float
    """Share of wrong answers, 0 to 1."""
    information: float
    """Predictive (V-) information, in nats: log loss of a reader that sees nothing, less `log_loss`."""
    gap: float | None = None
    """R*_{l-1} - R*_l in log loss, nats: what the layer gains this reader. Near 0 = redundant. None at boundary 0."""
    gap_low: float | None = None
    """Lower end of the 95 % interval, paired by image and wider for folds that share what readers were fitted on."""
    gap_high: float | None = None
    error_gap: float | None = None
    """The same for the share of wrong answers."""
    error_gap_low: float | None = None
    error_gap_high: float | None = None
    chain_gain: float | None = None
    """Nats saved by reading the boundary before as well. Above 0: no chain X_{l-1} → X_l → Z, for this view."""
    chain_low: float | None = None
    chain_high: float | None = None
    chain_p: float | None = None
    """One-sided, by random signs of whole images; not corrected for the number of layers."""


@dataclass(frozen=True, slots=True, repr=False)
class Functional(Stored):
    """Functional redundancy: the gap between the best readers of two boundaries, for a named family of readers.

    Near 0 = redundant for that family; below 0, the layer makes the answer harder to read for it. It does not see
    what a cleverer reader, such as the rest of the network, would find.

    Source:
        Hartman et al., arXiv:2509.25584 (the notion; reviewers: a gap between optimal predictors of two layers);
        Xu et al. 2020, arXiv:2002.10689 (V-information). Family, views and intervals are ours.
    """

    provenance: Provenance
    family: str
    """The readers that were fitted."""
    blind_log_loss: float
    """Log loss of the reader that sees nothing, in nats."""
    blind_error: float
    rows: tuple[FunctionalRow, ...]
    unit: str = "nats; errors as a share"
    redundant_when: str = "gap near 0"
    source: str = "arXiv:2509.25584 (notion), arXiv:2002.10689 (V-information); family, views, intervals: ours"

    def of(self, view: str) -> tuple[FunctionalRow, ...]:
        """The rows of one view, by boundary.

        Raises:
            SettingError: If that view was not measured.
        """
        rows = tuple(row for row in self.rows if row.view == view)
        if not rows:
            raise SettingError("view", view, f"one of those measured: {sorted({row.view for row in self.rows})}")
        return rows

    @property
    def frame(self) -> pd.DataFrame:
        """One row per boundary and view: the fields of `FunctionalRow` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(FunctionalRow.__dataclass_fields__))

    def __repr__(self) -> str:
        about = f"{self.provenance.task or 'own questions'}, {len(self.provenance.samples)} questions"
        return f"Functional({self.provenance.model}, {self.provenance.num_layers} layers, {about}, {self.family})"
