"""Otter grades the same notebooks as nbgrader, with the same points."""

import zipfile

import nbformat
import pytest

from notebooks.course.grade_with_otter import Graded, grade
from notebooks.course.otter_format import otter_master
from notebooks.course.rubric import COURSE, Assignment, rubric
from tests.course.submissions import click, otter_answered, otter_student, solutions, source

pytest.importorskip("otter", reason="otter-grader comes with the extra `course`")

TOLD = {
    "1-geometry": "in one heap the longer sample has more say",
    "2-skip-set": "An interval that holds 0 does not show that nothing is lost",
    "3-reproduction": "Correlate ranks, not values",
}
"""What the first typical mistake of each notebook is told."""

every_assignment = pytest.mark.parametrize("assignment", rubric(), ids=lambda one: one.name)


@every_assignment
def test_the_autograder_holds_a_visible_and_a_hidden_case_for_each_question(assignment: Assignment) -> None:
    with zipfile.ZipFile(COURSE / "otter" / assignment.name / "autograder.zip") as archive:
        for question in (one for one in assignment.questions if not one.manual):
            tests = archive.read(f"tests/{question.id}.py").decode()
            assert f"points = {question.points}\nall_or_nothing = True" in tests
            assert tests.count("hidden=False") == tests.count("hidden=True") == 1


def test_a_check_becomes_a_function_of_the_names_it_reads() -> None:
    master = otter_master(source("1-geometry"), "1-geometry", [])
    cases = [one.source for one in master.cells if "def test_" in one.source]
    assert [case.splitlines()[0] for case in cases[:2]] == [
        "def test_visible(RedundancyProfile, data, profile):",
        "# HIDDEN",
    ]
    assert "def test_hidden(band_distance, distance):\n    import numbers\n    import numpy as np" in "\n".join(cases)


@every_assignment
def test_a_student_exports_the_files_that_the_notebook_reads(assignment: Assignment) -> None:
    beside = [file.name for file in (COURSE / "source" / assignment.name).iterdir() if file.suffix != ".ipynb"]
    (export,) = [one.source for one in otter_student(assignment.name).cells if "grader.export(" in one.source]
    assert (f"files={beside}" if beside else "run_tests=True)") in export


# -- everything that the rubric foresees, handed in -------------------------------------------------------------------


@pytest.fixture(scope="module", params=rubric(), ids=lambda one: one.name)
def asked(request: pytest.FixtureRequest) -> Assignment:
    return request.param


@pytest.fixture(scope="module")
def came(asked: Assignment, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Graded]:
    name, folder = asked.name, tmp_path_factory.mktemp(asked.name)
    right = solutions(name)
    handed_in = {"teacher": otter_answered(name, right), "empty": otter_student(name)}
    handed_in |= {"clicked": click(otter_student(name))}
    handed_in |= {f"mistake-{i}": otter_answered(name, right | one.answers) for i, one in enumerate(asked.mistakes)}
    found = {}
    for student, notebook in handed_in.items():
        nbformat.write(notebook, folder / f"{student}.ipynb")
        found[student] = grade(COURSE / "otter" / name / "autograder.zip", folder / f"{student}.ipynb")
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_teachers_answers_earn_every_point(asked: Assignment, came: dict[str, Graded]) -> None:
    assert came["teacher"].points == {one.id: one.points for one in asked.questions if not one.manual}
    assert came["teacher"].errors == ()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("student", ["empty", "clicked"])
def test_without_an_answer_there_is_no_point(student: str, asked: Assignment, came: dict[str, Graded]) -> None:
    assert came[student].points == {one.id: 0 for one in asked.questions if not one.manual}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(3))
def test_a_typical_mistake_earns_what_the_rubric_says(number: int, asked: Assignment, came: dict[str, Graded]) -> None:
    mistake, found = asked.mistakes[number], came[f"mistake-{number}"]
    assert {one.id for one in asked.questions if found.points.get(one.id) == 0} == set(mistake.loses)
    assert found.total == asked.automatic(mistake.loses)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_mistake_is_told_why_it_is_one(asked: Assignment, came: dict[str, Graded]) -> None:
    assert TOLD[asked.name] in came["mistake-0"].said
    assert TOLD[asked.name] not in came["teacher"].said
