"""Otter grades the same notebooks: full points for the teacher's answers, none for none."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest

from notebooks.course.otter_format import otter_master
from notebooks.course.rubric import COURSE, Assignment, rubric
from tests.course.submissions import graded, read, solutions, source

pytest.importorskip("otter", reason="otter-grader comes with the extra `course`")

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
    assert "def test_hidden(band_distance, distance):\n    import numpy as np" in "\n".join(cases)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@every_assignment
def test_the_teachers_answers_earn_every_point(assignment: Assignment, tmp_path: Path) -> None:
    assert run(assignment, solutions(assignment.name), tmp_path) == {
        question.id: question.points for question in assignment.questions if not question.manual
    }


@pytest.mark.slow
@pytest.mark.timeout(1200)
@every_assignment
def test_what_was_handed_out_earns_nothing(assignment: Assignment, tmp_path: Path) -> None:
    assert set(run(assignment, {}, tmp_path).values()) == {0}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_wrong_answer_is_told_why(tmp_path: Path) -> None:
    one = rubric()[0]
    wrong = one.mistakes[0]
    found = run(one, solutions(one.name) | wrong.answers, tmp_path)
    assert sum(found.values()) == one.automatic(wrong.loses)
    assert "in one heap the longer sample has more say" in (tmp_path / "results.json").read_text()


def run(assignment: Assignment, answers: dict[str, str], folder: Path) -> dict[str, float]:
    """What `otter run` gives for each question, if these answers stand in the student's notebook."""
    notebook = read(COURSE / "otter" / assignment.name / "student" / f"{assignment.name}.ipynb")
    places = [one for one in notebook.cells if "otter_answer_cell" in one.metadata.get("tags", [])]
    names = [graded(one).grade_id for one in source(assignment.name).cells if graded(one).solution]
    for name, place in zip(names, places, strict=True):
        place.source = answers.get(name, place.source)
    nbformat.write(notebook, folder / f"{assignment.name}.ipynb")
    beside = [file for file in (COURSE / "source" / assignment.name).iterdir() if file.suffix != ".ipynb"]
    archive = folder / "submission.zip"
    with zipfile.ZipFile(archive, "w") as handed_in:
        for file in (folder / f"{assignment.name}.ipynb", *beside):
            handed_in.write(file, file.name)
    autograder = COURSE / "otter" / assignment.name / "autograder.zip"
    command = [sys.executable, "-m", "otter", "run", "-a", autograder, "-o", folder, archive]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = json.loads((folder / "results.json").read_text())["tests"]
    return {one["name"]: one["score"] for one in results if one["name"] != "Public Tests"}
