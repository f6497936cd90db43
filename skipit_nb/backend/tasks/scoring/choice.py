"""Multiple choice: a letter or an option's own words, or nothing was said. Never a guess, and no judge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_uppercase

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.exact import normalized
from skipit_nb.backend.tasks.scoring.score import Score

LETTERS_UNKNOWN = "ABCDEFGH"
"""The letters there may be where a task keeps its options inside the question."""

_MARKUP = re.compile(r"[*`_]+")
_WORD = re.compile(r"\w+")
_CALLED = {"option", "choice"}
_LETTER_FIRST = re.compile(r"\(?([A-Z])[.:)](?:\s|$)")
_LISTED = re.compile(r"(?:^|(?<=\s))\(?([A-Z])[.:)](?=\s+\S)")
# What may follow a letter that is meant as one: "the answer is A big cat" names no option, and neither does "A or B".
_ENDS = r"(?!\s*,?\s*(?:or|and)\b)(?!\s*[,/]\s*\(?[A-Z]\b)(?=\s*(?:$|[.,;:!?)\]\n]|because\b|since\b|as\b|for\b))"
_ANSWER_IS = re.compile(rf"\banswer(?:\s+is)?\s*:?\s+(?:option\s+|choice\s+)?\(?([A-Z])\b\)?{_ENDS}", re.IGNORECASE)
_NEGATION = re.compile(r"\b(?:not|no|never|neither|nor|none|except|cannot|\w+n't)\b", re.IGNORECASE)


def choice(answer_text: str, example: Example) -> Score:
    """Score 1 if the answer names the right option.

    | rule          | read as B                                                                |
    | ------------- | ------------------------------------------------------------------------ |
    | `letter`      | "B", "b.", "(B)", "**B**", "Option B", "B. dog"                          |
    | `answer is`   | "Answer: B", "The answer is B because …"                                 |
    | `option text` | "dog", "It is a dog.": one option's words, no other's, and no negation   |
    | `unparsed`    | everything else: "Option B is right, not A"; the options said over again |
    """
    said, rule = read_choice(answer_text, example.choices)
    if said is None:
        return Score.unparsed()
    return Score(value=float(said == example.answer.strip().upper()), parsed=True, rule=rule)


def read_choice(text: str, choices: Sequence[str]) -> tuple[str | None, str]:
    """Give the letter that the text names, and the rule that read it.

    Args:
        text: What the model wrote.
        choices: The options; empty where they stand inside the question, so that only letters can be read.
    """
    lines = (" ".join(line.split()) for line in _MARKUP.sub("", text).splitlines())
    plain = "\n".join(line for line in lines if line)
    letters = ascii_uppercase[: len(choices)] if choices else LETTERS_UNKNOWN
    for rule, found in (
        ("letter", _letter(plain, letters)),
        ("answer is", _after_answer_is(plain)),
        ("option text", _by_text(plain, choices)),
    ):
        if found is not None and found in letters:
            return found, rule
    return None, ""


def _letter(text: str, letters: str) -> str | None:
    """The letter that the whole text is, or that it begins with as a list does; no list of several names one."""
    *before, last = _WORD.findall(text)[:3] or [""]
    if len(last) == 1 and (not before or (len(before) == 1 and before[0].lower() in _CALLED)):
        return str(last).upper()
    first = _LETTER_FIRST.match(text)
    listed = {letter for letter in _LISTED.findall(text) if letter in letters}
    return str(first[1]) if first and listed <= {first[1]} else None


def _after_answer_is(text: str) -> str | None:
    """The letter that follows "answer is"; None if two different ones do."""
    found = {str(letter).upper() for letter in _ANSWER_IS.findall(text)}
    return found.pop() if len(found) == 1 else None


def _by_text(text: str, choices: Sequence[str]) -> str | None:
    """The letter of the one option whose words the text is, or holds."""
    words = [normalized(option) for option in choices]
    said = normalized(text)
    same = [letter for letter, option in zip(ascii_uppercase, words, strict=False) if option and option == said]
    if same or _NEGATION.search(said):
        return same[0] if len(same) == 1 else None
    held = _held(said, words)
    return held[0] if len(held) == 1 else None


def _held(said: str, options: Sequence[str]) -> list[str]:
    """The letters of the options that stand in a text as words of their own: "a big cat" holds "big cat", not "cat"."""
    held = []
    lettered = zip(ascii_uppercase, options, strict=False)
    for letter, option in sorted(lettered, key=lambda pair: len(pair[1]), reverse=True):
        if not option or (len(option) == 1 and option.isalpha()):
            continue  # a letter in a sentence is more often an article than an answer
        pattern = rf"(?<!\w){re.escape(option)}(?!\w)"
        if re.search(pattern, said):
            held.append(letter)
            # Two options with the same words must both be found, so that neither is taken.
            if options.count(option) == 1:
                said = re.sub(pattern, "\0", said)
    return held
