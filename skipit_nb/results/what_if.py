"""`WhatIf`: one question under a skip set, beside the full model."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True, repr=False)
class WhatIf(Stored):
    """What the model says to one question under a skip set, and what the full model says. Printing it shows both."""

    provenance: Provenance
    question: str
    skipset: SkipSet
    """Bound; empty for the full model against itself."""
    answer: str
    """The text generated under the skip set, greedily."""
    probability: float
    """Its probability under the skip set: the product over its tokens, each given those before. 0 to 1."""
    full_answer: str
    """The text that the full model generates."""
    full_probability: float
    """Its probability under the full model, 0 to 1."""
    kl: float
    """KL(full ‖ skip set) of the next token after the prompt, in nats. 0: the skip set changes nothing there; no upper
    end. It sees the first token of the answer only."""

    @property
    def is_same(self) -> bool:
        """Whether both give the same answer, word for word."""
        return self.answer == self.full_answer

    def __str__(self) -> str:
        before = f"{self.full_answer or 'nothing'} ({self.full_probability:.0%})"
        after = f"{self.answer or 'nothing'} ({self.probability:.0%})"
        return f"{before} → {after}, KL {self.kl:.3g} nats"

    def __repr__(self) -> str:
        return f"WhatIf({str(self.skipset)!r}: {self})"
