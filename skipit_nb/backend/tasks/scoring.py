"""How an answer is scored."""

from __future__ import annotations

from dataclasses import dataclass

from skipit_nb.backend.tasks.task import Example

_PUNCTUATION = ".,;:!?"


@dataclass(frozen=True)
class Score:
    """How right an answer is."""

    value: float
    """From 0 for wrong to 1 for right."""
    parsed: bool
    """Whether the output held an answer at all."""
    rule: str
    """The rule by which it was scored."""


def normalized(answer: str) -> str:
    """Give the answer in lower case, without space around it and without punctuation at its end."""
    return answer.strip().lower().rstrip(_PUNCTUATION).strip()


def score(answer_text: str, example: Example) -> Score:
    """Score an answer: 1 if it is the expected word or words, 0 if not.

    Case, space around the answer and punctuation at its end do not count. An answer in a sentence
    ("It is red.") is wrong under this rule, although a person would accept it.

    Args:
        answer_text: What the model wrote, special tokens left out.
        example: The question that it answers.

    Returns:
        The score; an empty output is 0 and not parsed.
    """
    answer = normalized(answer_text)
    return Score(value=float(answer == normalized(example.answer)), parsed=bool(answer), rule="exact match")
