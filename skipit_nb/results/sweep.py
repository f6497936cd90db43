"""`Sweep`: many skip sets on the same questions."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.failed import FailedQuestion
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One skip set of a sweep."""

    skipset: SkipSet
    accuracy: float = 0.0
    """Share of right answers, 0 to 1."""
    delta: float = 0.0
    """Accuracy minus that of the full model on the same questions, scored the same way."""
    low: float = 0.0
    """Lower end of the 95 % interval of `delta`, clustered by image, not corrected for the number of sets."""
    high: float = 0.0
    worse: int = 0
    """Questions the full model answers right and this set does not."""
    better: int = 0
    flops_ratio: float = 1.0
    """Predicted prefill FLOPs of the full decoder / those of this set, for a usual prompt (`usual_cost` in
    `skipit_nb.cost`); above 1 is cheaper. Arithmetic, not time."""
    log_likelihood: float | None = None
    """Mean over questions of log p(right answer), in nats; higher is better; None where it cannot be had."""
    kl: float | None = None
    """Mean KL(full ‖ set) of the next token after the prompt, in nats; 0 is the full model."""
    agreement: float | None = None
    """Share of questions whose likeliest next token is the full model's."""
    scored: str = "prefill"
    """"prefill": right if each token of the right answer, and its end, is the likeliest after those before it, which
    is when greedy decoding writes just that; "generated": by decoding, as `compare` does."""
    low_all: float | None = None
    """Lower end of the simultaneous interval of `delta`: at 95 % those of *all* sets of the sweep hold at once (max-T).
    None in results of earlier versions."""
    high_all: float | None = None
    p_adjusted: float | None = None
    """Two-sided p of no difference, corrected for the number of sets (max-T)."""


@dataclass(frozen=True, slots=True, repr=False)
class Sweep(Stored):
    """Accuracy of many skip sets against the full model. It ranks; `compare` judges."""

    provenance: Provenance
    baseline: float
    """Accuracy of the full model, 0 to 1."""
    rows: tuple[SweepRow, ...]
    """In the order the skip sets were given."""
    layers_executed: int = 0
    """Layers run, summed over batches; what sets share is run once."""
    layers_naive: int = 0
    """Layers to run had every set, and the full model, run by itself."""
    layers_bound: int = 0
    """The fewest layers there can be: distinct layer runs that compute something."""
    noise_floor: float | None = None
    """Mean KL(full ‖ full computed in another batch), in half precision: a smaller `kl` means nothing."""
    errors: tuple[FailedQuestion, ...] = ()
    """Questions that could not be asked, or not be answered under every set; they count in no number."""
    num_unasked: int = 0
    """Questions that were left when somebody interrupted the sweep."""
    is_complete: bool = True
    """False if it was interrupted: before its last question, or before its finalists had answered, who then keep the
    scores of their prefill."""

    @property
    def num_errors(self) -> int:
        """Questions left out because of an error."""
        return len(self.errors)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per skip set, with the fields of `SweepRow` as columns."""
        import pandas as pd

        rows = [asdict(row) | {"skipset": str(row.skipset)} for row in self.rows]
        return pd.DataFrame(rows, columns=list(SweepRow.__dataclass_fields__))

    @property
    def adjusted(self) -> pd.DataFrame:
        """What stays after looking at all sets: skipset, delta, low, high, p, best first.

        `low` and `high` are the simultaneous ends. A set that was picked for its `delta` may be judged by them on these
        same questions; `compare` on other questions is the stronger proof.
        """
        columns = {"low_all": "low", "high_all": "high", "p_adjusted": "p"}
        found = self.frame[["skipset", "delta", *columns]].rename(columns=columns)
        return found.sort_values("delta", ascending=False, kind="stable").reset_index(drop=True)

    def __repr__(self) -> str:
        n = len(self.provenance.samples)
        about = f"{self.provenance.task}, {n} questions, {len(self.rows)} skip sets, baseline {self.baseline:.3f}"
        shared = f", {self.layers_executed} of {self.layers_naive} layers run" if self.layers_naive else ""
        noise = "" if self.noise_floor is None else f", A/A noise {self.noise_floor:.2g} nats"
        errors = f", {self.num_errors} more had an error and are left out" if self.errors else ""
        stopped = "" if self.is_complete else f", incomplete: interrupted with {self.num_unasked} questions unasked"
        return f"Sweep({about}{shared}{noise}{errors}{stopped})"
