"""Yes or no, read from the beginning of an answer and from nowhere else."""

from __future__ import annotations

import re

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.score import Score

_LEADING = re.compile(r"\W*(?:(?:the\s+)?answer(?:\s+is|\s*:)\W*)?(yes|no)\b", re.IGNORECASE)
_BOTH = re.compile(r"\s*(?:/|,?\s*(?:and|or)\b)\s*(?:yes|no)\b", re.IGNORECASE)


def yes_no(answer_text: str, example: Example) -> Score:
    """Score 1 if the answer begins with the right word of the two.

    "Yes.", "No, there is none" and "The answer is yes" are read; "not sure", "Yesterday", "yes or no" and an output
    without either word are not, and count as wrong. Nothing is guessed: an official script calls all of these yes.
    """
    said = read_yes_no(answer_text)
    if said is None:
        return Score.unparsed()
    return Score(value=float(said == read_yes_no(example.answer)), parsed=True, rule="leading yes or no")


def read_yes_no(text: str) -> str | None:
    """Give "yes" or "no" if the text begins with one of them, else None."""
    found = _LEADING.match(text)
    if found is None or _BOTH.match(text, found.end()):
        return None
    return found[1].lower()
