"""`Information`: what quantised states of every boundary tell about the answers, beside what chance would give."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd

QUANTITIES = {
    "told": "I(X_l; Z): what the boundary tells about the answer. High = informative.",
    "added": "I(X_l; Z | X_{l-1}): what the layer adds. Low = redundant.",
    "lost": "I(X_{l-1}; Z | X_l): what the boundary before still adds. 0 on a chain X_{l-1} → X_l → Z.",
    "uncertain": "H(X_l | X_{l-1}): what the boundary before leaves open of the one after. Low = redundant.",
}
"""What is measured at every boundary, all in nats; all but "told" about the layer before the boundary."""

PARTS = ("redundant", "unique_first", "unique_second", "synergistic")


@dataclass(frozen=True, slots=True)
class InformationRow:
    """One quantity at one boundary, for one view and one size of the codebook. In nats."""

    boundary: int
    """0 is before layer 0; l is after layer l - 1."""
    view: str
    """"vision", "text" (means of these tokens) or "last" (the last prompt token)."""
    k: int
    """Centroids asked for."""
    quantity: str
    """One of `QUANTITIES`."""
    value: float
    """With the bias of counting taken off; may be a little below 0."""
    plug_in: float
    """As counted."""
    codes: int
    """Centroids used: fewer than `k` where there were fewer different states."""
    distortion: float
    """Mean 1 - cos between a state and its centroid: what the codes do not see."""
    null_mean: float | None = None
    """Mean of `value` where the answers are shuffled; not near 0: too few questions for so many codes."""
    null_high: float | None = None
    """95 % quantile of the same; a value below it is nothing. None: an entropy has no such null."""
    p: float | None = None
    """Share of shuffles that give as much; not corrected for the number of rows."""

    @property
    def excess(self) -> float | None:
        """`value` less what chance gives; None where there is no null. The fairest single number with many codes."""
        return None if self.null_mean is None else self.value - self.null_mean


@dataclass(frozen=True, slots=True)
class PidRow:
    """One part of a decomposition (BROJA) of what two sources tell about the answer. In nats."""

    boundary: int
    sources: str
    """"vision + text" at the boundary, or "before + after" the layer that ends there."""
    view: str
    """Of "before + after"; "" otherwise."""
    k: int
    part: str
    """"redundant", "unique_first", "unique_second" or "synergistic"."""
    value: float
    """As counted: too high, most of all for synergy. Look at the null."""
    null_mean: float | None = None
    null_high: float | None = None
    """95 % quantile where the answers are shuffled; None where it was not measured."""


@dataclass(frozen=True, slots=True, repr=False)
class Information(Stored):
    """Informational redundancy: what every boundary tells about the answer, and what every layer adds, in nats.

    States are pooled to one view and quantised; the codebook is fitted on half of the images, information is counted
    on the other half. Low "added" = redundant, if it is also low without the codes: see `distortion`.

    Source:
        Hartman et al., arXiv:2509.25584 (the notion); views, codes, corrections and nulls are ours.
    """

    provenance: Provenance
    counted: int
    """Questions that information was counted on."""
    answers: tuple[str, ...]
    """The answers that Z takes."""
    rows: tuple[InformationRow, ...]
    pid: tuple[PidRow, ...] = ()
    """Empty unless asked for."""
    unit: str = "nats"
    redundant_when: str = "low (added, uncertain)"
    source: str = "arXiv:2509.25584 (notion), arXiv:1311.2852 (BROJA); views, codes, corrections, nulls: ours"

    def of(self, quantity: str, view: str, k: int) -> tuple[InformationRow, ...]:
        """The rows of one quantity, by boundary.

        Raises:
            SettingError: If that was not measured.
        """
        rows = tuple(row for row in self.rows if (row.quantity, row.view, row.k) == (quantity, view, k))
        if not rows:
            had = sorted({(row.quantity, row.view, row.k) for row in self.rows})
            raise SettingError("(quantity, view, k)", (quantity, view, k), f"one of those measured: {had}")
        return rows

    @property
    def frame(self) -> pd.DataFrame:
        """One row per boundary, view, k and quantity: the fields of `InformationRow`, and excess."""
        import pandas as pd

        rows = [asdict(row) | {"excess": row.excess} for row in self.rows]
        return pd.DataFrame(rows, columns=[*InformationRow.__dataclass_fields__, "excess"])

    @property
    def pid_frame(self) -> pd.DataFrame:
        """One row per boundary, pair of sources and part: the fields of `PidRow` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.pid], columns=list(PidRow.__dataclass_fields__))

    def __repr__(self) -> str:
        about = f"{self.provenance.task or 'own questions'}, {self.counted} of {len(self.provenance.samples)} counted"
        return f"Information({self.provenance.model}, {self.provenance.num_layers} layers, {about}, nats)"
