"""VQA's way of writing an answer: what the evaluation server does to a text before it compares.

The rules are those of visualqa.org/evaluation.html; where they leave a choice, the choice is that of the official
script, tested case by case.
"""

from __future__ import annotations

import re

_NUMBERS = dict(
    zip(
        ("none", "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
        ("0", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"),
        strict=True,
    )
)
_ARTICLES = {"a", "an", "the"}
_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_PERIOD = re.compile(r"\.(?!\d)")
_THOUSANDS = re.compile(r"\d,\d")

# "I'm", "I've" and "I'd've" are not among them: the official list writes them with a capital, and compares in lower
# case, so it never finds them.
_CONTRACTIONS = """
    ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've
    he's how'd how'll how's isn't it'd it'd've it'll ma'am might've mightn't mightn't've must've mustn't needn't not've
    o'clock oughtn't 'ow's'at shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's
    someone'd someone'd've someone'll someone's something'd something'd've something'll that's there'd there'd've
    there're there's they'd they'd've they'll they're they've 'twas wasn't we'd've we've weren't what'll what're what's
    what've when's where'd where's where've who'd who'd've who'll who's who've why'll why're why's won't would've
    wouldn't wouldn't've y'all y'all'd've y'all'll you'd you'd've you'll you're you've
""".split()  # noqa: SIM905  a hundred quoted words would be harder to read


def _one_apostrophe_short(word: str) -> list[str]:
    """All spellings that lack one of the word's apostrophes."""
    return [word[:at] + word[at + 1 :] for at, letter in enumerate(word) if letter == "'"]


_MENDED = {short: word for word in _CONTRACTIONS for short in _one_apostrophe_short(word)}


def flat(text: str) -> str:
    """The text on one line, without space around it."""
    return text.replace("\n", " ").replace("\t", " ").strip()


def vqa_style(text: str, *, most_periods: int = 0) -> str:
    """Write an answer as VQA's server does: punctuation, then numbers, articles and contractions.

    Args:
        text: An answer.
        most_periods: How many full stops are dropped; 0 for all.
    """
    return _without_articles(_without_punctuation(flat(text), most_periods))


def textvqa_style(text: str) -> str:
    """Write an answer as TextVQA's evaluation does: as VQA's, without commas and question marks, and "'s" apart."""
    return vqa_style(text.lower().replace(",", "").replace("?", "").replace("'s", " 's"))


def _without_punctuation(text: str, most_periods: int) -> str:
    """Drop each mark that stands beside a space, or all of them if the text has a number such as 100,978.

    Any other mark becomes a space. Apostrophes and colons stay; full stops go, except before a digit.
    """
    has_thousands = _THOUSANDS.search(text) is not None
    written = text
    for mark in _PUNCTUATION:
        drops = has_thousands or f"{mark} " in text or f" {mark}" in text
        written = written.replace(mark, "" if drops else " ")
    return _PERIOD.sub("", written, count=most_periods)


def _without_articles(text: str) -> str:
    """In lower case, numbers as digits, without articles, contractions with their apostrophes."""
    words = (_NUMBERS.get(word, word) for word in text.lower().split())
    return " ".join(_MENDED.get(word, word) for word in words if word not in _ARTICLES)
