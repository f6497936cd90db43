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
    """One sentence."""


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
    """Threshold on P[d > ε]."""
    max_var: float
    """Threshold on VAR."""

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer, the fields of `LayerReason` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(reason) for reason in self.reasons])

    def __repr__(self) -> str:
        return f"Recommendation({str(self.skipset)!r}, {len(self.reasons)} layers)"
