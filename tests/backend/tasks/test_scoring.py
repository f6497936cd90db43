import time
from dataclasses import replace

import pytest
from PIL import Image

from skipit_nb.backend.tasks import Example, Score, score, scorer_names
from skipit_nb.errors import SettingError

RED = Example("toy/0", "what color is it?", "red", "color", "image-0", lambda: Image.new("RGB", (1, 1)))


@pytest.mark.parametrize("answer", ["red", "Red", " red\n", "red.", "RED!", "red ."])
def test_case_space_and_final_punctuation_do_not_count(answer: str) -> None:
    assert score(answer, RED) == Score(value=1.0, parsed=True, rule="exact match")


@pytest.mark.parametrize("answer", ["blue", "redder", "it is red", "red blue"])
def test_other_words_are_wrong(answer: str) -> None:
    assert score(answer, RED) == Score(value=0.0, parsed=True, rule="exact match")


@pytest.mark.parametrize("answer", ["", "  ", ".", "\n"])
def test_an_empty_output_is_not_parsed(answer: str) -> None:
    assert score(answer, RED) == Score(value=0.0, parsed=False, rule="exact match")


def test_one_of_several_people_is_enough_for_an_exact_match():
    either = Example("toy/1", "what?", "red", "color", "image-0", lambda: None, answers=("red", "crimson"))
    assert score("Crimson.", either).value == 1


@pytest.mark.parametrize(
    ("flags", "answer", "value"),
    [
        ("", "red", 1),
        ("", "Red", 0),
        ("", "red.", 0),
        (", ignore_case", "Red", 1),
        (", ignore_case", "red.", 0),
        (", ignore_punctuation", "r.e-d!", 1),
        (", ignore_case, ignore_punctuation", " Red. ", 1),
    ],
)
def test_the_harnesses_exact_match_ignores_what_it_is_told_to(flags, answer, value):
    assert score(answer, replace(RED, scorer=f"exact_match{flags}")).value == value


@pytest.mark.parametrize(
    ("answer", "value"), [("Red.", 1), (" red ", 1), ("RED", 1), ("red!", 0), ("a red one", 0), ("red..", 1)]
)
def test_gqa_forgives_case_and_full_stops_only(answer, value):
    assert score(answer, replace(RED, scorer="gqa")).value == value


def test_an_unknown_rule_is_refused_with_the_known_ones():
    with pytest.raises(SettingError, match="scorer is 'bleu', but should be one of exact; exact_match"):
        score("red", replace(RED, scorer="bleu"))


WEIRD = {
    "nothing": "",
    "NUL": "red\x00\x00",
    "HTML": "<script>alert('red')</script><b>red</b>",
    "right to left": "\u202eأحمر\u202c",
    "a lone surrogate": "red\ud800",
    "ten megabytes": "yes. answer is A B, " * 500_000,
    "full stops": "." * 1_000_000,
    "signs": "(*[{\\" * 1000,
    "spaces": " " * 1_000_000,
    "apostrophes": "'" * 100_000,
}


@pytest.mark.parametrize("text", WEIRD.values(), ids=WEIRD.keys())
@pytest.mark.parametrize("scorer", scorer_names())
def test_no_text_makes_a_rule_fail_or_linger(scorer, text):
    example = replace(RED, scorer=scorer, answers=("red",) * 9 + ("blue",), choices=("red", "blue"))
    started = time.process_time()
    found = score(text, example)
    assert 0 <= found.value <= 1
    assert time.process_time() - started < 2


@pytest.mark.parametrize("scorer", scorer_names())
def test_scoring_changes_no_question(scorer):
    example = replace(RED, scorer=scorer, answers=("Red.", "the red"), choices=("Red.", "blue"))
    before = vars(example).copy()
    score("The answer is A.", example)
    assert vars(example) == before


@pytest.mark.parametrize("scorer", scorer_names())
def test_each_rule_finds_the_right_answer_right(scorer):
    example = {
        "choice": replace(RED, answer="A", choices=("red", "blue")),
        "yes_no": replace(RED, answer="yes"),
    }.get(scorer, RED)
    found = score(example.answer, replace(example, scorer=scorer))
    assert (found.value, found.parsed) == (1.0, True)
