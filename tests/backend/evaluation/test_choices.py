"""Which choices a question has, which is right, and which is taken: known answers and refusals."""

import math

import pytest

from skipit_nb.backend.evaluation.choices import Choices, by_likelihood, is_lettered
from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.errors import SettingError, TaskDataError
from skipit_nb.results.likelihood import RankedChoices, likeliest

ROW = {"image": None, "question": "Which animal?", "answer": "B", "choices": ["cat", "dog"]}
BARE = {"doc_to_visual": None, "doc_to_text": "{{question}}"}


def made(row, **reading):
    task = Task.from_dicts([row], doc_to_visual=None, **reading)
    return Choices.of(by_likelihood(task, task.examples)[0])


def plain(answer="yes", **more):
    return Example("t/x/0", "is it red?", answer, "", "", lambda: None, **more)


def chosen(choices, *values):
    return choices(choices.written(values))


def test_where_options_stand_behind_letters_the_letters_are_ranked():
    found = made(ROW)
    assert (found.texts, found.right) == (("A", "B"), 1)


@pytest.mark.parametrize("question", ["Which?\nA: cat, B: dog", "Which?\nA) cat\nB) dog", "Which? A. cat B. dog"])
def test_letters_are_seen_however_they_are_set_off(question):
    assert is_lettered(Example("k", question, "A", "", "", lambda: None, choices=("cat", "dog")))


def test_where_they_do_not_the_options_themselves_are_ranked():
    task = Task.from_dicts([ROW], **BARE)
    found = Choices.of(by_likelihood(task, task.examples)[0])
    assert (found.texts, found.right) == (("cat", "dog"), 1)


def test_doc_to_choice_names_them_for_every_question():
    row = {"question": "Is it blue?", "answer": "no"}
    task = Task.from_dicts([row], doc_to_choice=["yes", "no"], **BARE)
    found = Choices.of(by_likelihood(task, task.examples)[0])
    assert (found.texts, found.right) == (("yes", "no"), 1)


@pytest.mark.parametrize(("name", "count"), [("easy-vqa", 13), ("digits-vqa", 12)])
def test_the_tasks_in_the_box_rank_all_their_answers(name, count):
    task = load_task(name, "test")
    assert len(task.choices) == count
    assert {example.answer for example in task.examples} <= set(task.choices)
    assert len(by_likelihood(task, task.examples)) == len(task)


def test_yes_and_no_are_the_choices_of_a_question_scored_so():
    example = plain("no", scorer="yes_no")
    task = Task("t", "x", "1", (example,))
    found = Choices.of(by_likelihood(task, [example])[0])
    assert (found.texts, found.right) == (("Yes", "No"), 1)


def test_the_likeliest_is_taken_and_of_equals_the_first():
    choices = Choices("k", ("cat", "dog", "cow"), 1)
    assert chosen(choices, -3.0, -1.0, -2.0).value == 1
    assert chosen(choices, -1.0, -3.0, -2.0).value == 0
    assert chosen(choices, -1.0, -1.0, -2.0).value == 0, "a tie goes to the first, not to the right one"
    assert chosen(Choices("k", ("dog", "cat"), 0), -1.0, -1.0).value == 1


def test_choices_with_the_same_text_are_one():
    choices = Choices("k", ("dog", "cat", "dog"), 2)
    assert chosen(choices, -1.0, -2.0, -1.0).value == 1
    row = RankedChoices("k", choices.texts, 2, (1, 1, 1), (-1.0, -2.0, -1.0), (-3.0, -2.0, -3.0))
    assert (row.margin("a"), row.margin("b")) == (1.0, -1.0)


def test_one_choice_is_right_and_has_no_margin():
    assert chosen(Choices("k", ("dog",), 0), -9.0).value == 1
    assert RankedChoices("k", ("dog",), 0, (1,), (-9.0,), (-8.0,)).margin("a") is None


def test_no_number_is_no_answer():
    score = chosen(Choices("k", ("cat", "dog"), 0), math.nan, -1.0)
    assert (score.value, score.parsed) == (0, False)
    assert likeliest([-math.inf, -5.0]) == 1
    row = RankedChoices("k", ("cat", "dog"), 0, (1, 1), (None, -1.0), (-1.0, -2.0))
    assert (row.chosen("a"), row.margin("a"), row.chosen("b")) == (None, None, "cat")


def test_per_token_and_per_byte_are_what_they_say():
    row = RankedChoices("k", ("ox", "élan"), 1, (1, 3), (-2.0, -3.0), (-1.0, -9.0))
    assert row.scores("a", "token") == (-2.0, -1.0)
    assert row.scores("a", "byte") == pytest.approx((-1.0, -0.6)), "é has two bytes"
    assert [row.chosen("a", per) for per in ("choice", "token", "byte")] == ["ox", "élan", "élan"]
    assert row.margin("a") == -1.0
    assert row.is_right("a", "byte")
    assert not row.is_right("a")


def test_what_a_ledger_holds_of_other_choices_is_refused():
    text = Choices("k", ("cat", "dog"), 0).written([-1.0, -2.0])
    assert Choices("k", ("cat", "dog"), 1).read(text) == (-1.0, -2.0)
    with pytest.raises(TaskDataError, match="begin a new ledger"):
        Choices("k", ("cat", "cow"), 0).read(text)


@pytest.mark.parametrize(
    ("example", "error", "message"),
    [
        (plain(), SettingError, "questions have choices"),
        (plain("A", choices=("cat", " ")), TaskDataError, "one of its choices is empty"),
        (plain("horse", choices=("cat", "dog")), TaskDataError, "its answer is 'horse'"),
    ],
)
def test_questions_that_cannot_be_ranked_are_refused(example, error, message):
    with pytest.raises(error, match=message):
        by_likelihood(Task("t", "x", "1", (example,)), [example])


def test_another_output_type_is_refused():
    with pytest.raises(SettingError, match="generate_until, multiple_choice"):
        Task("t", "x", "1", (plain(),)).answered_by("loglikelihood")
