"""`Contribution`: how much each layer's work on vision or text tokens changes the next token."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class LayerContribution:
    """One layer skipped for one kind of token: how far the next token's distribution moves. Low = redundant."""

    layer: int
    """Decoder layer, from 0."""
    tokens: str
    """"vision" or "text"."""
    action: str
    """"frozen": the tokens keep their state and are seen; "absent": they are not there at this layer."""
    kl_full_skipped: float
    """Mean over questions of KL(full ‖ skipped) of the next token after the prompt, in nats."""
    kl_skipped_full: float
    """Mean over questions of KL(skipped ‖ full) of the same, in nats."""
    spread: float
    """Standard deviation over questions of KL(full ‖ skipped); 0 with one."""
    agreement: float
    """Share of questions whose likeliest next token stays the full model's."""


@dataclass(frozen=True, slots=True, repr=False)
class Contribution(Stored):
    """What each layer contributes through each kind of token: a functional measure that needs no right answers.

        KL(full ‖ skipped) = Σ p_full (log p_full - log p_skipped),    KL(skipped ‖ full) = Σ p_skipped (…)

    Low = redundant; 0, up to rounding, for vision tokens frozen at the last layer, whose state nobody reads. It checks
    the distances, which see how far a state turns but not whether that matters. What it does not see: layers skipped
    together, tokens after the first, and whether a change is for the better.

    Source:
        Yuan et al. 2025, "ShortV", arXiv:2504.00502 (layer contribution, tokens frozen; its published code takes
        KL(skipped ‖ full)). Absent tokens, and taking the next token after the prompt, are ours.
    """

    provenance: Provenance
    rows: tuple[LayerContribution, ...]
    """By layer, tokens and action; a layer that cannot run an action has no row for it."""
    noise_floor: float | None = None
    """Mean KL(full ‖ full computed in another batch), in half precision: a smaller number means nothing."""
    unit: str = "nats"
    redundant_when: str = "low"
    source: str = "arXiv:2504.00502 (frozen; its code takes KL(skipped ‖ full)); absent: ours"

    def of(self, tokens: str = "vision", action: str = "frozen") -> tuple[LayerContribution, ...]:
        """The rows of one kind of token and one action, by layer.

        Raises:
            SettingError: If there are none.
        """
        rows = tuple(row for row in self.rows if (row.tokens, row.action) == (tokens, action))
        if not rows:
            present = ", ".join(sorted({f"{row.tokens} {row.action}" for row in self.rows}))
            raise SettingError("tokens and action", f"{tokens} {action}", f"one that was measured: {present}")
        return rows

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer, kind of token and action, with the fields of `LayerContribution` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(LayerContribution.__dataclass_fields__))

    def __repr__(self) -> str:
        made = self.provenance
        noise = "" if self.noise_floor is None else f", A/A noise {self.noise_floor:.2g} nats"
        about = f"{made.model}, {made.num_layers} layers, {made.task}, {len(made.samples)} questions"
        return f"Contribution({about}{noise})"
