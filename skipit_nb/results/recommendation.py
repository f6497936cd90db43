"""`Recommendation`: a skip set, and the reason for each layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class LayerReason:
    """Why one layer may be skipped for the vision tokens, or not: the paper's two conditions, measured."""

    layer: int
    """Decoder layer, from 0."""
    distance: float
    """Mean distance of the vision tokens, in 1 - cos. Low = redundant."""
    tail: float
    """P[d > ε] of the vision tokens. Low = redundant."""
    var: float | None
    """Attention mass of the last prompt token on vision tokens, 0 to 1; None if it was not measured."""
    is_redundant: bool
    """First condition: distance or tail is at most its threshold."""
    is_flow_low: bool
    """Second condition: VAR is at most its threshold."""
    action: str
    """"absent" where the recommended set removes the vision tokens, else "run"."""
    why: str
    """One sentence, with what was measured and its threshold."""
    max_var: float | None = None
    """Threshold on VAR at this layer; None where flow was not measured, and in results of earlier versions."""


@dataclass(frozen=True, slots=True, repr=False)
class Recommendation(Stored):
    """A skip set that meets the paper's conditions on this profile, with a reason for every layer."""

    provenance: Provenance
    skipset: SkipSet
    """Late entry and/or early exit of the vision tokens; empty if no layer qualifies."""
    reasons: tuple[LayerReason, ...]
    """One per layer."""
    max_distance: float
    """Threshold on the mean distance, in 1 - cos."""
    epsilon: float
    """ε of the tail probability, in 1 - cos."""
    max_tail: float
    """Threshold on P[d > ε]; below 0 where even 0 could be chance, as with few images."""
    max_var: float | None
    """Threshold on VAR set by hand for all layers; None if every layer has its own, as its reason tells."""
    level: float | None = None
    """Quantile of the nulls behind the thresholds that were not set by hand; None in results of earlier versions."""
    flops_ratio: float | None = None
    """Predicted prefill FLOPs of the full decoder / those under this set, for a usual prompt (`usual_cost` in
    `skipit_nb.cost`); above 1 is cheaper. Arithmetic, not time. None where no model was at hand."""
    unit: str = "distance: 1 - cos, 0 to 2; tail, VAR: share"
    redundant_when: str = "low"
    source: str = "arXiv:2509.25584 (the two conditions); thresholds: ours"

    @property
    def max_vars(self) -> tuple[float | None, ...]:
        """The threshold on VAR of every layer; None where flow was not measured."""
        return tuple(self.max_var if reason.max_var is None else reason.max_var for reason in self.reasons)

    @property
    def why(self) -> str:
        """What keeps late entry and early exit from being longer: the layer in the way of each, and its reason.

        A distance that is below the typical layer's "but not clearly" may pass with more images.
        """
        run = [reason for reason in self.reasons if reason.action == "run"]
        first, last = run[0], run[-1]
        entry = "No late entry" if first.layer == 0 else f"Late entry at layer {first.layer}, not later"
        leave = (
            "no early exit" if last is self.reasons[-1] else f"early exit before layer {last.layer + 1}, not earlier"
        )
        if first is last:
            return f"{entry}, and {leave}: layer {first.layer} is {first.why}."
        return f"{entry}: layer {first.layer} is {first.why}. {leave.capitalize()}: layer {last.layer} is {last.why}."

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer, the fields of `LayerReason` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(reason) for reason in self.reasons])

    def __repr__(self) -> str:
        known = self.flops_ratio is not None
        saves = f", prefill FLOPs / {self.flops_ratio:.2f} (predicted for a usual prompt)" if known else ""
        none = "; .why names the layers in the way" if self.skipset.is_empty else ""
        return f"Recommendation({str(self.skipset)!r}, {len(self.reasons)} layers{saves}{none})"
