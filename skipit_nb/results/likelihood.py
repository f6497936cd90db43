"""`Likelihoods`: how likely each choice of each question is under A and under B."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

ARMS = ("a", "b")
PER = ("choice", "token", "byte")
"""What a log-likelihood may be divided by: nothing, the choice's tokens, or its bytes in UTF-8."""


def likeliest(values: Sequence[float]) -> int | None:
    """Which of several log-likelihoods is highest, the first of equal ones; None if one of them is no number."""
    return None if any(map(math.isnan, values)) else max(range(len(values)), key=values.__getitem__)


@dataclass(frozen=True, slots=True)
class RankedChoices:
    """The choices of one question."""

    key: str
    """Document key of the question."""
    choices: tuple[str, ...]
    right: int
    """Number of the right choice, from 0; choices with the same text are right too."""
    tokens: tuple[int, ...]
    """Of each choice."""
    a: tuple[float | None, ...]
    """Under A: the natural log of the probability of each choice, summed over its tokens, in nats; 0 is certain. None
    where the model gave no finite number."""
    b: tuple[float | None, ...]
    """Under B."""

    def scores(self, arm: str, per: str = "choice") -> tuple[float, ...]:
        """Log-likelihoods under "a" or "b", in nats per choice, token or byte; nan where there is none."""
        sizes = {
            "choice": [1] * len(self.choices),
            "token": self.tokens,
            "byte": [len(choice.encode()) for choice in self.choices],
        }[per]
        values: tuple[float | None, ...] = getattr(self, arm)
        return tuple(math.nan if value is None else value / size for value, size in zip(values, sizes, strict=True))

    def chosen(self, arm: str, per: str = "choice") -> str | None:
        """The likeliest choice; None where the model gave no numbers."""
        number = likeliest(self.scores(arm, per))
        return None if number is None else self.choices[number]

    def is_right(self, arm: str, per: str = "choice") -> bool:
        """Whether the likeliest choice is right."""
        return self.chosen(arm, per) == self.choices[self.right]

    def margin(self, arm: str) -> float | None:
        """By how much the right choice is likelier than the likeliest wrong one, in nats; below 0, a wrong one wins.

        None where there is no wrong choice, or a number is missing.
        """
        scores, right = self.scores(arm), self.choices[self.right]
        wrong = [score for score, choice in zip(scores, self.choices, strict=True) if choice != right]
        if not wrong or any(map(math.isnan, scores)):
            return None
        return scores[self.right] - max(wrong)


@dataclass(frozen=True, slots=True, repr=False)
class Likelihoods:
    """The choices of all questions of a comparison, in the order of its answers."""

    questions: tuple[RankedChoices, ...]

    @property
    def columns(self) -> dict[str, list[float | None]]:
        """Margins of every question, for the comparison's own frame."""
        return {f"margin_{arm}": [question.margin(arm) for question in self.questions] for arm in ARMS}

    @property
    def frame(self) -> pd.DataFrame:
        """One row per question and choice: key, choice, is_right, tokens, bytes, log_likelihood_a, log_likelihood_b."""
        import pandas as pd

        rows = [
            {
                "key": question.key,
                "choice": choice,
                "is_right": choice == question.choices[question.right],
                "tokens": tokens,
                "bytes": len(choice.encode()),
                "log_likelihood_a": a,
                "log_likelihood_b": b,
            }
            for question in self.questions
            for choice, tokens, a, b in zip(
                question.choices, question.tokens, question.scores("a"), question.scores("b"), strict=True
            )
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return f"Likelihoods({len(self.questions)} questions)"
