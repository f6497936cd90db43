"""What a rule says about an answer."""

from __future__ import annotations

from dataclasses import dataclass

UNPARSED = "unparsed"
"""The rule of an output in which no answer could be read. It is wrong, and counted apart."""


@dataclass(frozen=True)
class Score:
    """How right an answer is."""

    value: float
    """From 0 for wrong to 1 for right."""
    parsed: bool
    """Whether the output held an answer at all."""
    rule: str
    """The rule by which it was scored."""

    @classmethod
    def unparsed(cls) -> Score:
        """The score of an output that holds no answer."""
        return cls(0.0, parsed=False, rule=UNPARSED)
