"""VQA's soft accuracy: an answer is as right as people agree with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.score import Score
from skipit_nb.backend.tasks.scoring.vqa_words import flat, vqa_style

ENOUGH = 3
"""So many people who gave the same answer make it fully right."""

# The official script passes a flag where the number of replacements belongs, and so drops no more full stops than that.
_official_style = partial(vqa_style, most_periods=int(re.UNICODE))


def vqa_soft(
    answer_text: str, example: Example, *, official: bool = False, style: Callable[[str], str] = vqa_style
) -> Score:
    """Score the answer by the people who gave it: the mean over every nine of ten of min(1, matches / 3).

        value = min(1, 0.3 * matches)      of ten people

    Args:
        answer_text: What the model wrote.
        example: The question with people's `answers`, which are read and not changed.
        official: Whether to do as the official script: where all ten answers are the same, nothing is normalised, so
            "Yes" is wrong where all said "yes"; elsewhere it drops no more than 32 full stops.
        style: How both sides are written before they are compared; always, unless `official`.

    Returns:
        The score. With fewer than four people one out leaves fewer than three; then all of these make it fully right,
        and a single answer is a match or none: our extension, which ten answers do not meet.

    Source:
        Antol et al. 2015, "VQA". arXiv:1505.00468; visualqa.org/evaluation.html
    """
    said, people = flat(answer_text), [flat(answer) for answer in example.answers or (example.answer,)]
    if official:
        style = _official_style if len(set(people)) > 1 else str
    written = style(said)
    matches = [style(answer) for answer in people].count(written)
    rule = "vqa soft accuracy, official" if official else "vqa soft accuracy"
    return Score(value=_soft(matches, len(people)), parsed=bool(said), rule=rule)


def _soft(matches: int, people: int) -> float:
    """The mean over everyone left out once of how right the others find it."""
    if people == 1:
        return float(matches)
    enough = min(ENOUGH, people - 1)
    given = matches * min(enough, matches - 1) + (people - matches) * min(enough, matches)
    return given / (enough * people)
