"""Exact match: the answer is the expected word or words, or it is wrong."""

from __future__ import annotations

import string

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.score import Score

_PUNCTUATION = ".,;:!?"
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)


def normalized(answer: str) -> str:
    """Give the answer in lower case, without space around it and without punctuation at its end."""
    return answer.strip().lower().rstrip(_PUNCTUATION).strip()


def exact(answer_text: str, example: Example) -> Score:
    """Score 1 if the answer is the expected one, or one of several people's, 0 if not.

    Case, space around the answer and punctuation at its end do not count. An answer in a sentence ("It is red.") is
    wrong under this rule, although a person would accept it. An empty output is not parsed.
    """
    answer = normalized(answer_text)
    right = {normalized(one) for one in (example.answer, *example.answers)}
    return Score(value=float(answer in right), parsed=bool(answer), rule="exact match")


def exact_match(
    answer_text: str, example: Example, *, ignore_case: bool = False, ignore_punctuation: bool = False
) -> Score:
    """Score as the harnesses' `exact_match` does: letter by letter, unless case or punctuation is to be ignored.

    Space around the answer never counts.
    """

    def read(text: str) -> str:
        text = text.translate(_NO_PUNCTUATION) if ignore_punctuation else text
        return (text.lower() if ignore_case else text).strip()

    answer = read(answer_text)
    right = {read(one) for one in (example.answer, *example.answers)}
    return Score(value=float(answer in right), parsed=bool(answer), rule="exact_match")
