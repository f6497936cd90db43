"""`Answer`: what the model said to one question."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Answer(Stored):
    """What the model said, and how sure it was. Printing it shows the text."""

    text: str
    """The generated text, special tokens left out."""
    probability: float
    """Probability of the generated text: the product over its tokens, each given those before. 0 to 1."""
    skipset: SkipSet
    """The skip set that was at work (empty: the full model)."""
    num_tokens: int
    """Tokens generated, the end-of-sequence token included."""

    def __str__(self) -> str:
        return self.text
