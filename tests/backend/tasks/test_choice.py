"""What is read as an option, what is not, and that nothing is guessed."""

import pytest

from skipit_nb.backend.tasks import Example, score

ANIMALS = ("cat", "dog", "big cat", "apple tree")


def asked(right="B", choices=ANIMALS):
    return Example("mcq/0", "which?", right, "", "image-0", lambda: None, choices=choices, scorer="choice")


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ("B", "letter"),
        ("b", "letter"),
        ("B.", "letter"),
        (" (b) ", "letter"),
        ("**B**", "letter"),
        ("**(B)**.", "letter"),
        ("Option B", "letter"),
        ("B. dog", "letter"),
        ("B) a cat that barks", "letter"),
        ("(B) dog", "letter"),
        ("B. Vitamin A.", "letter"),
        ("Answer: B", "answer is"),
        ("**Answer:** B", "answer is"),
        ("The answer is B", "answer is"),
        ("the answer is b.", "answer is"),
        ("The answer is (B), because it barks", "answer is"),
        ("The answer is B because apple trees bear no fur", "answer is"),
        ("I think the correct answer is option B.", "answer is"),
        ("dog", "option text"),
        ("Dog.", "option text"),
        ("It is a dog.", "option text"),
    ],
)
def test_an_option_is_read_and_the_rule_is_named(said, rule):
    found = score(said, asked())
    assert (found.value, found.parsed, found.rule) == (1.0, True, rule)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "   ",
        "The picture shows A Big Yard",
        "Option B is right, not A",
        "The answer is A or B",
        "The answer is A, B",
        "The answer is A. No, the answer is B.",
        "The answer is A nice one",
        "It is not a dog",
        "a dog or a cat",
        "dogs",
        "E",
        "The answer is Z.",
        "Because of the fur",
        "I. don't know",
        "B. dog\nC. big cat\nD. apple tree",
        "B: dog, A: cat",
    ],
)
def test_what_names_no_single_option_is_unparsed_and_wrong(said):
    found = score(said, asked())
    assert (found.value, found.parsed, found.rule) == (0.0, False, "unparsed")


def test_an_article_is_no_letter():
    found = score("A cat", asked("C", ("cow", "dog", "cat", "horse")))
    assert (found.value, found.rule) == (1.0, "option text")


def test_a_longer_option_hides_the_shorter_one_inside_it():
    assert score("it is a big cat", asked("C")).rule == "option text"
    assert score("it is a big cat", asked("C")).value == 1
    assert score("cat", asked("A")).value == 1


def test_two_options_with_the_same_words_are_never_taken():
    assert score("dog", asked("A", ("dog", "dog", "cat"))).parsed is False
    assert score("it is a dog", asked("A", ("dog", "dog", "cat"))).parsed is False


def test_options_that_are_letters_are_not_found_inside_words_or_sentences():
    assert score("it is a cat", asked("A", ("A", "B", "C", "D"))).parsed is False


def test_numbers_are_options_of_their_own():
    assert score("There are 2.", asked("C", ("0", "1", "2", "12"))).value == 1
    assert score("12", asked("D", ("0", "1", "2", "12"))).value == 1


def test_the_letter_decides_where_the_words_say_otherwise():
    assert score("B. cat", asked("B")).value == 1


def test_without_options_only_letters_are_read():
    assert score("C", asked("C", ())).value == 1
    assert score("dog", asked("C", ())).parsed is False


@pytest.mark.parametrize("option", ["a+b (c)", "f(x) = [x]", "$5", "\\d", "-1"])
def test_an_option_with_signs_is_plain_text(option):
    assert score(f"I say {option} here", asked("A", (option, "dog"))).value == 1
