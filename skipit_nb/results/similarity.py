"""`Similarity`: how much of the arrangement of states each layer leaves as it was (CKA, SVCCA)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class LayerSimilarity:
    """One layer: the similarity of the states before and after it."""

    layer: int
    """Decoder layer, from 0."""
    value: float | None
    """1: the same arrangement up to rotation and scale; about 0: nothing in common (debiased CKA can fall a little
    below). High = redundant. None where states do not vary, so that nothing can be compared."""
    chance: float | None
    """The same with the pairs shuffled: what unrelated states would score. Compare `value` with this, SVCCA above
    all: with no more states than the model is wide, unrelated ones score near 1."""


@dataclass(frozen=True, slots=True, repr=False)
class Similarity(Stored):
    """Similarity of the states before and after every layer, by an index that no rotation or scale changes.

    Against cosine distance: that compares a token with itself and sees every turn; these compare the arrangement of
    all tokens and do not see a turn that they make together.

    Source:
        Kornblith et al. 2019, arXiv:1905.00414 (linear CKA); Raghu et al. 2017, arXiv:1706.05806 (SVCCA).
    """

    provenance: Provenance
    metric: str
    """"cka", debiased, or "svcca"."""
    tokens: str
    """Kind of token."""
    view: str
    """"pooled", one mean state an image, or "token", single tokens."""
    num_states: int
    """States that were compared. SVCCA needs many more than the model is wide; look at `chance`."""
    layers: tuple[LayerSimilarity, ...]
    """One per layer."""
    unit: str = "1: same arrangement, 0: none in common"
    redundant_when: str = "high"
    source: str = "arXiv:1905.00414 (CKA), arXiv:1706.05806 (SVCCA)"

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer: layer, value, chance."""
        import pandas as pd

        return pd.DataFrame([asdict(layer) for layer in self.layers])

    def __repr__(self) -> str:
        return f"Similarity({self.metric}, {self.tokens} tokens, {self.view}, {self.num_states} states)"
