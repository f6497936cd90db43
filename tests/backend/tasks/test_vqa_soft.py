"""VQA's way of writing answers and its soft accuracy, case by case as the public rules have them."""

from itertools import combinations

import pytest

from skipit_nb.backend.tasks import Example, score
from skipit_nb.backend.tasks.scoring.vqa_words import textvqa_style, vqa_style


def asked(*answers, scorer="vqa_soft"):
    return Example("vqa/0", "what is it?", answers[0], "other", "image-0", lambda: None, answers=answers, scorer=scorer)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Yes.", "yes"),
        ("t-shirt", "t shirt"),
        ("100,978", "100978"),
        ("2:50 pm", "2:50 pm"),
        ("none", "0"),
        ("It's", "it's"),
        ("Ten", "10"),
        ("the red a car", "red car"),
        ("dont", "don't"),
        ("couldntve", "couldntve"),
        ("couldnt've", "couldn't've"),
        ("im", "im"),
        ("girl's", "girl's"),
        ("3.5", "3.5"),
        ("3.", "3"),
        ("no, thanks", "no thanks"),
        ("1,000 t-shirts", "1000 tshirts"),
        ("red/blue", "red blue"),
        ("a\nb\tc", "b c"),
        ("", ""),
        ("?!", ""),
    ],
)
def test_vqa_writes_an_answer_its_way(text, written):
    assert vqa_style(text) == written


@pytest.mark.parametrize(("text", "written"), [("It's", "it 's"), ("Stop, now?", "stop now"), ("100,978", "100978")])
def test_textvqa_splits_the_possessive_where_vqa_does_not(text, written):
    assert textvqa_style(text) == written


@pytest.mark.parametrize("style", [vqa_style, textvqa_style])
def test_writing_twice_changes_nothing_more(style):
    for text in ("Yes.", "t-shirt", "100,978", "none", "It's a dog", "the 2 dogs"):
        assert style(style(text)) == style(text)


@pytest.mark.parametrize("matches", range(11))
@pytest.mark.parametrize("scorer", ["vqa_soft", "vqa_soft_official", "textvqa"])
def test_soft_accuracy_is_three_tenths_a_match_and_at_most_one(matches, scorer):
    answers = ["red"] * matches + [f"other {number}" for number in range(10 - matches)]
    assert score("red", asked(*answers, scorer=scorer)).value == pytest.approx(min(1, 0.3 * matches))


def test_soft_accuracy_is_the_mean_over_all_nines_of_ten():
    answers = ("red", "red", "blue", "blue", "blue", "blue", "red-ish", "x", "y", "z")
    for said in ("red", "blue", "x", "green"):
        nines = list(combinations([vqa_style(answer) for answer in answers], 9))
        mean = sum(min(1, nine.count(vqa_style(said)) / 3) for nine in nines) / len(nines)
        assert score(said, asked(*answers)).value == pytest.approx(mean)


def test_the_official_script_normalises_only_where_people_differ():
    unanimous, divided = ("yes",) * 10, ("yes",) * 9 + ("no",)
    assert score("Yes", asked(*unanimous, scorer="vqa_soft_official")).value == 0
    assert score("yes", asked(*unanimous, scorer="vqa_soft_official")).value == 1
    assert score("Yes.", asked(*divided, scorer="vqa_soft_official")).value == 1
    assert score("Yes", asked(*unanimous)).value == 1


def test_the_official_script_drops_no_more_than_32_full_stops():
    divided = ("yes",) * 9 + ("no",)
    for stops, value in ((32, 1), (33, 0)):
        assert score("yes" + "." * stops, asked(*divided, scorer="vqa_soft_official")).value == value
    assert score("yes" + "." * 33, asked(*divided)).value == 1


def test_a_sentence_never_matches():
    assert score("Yes, there is a cat.", asked(*["yes"] * 10)).value == 0


def test_people_s_answers_are_normalised_too_and_not_changed():
    answers = ("Two", "2", "two.", "the two", "2", "2", "2", "2", "2", "2")
    example = asked(*answers)
    assert score("two", example).value == 1
    assert example.answers == answers


@pytest.mark.parametrize(
    ("answers", "value"),
    [(("red",), 1), (("red", "red"), 1), (("red", "blue"), 0.5), (("red", "red", "red"), 1), (("blue",), 0)],
)
def test_fewer_than_four_people_can_still_make_an_answer_right(answers, value):
    assert score("red", asked(*answers)).value == pytest.approx(value)


def test_without_people_the_one_answer_is_the_rule():
    one = Example("vqa/1", "what?", "red", "other", "image-0", lambda: None, scorer="vqa_soft")
    assert (score("Red.", one).value, score("blue", one).value) == (1, 0)


def test_an_empty_output_is_not_parsed():
    assert score(" \n", asked(*["yes"] * 10)).parsed is False
    assert score("yes", asked(*["yes"] * 10)).parsed is True
