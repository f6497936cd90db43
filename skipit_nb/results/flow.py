"""`Knockout`: what happens to the answer when text may not look at the image in a band of layers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class KnockoutRow:
    """One band of layers [start, stop) in which no text row attends to vision rows. High = the image is read there."""

    start: int
    """First layer of the band, from 0."""
    stop: int
    """The layer after its last."""
    kl: float
    """Mean KL(full ‖ knocked out) of the next token after the prompt, in nats, 0 or more."""
    kl_spread: float
    """Its standard deviation over questions; 0 with one."""
    log_likelihood_drop: float | None
    """Mean over questions of log p(right answer) of the full model minus that knocked out, in nats; negative where
    the right answer became likelier; None where it cannot be had."""
    accuracy_drop: float
    """Accuracy of the full model minus that knocked out, as a share."""
    low: float
    """Lower end of the 95 % interval of `accuracy_drop`, clustered by image, not corrected for the number of bands."""
    high: float
    log_likelihood_low: float | None = None
    """Lower end of the 95 % interval of `log_likelihood_drop`, by image; None with one image, and in results of
    earlier versions."""
    log_likelihood_high: float | None = None

    @property
    def band(self) -> str:
        """As printed: "3", or "3-5" with both ends."""
        return str(self.start) if self.stop - self.start == 1 else f"{self.start}-{self.stop - 1}"


@dataclass(frozen=True, slots=True, repr=False)
class Knockout(Stored):
    """The causal check of cross-modal flow: text rows blind to vision rows in a band of layers.

    VAR says how much attention text pays to the image; this says what the answer loses without it. Vision rows run and
    see all they saw. It is a simulation by masking: nothing is left out and nothing gets faster. What it does not see:
    other layers may read what this band would have read, so a layer without effect alone may matter in a longer band.

    Source:
        Ours, as a check that reviewers of the paper (arXiv:2509.25584) ask for; masking attention edges between kinds
        of tokens follows Geva et al. 2023, arXiv:2304.14767.
    """

    provenance: Provenance
    baseline: float
    """Accuracy of the full model on the same questions, 0 to 1."""
    rows: tuple[KnockoutRow, ...]
    """One per band, in the order they were asked for."""
    unit: str = "KL and log-likelihood: nats; accuracy: share"
    redundant_when: str = "low: the answer does not need that look"
    source: str = "ours, after arXiv:2304.14767"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per band: band, then the fields of `KnockoutRow`."""
        import pandas as pd

        columns = ["band", *KnockoutRow.__dataclass_fields__]
        return pd.DataFrame([{"band": row.band} | asdict(row) for row in self.rows], columns=columns)

    def __repr__(self) -> str:
        about = f"{self.provenance.task}, {len(self.provenance.samples)} questions, {len(self.rows)} bands"
        return f"Knockout({about}, baseline {self.baseline:.3f})"
