"""`Loyalty`: how far B stays with A on every question, right or wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Loyalty:
    """One entry per question of a comparison, in the order of its answers."""

    kl: tuple[float | None, ...]
    """KL(A ‖ B) of the first token of the answer, in nats; 0: B expects what A expects. None where it is not finite."""
    same_first_token: tuple[bool, ...]
    """Whether the likeliest first token of the answer is the same."""

    @property
    def columns(self) -> dict[str, list[float | None]]:
        """For the comparison's own frame."""
        return {"kl": list(self.kl), "same_first_token": list(self.same_first_token)}

    def __repr__(self) -> str:
        return f"Loyalty({len(self.kl)} questions)"
