"""Answers are cut at a task's `until` before they are scored, in both arms alike."""

from dataclasses import replace

import pytest

from skipit_nb import Task
from skipit_nb.backend.evaluation.deciding import deciding
from skipit_nb.backend.live.until import cut
from skipit_nb.errors import SettingError
from tests.backend.evaluation.broken_images import task_with

B = "vision absent 3-"


@pytest.mark.parametrize(
    ("text", "until", "left"),
    [
        ("red\n\nand blue", ["\n\n"], "red"),
        ("red. Or. blue", [" ", "."], "red"),
        ("\n\nred", ["\n\n"], ""),
        ("red", ["\n\n"], "red"),
        ("red", ["red"], ""),
        ("red", [], "red"),
        ("red", [""], "red"),
    ],
)
def test_a_text_is_cut_before_whatever_comes_first(text, until, left):
    assert cut(text, until) == left


def test_both_arms_are_cut_and_then_scored(session):
    task = task_with({}, 40)
    asked = {"b": B, "measure": ("accuracy",)}
    plain, found = session.compare(task, **asked), session.compare(replace(task, until=("e", "1")), **asked)
    assert any("e" in answer.a or "1" in answer.a for answer in plain.answers)
    for one, other in zip(plain.answers, found.answers, strict=True):
        assert (other.a, other.b) == (cut(one.a, ("e", "1")), cut(one.b, ("e", "1")))
        assert other.score_a == (one.score_a if one.a == other.a else 0)


def test_a_ledger_tells_answers_apart_that_end_elsewhere(session):
    task = task_with({}, 2)
    names = [deciding(session._open, session._bound(B), replace(task, until=end), 5) for end in ((), ("\n",))]
    assert names[0] != names[1]


def test_rows_of_ones_own_may_have_it():
    rows = [{"question": "q?", "answer": "a", "image": None}]
    assert Task.from_dicts(rows, until="\n").until == ("\n",)
    assert Task.from_dicts(rows, until=["\n", "", "."]).until == ("\n", ".")
    assert Task.from_dicts(rows).until == ()
    with pytest.raises(SettingError, match="until is"):
        Task.from_dicts(rows, until=[7])


@pytest.mark.parametrize(
    ("kwargs", "until"),
    [
        ("", ("\n\n",)),
        ("generation_kwargs: {max_new_tokens: 5}", ("\n\n",)),
        ("generation_kwargs: {until: ['.', ' or']}", (".", " or")),
        ("generation_kwargs: {until: '.'}", (".",)),
    ],
)
def test_a_task_file_says_it_or_means_an_empty_line(tmp_path, kwargs, until):
    (tmp_path / "rows.json").write_text('[{"question": "q", "answer": "a"}]')
    data = "dataset_path: json\ntest_split: test\ndata_files: rows.json\n"
    text = f"task: x\n{data}doc_to_text: question\ndoc_to_target: answer\n{kwargs}\n"
    (tmp_path / "task.yaml").write_text(text)
    assert Task.from_yaml(tmp_path / "task.yaml").until == until
