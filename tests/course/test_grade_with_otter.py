"""A class graded with Otter: what is wrong with a notebook is told, its other questions are graded."""

from pathlib import Path

import nbformat
import pytest

from notebooks.course.grade_with_otter import Graded, grade
from notebooks.course.rubric import COURSE, rubric
from tests.course.submissions import otter_answered, solutions

pytest.importorskip("otter", reason="otter-grader comes with the extra `course`")

NAME = rubric()[0].name
AUTOGRADER = COURSE / "otter" / NAME / "autograder.zip"


def handed_in(folder: Path, tail: str, kernel: str = "python3") -> Graded:
    """What somebody gets who answered `detour`, and `tail` like this."""
    notebook = otter_answered(NAME, {"detour": solutions(NAME)["detour"], "tail": tail})
    notebook.metadata.kernelspec["name"] = kernel
    nbformat.write(notebook, folder / "ann.ipynb")
    return grade(AUTOGRADER, folder / "ann.ipynb", cell_seconds=25)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("def tail(samples, epsilon:\n    return 0", "`def tail(samples, epsilon:`: SyntaxError: '(' was never closed"),
        ("while True:\n    pass", "`while True:`: TimeoutError: it was stopped after 25 seconds"),
        ("def tail(samples, epsilon):\n    while True:\n        pass", "TimeoutError: it was stopped after 25 seconds"),
    ],
    ids=["syntax", "loop", "loop in a function"],
)
def test_what_is_wrong_is_told_and_costs_its_own_question(tail: str, said: str, tmp_path: Path) -> None:
    came = handed_in(tmp_path, tail)
    assert came.total == came.points["detour"] == 2
    assert said in came.said


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_another_kernel_is_graded_with_the_one_it_was_released_for(tmp_path: Path) -> None:
    assert handed_in(tmp_path, solutions(NAME)["tail"], kernel="ir").total == 6


def test_a_file_that_is_no_notebook_gets_the_reason_and_no_points(tmp_path: Path) -> None:
    (tmp_path / "bob.ipynb").write_text("hello")
    came = grade(AUTOGRADER, tmp_path / "bob.ipynb")
    assert came.total == 0
    assert came.said.startswith("not graded: NotJSONError")
