"""`Lipschitz`: how steeply the rest of the network answers to a turn of vision or of text tokens, layer by layer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class LipschitzRow:
    """The states of one kind of token after one layer: change of the outcome per turn of the states. Low = redundant.

    The turn is ‖u - u'‖ over all tokens of that kind together, their states brought to length 1: √(2 Σ d).
    """

    layer: int
    """Decoder layer, from 0; the states are those after it."""
    tokens: str
    """"vision" or "text" (all but the first)."""
    sigma: float
    """Mean over samples of the top singular value of the Jacobian: the slope in the steepest direction, 0 or more."""
    sigma_max: float
    """The largest over samples. The Lipschitz constant is a supremum over *all* states, so this is a lower bound."""
    slope: float
    """Mean over samples of the slope along the layer's own step: |change| / turn, with the tokens turned back to where
    they were before the layer. 0 where the layer turns nothing."""
    slope_max: float
    """The largest over samples; a lower bound of the Lipschitz constant too."""
    rise: float
    """The largest relative rise of sigma in the last iteration, 0 to 1: how far from converged it may be."""


@dataclass(frozen=True, slots=True, repr=False)
class Lipschitz(Stored):
    """Lipschitz constants of the rest of the network, measured where it can be: at the states of real prompts.

        sigma = max over turns t of ‖J t‖ / ‖t‖,    J = ∂ outcome / ∂ directions of the tokens' states, lengths held

    A Lipschitz constant bounds what a turn changes; `sigma` is its value for small turns at these samples, `slope` the
    quotient along one real turn. Neither bounds what other prompts do.

    The paper's theorems have constants (α, β) of a function of two arguments; which arguments is not known to us. Our
    reading: α of the vision tokens' states, β of the text tokens'.

    Source:
        The constants are attested (reviewers of arXiv:2509.25584, who miss their measurement); all else is ours.
    """

    provenance: Provenance
    outcome: str
    """"log_probabilities": of the next token after the prompt, in nats, Euclidean over the vocabulary; "loss": 1 -
    p(first token of the right answer), 0 to 1."""
    iterations: int
    """Of the power iteration."""
    rows: tuple[LipschitzRow, ...]
    """By layer, then vision before text; a kind that no sample has is left out."""
    unit: str = "change of the outcome (nats, or probability for loss) per turn ‖u - u'‖"
    redundant_when: str = "low"
    source: str = "arXiv:2509.25584 (constants, by its reviewers); of which arguments, and how measured: ours"

    def of(self, tokens: str) -> tuple[LipschitzRow, ...]:
        """The rows of one kind of token, by layer.

        Raises:
            SettingError: If there are none.
        """
        rows = tuple(row for row in self.rows if row.tokens == tokens)
        if not rows:
            present = ", ".join(sorted({row.tokens for row in self.rows}))
            raise SettingError("tokens", tokens, f"one of those that were measured: {present}")
        return rows

    @property
    def alpha(self) -> tuple[float, ...]:
        """By layer, the largest `sigma` of the vision tokens: α in our reading, from below."""
        return tuple(row.sigma_max for row in self.of("vision"))

    @property
    def beta(self) -> tuple[float, ...]:
        """By layer, the largest `sigma` of the text tokens: β in our reading, from below."""
        return tuple(row.sigma_max for row in self.of("text"))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer and kind of token, with the fields of `LipschitzRow` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(LipschitzRow.__dataclass_fields__))

    def __repr__(self) -> str:
        made = self.provenance
        about = f"{made.model}, {made.num_layers} layers, {made.task or 'own questions'}, {len(made.samples)} questions"
        return f"Lipschitz({about}, {self.outcome}, {self.iterations} iterations)"
