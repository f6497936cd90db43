"""The course as it lies in the repository: complete, consistent, and made from its source."""

import ast
import json
import os
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from notebooks.course import make_release
from notebooks.course.make_release import STORED, check_points, fingerprints, run
from notebooks.course.rubric import COURSE, Assignment, page, rubric
from tests.course.submissions import cell, clicked, graded, read, release, source

ASSIGNMENTS = rubric()

every_assignment = pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda one: one.name)


def test_what_is_handed_out_was_made_from_the_source_as_it_is() -> None:
    made = json.loads((COURSE / "made.json").read_text())
    assert made == fingerprints(), "run `python -m notebooks.course.make_release`"


def test_the_rubric_for_people_says_what_the_rubric_for_programs_says() -> None:
    assert (COURSE / "rubric.md").read_text() == page(ASSIGNMENTS)


def test_the_stored_measurement_is_the_one_of_the_docs() -> None:
    assert (COURSE / "source" / "3-reproduction" / STORED.name).read_bytes() == STORED.read_bytes()


@every_assignment
def test_points_are_those_of_the_rubric(assignment: Assignment) -> None:
    check_points(assignment)
    assert assignment.points == 20


def test_points_that_differ_from_the_rubric_are_refused() -> None:
    one = ASSIGNMENTS[0]
    with pytest.raises(ValueError, match=r"1-geometry and its rubric differ: .*Change one of them"):
        check_points(Assignment(one.name, one.title, one.minutes, one.questions[1:], ()))


@every_assignment
def test_it_has_three_typical_mistakes_in_questions_that_exist(assignment: Assignment) -> None:
    questions = {question.id for question in assignment.questions if not question.manual}
    assert len(assignment.mistakes) == 3
    for mistake in assignment.mistakes:
        assert set(mistake.loses) == set(mistake.answers) <= questions


@every_assignment
def test_it_is_short_and_was_not_run(assignment: Assignment) -> None:
    notebook = source(assignment.name)
    assert len(notebook.cells) < 25
    assert [one for one in notebook.cells if one.get("outputs") or one.get("execution_count")] == []


@every_assignment
def test_each_answer_is_followed_by_its_check(assignment: Assignment) -> None:
    cells = source(assignment.name).cells
    for answer, check in pairwise(cells):
        if graded(answer).solution and not graded(answer).grade:
            assert graded(check).grade_id == f"{graded(answer).grade_id}-test"
            assert "# BEGIN HIDDEN TESTS" in check.source


@every_assignment
def test_nobody_but_the_student_defines_anything(assignment: Assignment) -> None:
    given = [one for one in source(assignment.name).cells if one.cell_type == "code" and not graded(one).solution]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = [node.name for one in given for node in ast.walk(ast.parse(one.source)) if isinstance(node, kinds)]
    assert found == [], "a notebook that needs a helper shows a hole in the package"


@every_assignment
def test_every_check_says_something_when_it_fails(assignment: Assignment) -> None:
    checks = [one for one in source(assignment.name).cells if graded(one).grade and one.cell_type == "code"]
    bare = [ast.unparse(node) for one in checks for node in ast.walk(ast.parse(one.source))
            if isinstance(node, ast.Assert) and node.msg is None]  # fmt: skip
    assert bare == []


@every_assignment
@pytest.mark.parametrize("folder", ["release/{0}", "otter/{0}/student"])
def test_students_get_no_solution_and_no_hidden_check(assignment: Assignment, folder: str) -> None:
    notebook = read(COURSE / folder.format(assignment.name) / f"{assignment.name}.ipynb")
    text = json.dumps(notebook)
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text
    for one in source(assignment.name).cells:
        if graded(one).solution:
            secret = re.search(r"BEGIN SOLUTION.*?\n\s*(\S[^\n]*)", one.source)
            assert secret
            assert json.dumps(secret[1])[1:-1] not in text


@every_assignment
def test_what_lies_beside_a_notebook_is_handed_out_with_it(assignment: Assignment) -> None:
    beside = {file.name for file in (COURSE / "source" / assignment.name).iterdir() if file.is_file()}
    for folder in (COURSE / "release" / assignment.name, COURSE / "otter" / assignment.name / "student"):
        assert {file.name for file in folder.iterdir() if file.is_file()} == beside


def test_somebody_who_only_clicks_leaves_the_answer_cells_alone() -> None:
    changed = [one.name for one in ASSIGNMENTS if clicked(one.name) != release(one.name)]
    assert changed == ["1-geometry", "2-skip-set"], "the third notebook has no widget"
    for name in changed:
        for question in (one for one in release(name).cells if graded(one).solution):
            assert cell(clicked(name), graded(question).grade_id) == question


def test_a_change_of_the_source_is_noticed(tmp_path, monkeypatch) -> None:
    copy = shutil.copytree(COURSE, tmp_path / "course")
    monkeypatch.setattr("notebooks.course.make_release.COURSE", copy)
    before = fingerprints()
    notebook = copy / "source" / "1-geometry" / "1-geometry.ipynb"
    notebook.write_text(notebook.read_text().replace("20 points", "21 points"))
    assert fingerprints() != before


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The course in a folder of its own, with makers that take no time."""
    folder = shutil.copytree(COURSE, tmp_path / "course")
    monkeypatch.setattr(make_release, "COURSE", folder)
    monkeypatch.setattr(make_release, "make_assignment", quickly)
    return folder


def quickly(name: str, to: Path) -> None:
    for kind in make_release.FOLDERS:
        (to / kind / name).mkdir(parents=True)
        (to / kind / name / "new.txt").write_text(name)


def test_what_was_made_takes_the_place_of_what_was_there(copy: Path) -> None:
    make_release.main()
    for kind in make_release.FOLDERS:
        found = [file for file in (copy / kind).rglob("*") if file.is_file()]
        assert sorted(str(file.relative_to(copy / kind)) for file in found) == [
            f"{a.name}/new.txt" for a in ASSIGNMENTS
        ]
    assert json.loads((copy / "made.json").read_text()) == fingerprints()
    assert list(copy.glob(".making-*")) == []


@pytest.mark.parametrize("last", [True, False], ids=["the last notebook fails", "the second move fails"])
def test_where_making_fails_what_was_there_stays(last: bool, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(name: str, to: Path) -> None:
        if last and name == ASSIGNMENTS[-1].name:
            raise RuntimeError("otter is not there")
        quickly(name, to)
        shutil.rmtree(to / "otter")

    before = fingerprints()
    monkeypatch.setattr(make_release, "make_assignment", failing)
    with pytest.raises((RuntimeError, FileNotFoundError)):
        make_release.main()
    assert fingerprints() == before
    assert list(copy.glob(".making-*")) == []


def test_nbgrader_finds_its_commands_in_an_environment_that_nobody_activated(tmp_path, monkeypatch) -> None:
    pytest.importorskip("nbgrader", reason="nbgrader comes with the extra `course`, and alembic with it")
    monkeypatch.setenv("PATH", os.defpath)
    (tmp_path / "seek.py").write_text("import shutil\n\nassert shutil.which('alembic'), 'not on the path'")
    run("seek", at=tmp_path)
