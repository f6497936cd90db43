"""The rules by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.choice import choice
from skipit_nb.backend.tasks.scoring.exact import exact, exact_match
from skipit_nb.backend.tasks.scoring.gqa import gqa
from skipit_nb.backend.tasks.scoring.score import Score
from skipit_nb.backend.tasks.scoring.vqa_soft import vqa_soft
from skipit_nb.backend.tasks.scoring.vqa_words import textvqa_style
from skipit_nb.backend.tasks.scoring.yes_no import yes_no
from skipit_nb.errors import SettingError

READ_AT_MOST = 100_000
"""Characters of an answer that the rules read; no right answer is nearly as long, and a runaway one may be."""

_SCORERS: Mapping[str, Callable[[str, Example], Score]] = {
    "exact": exact,
    "exact_match": exact_match,
    "exact_match, ignore_case": partial(exact_match, ignore_case=True),
    "exact_match, ignore_punctuation": partial(exact_match, ignore_punctuation=True),
    "exact_match, ignore_case, ignore_punctuation": partial(exact_match, ignore_case=True, ignore_punctuation=True),
    "vqa_soft": vqa_soft,
    "vqa_soft_official": partial(vqa_soft, official=True),
    "textvqa": partial(vqa_soft, style=textvqa_style),
    "gqa": gqa,
    "choice": choice,
    "yes_no": yes_no,
}


def scorer_names() -> tuple[str, ...]:
    """Give the names of the rules that a question may be scored by."""
    return tuple(_SCORERS)


def known_scorer(name: str) -> str:
    """The name, if it is a rule's.

    Raises:
        SettingError: If it is not.
    """
    if name not in _SCORERS:
        raise SettingError("scorer", name, f"one of {'; '.join(_SCORERS)}")
    return name


def score(answer_text: str, example: Example) -> Score:
    """Score an answer by its question's own rule.

    Args:
        answer_text: What the model wrote, special tokens left out.
        example: The question that it answers; it is not changed.

    Returns:
        The value, whether an answer could be read at all, and the rule. No text makes a rule fail.

    Raises:
        SettingError: If the question names a rule that is not there, or a user's own rule gives no score.
    """
    if example.judge is not None:
        return example.judge(answer_text)
    return _SCORERS[known_scorer(example.scorer)](answer_text[:READ_AT_MOST], example)
