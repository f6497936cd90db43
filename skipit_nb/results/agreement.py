"""`Agreement`: whether scores that need no answers foretell what skipping costs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

SCORES = ("distance", "tail", "VAR", "LC", "BI")
"""Of every layer, each low where the layer should be redundant: distance and tail of the vision tokens, cross-modal
flow, contribution with the vision tokens frozen, block influence of all tokens."""

OUTCOMES = ("accuracy", "log_likelihood")
"""What skipping costs: accuracy lost, or log-likelihood of the right answer lost, in nats."""


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One score against one cost over one family of skip sets."""

    family: str
    """"whole", "vision frozen", "vision absent" (single layers), "late entry", "early exit" or "band" (vision absent in
    each band of a quarter of the layers; results of earlier versions lack it)."""
    outcome: str
    """One of `OUTCOMES`."""
    score: str
    """One of `SCORES`."""
    sets: int
    """Skip sets of the family."""
    rho: float | None
    """Spearman's rank correlation, -1 to 1. 1: the higher the score, the more skipping costs, as it should be. None
    where all scores or all costs are equal."""
    low: float | None
    """Lower end of the 95 % interval of `rho` over images, resampled whole; the scores are held."""
    high: float | None
    chance: float | None
    """What 95 % of random orders of the layers' scores stay below."""
    p: float | None
    """Share of random orders that agree at least as well; not corrected for the number of rows."""


@dataclass(frozen=True, slots=True)
class SkipCost:
    """What skipping one set costs, and what was foretold."""

    family: str
    skipset: SkipSet
    accuracy: float
    """Accuracy lost against the full model, as a share; below 0 if skipping helped."""
    log_likelihood: float | None
    """Mean log-likelihood of the right answer lost, in nats; None where it cannot be had."""
    scores: tuple[float | None, ...]
    """In the order of `SCORES`: the mean of the skipped layers' scores."""


@dataclass(frozen=True, slots=True, repr=False)
class Agreement(Stored):
    """Rank agreement of label-free scores with the measured cost of skipping.

    Scores come from one half of the images, costs from the other. The interval says how far the questions decide the
    correlation; `chance` and `p` say what so few layers would give by luck. Late entries, and early exits, lie inside
    each other, so their mean scores run one way and `rho` is often near 1 or -1 by that alone: read `p` there.
    Correlation over the layers of one model says nothing of another model.
    """

    provenance: Provenance
    """Of all questions; the first `num_scored` gave the scores, the others the costs. No image is in both."""
    num_scored: int
    epsilon: float
    """ε of the tail probability, in 1 - cos."""
    rows: tuple[AgreementRow, ...]
    costs: tuple[SkipCost, ...]
    unit: str = "Spearman's rho, -1 to 1; costs: share of answers, nats"
    redundant_when: str = "score low, cost low: rho near 1 says that they go together"
    source: str = "ours; scores: arXiv:2509.25584, arXiv:2411.16724 (VAR), arXiv:2504.00502 (LC), arXiv:2403.03853 (BI)"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per family, outcome and score, with the fields of `AgreementRow` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(AgreementRow.__dataclass_fields__))

    @property
    def cost_frame(self) -> pd.DataFrame:
        """One row per skip set: family, skipset, accuracy and log_likelihood lost, and every score."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "family": cost.family,
                    "skipset": str(cost.skipset),
                    "accuracy": cost.accuracy,
                    "log_likelihood": cost.log_likelihood,
                    **dict(zip(SCORES, cost.scores, strict=True)),
                }
                for cost in self.costs
            ]
        )

    def row(self, family: str, score: str, outcome: str = "accuracy") -> AgreementRow:
        """One row.

        Raises:
            KeyError: If it is not there.
        """
        rows = {(row.family, row.score, row.outcome): row for row in self.rows}
        return rows[family, score, outcome]

    def __repr__(self) -> str:
        made = self.provenance
        return f"Agreement({made.model}, {made.task}, {len(made.samples)} questions, {len(self.costs)} skip sets)"
