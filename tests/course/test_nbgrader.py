"""nbgrader grades the course from end to end: points as the rubric says, whatever is handed in."""

from pathlib import Path

import pytest

from notebooks.course.rubric import Assignment, rubric
from tests.course.nbgrader_course import Course, Graded
from tests.course.submissions import answered, cell, clicked, full, release, solutions

pytest.importorskip("nbgrader", reason="nbgrader comes with the extra `course`")

ASSIGNMENTS = rubric()
GEOMETRY = ASSIGNMENTS[0]

Came = dict[str, Graded]


@pytest.mark.model
@pytest.mark.timeout(900)
def test_the_first_notebook_is_released_graded_and_given_back(tmp_path: Path) -> None:
    course = Course.open(tmp_path, GEOMETRY.name)
    wrong = GEOMETRY.mistakes[0]
    came, _ = course.grade({"ann": full(GEOMETRY.name, **wrong.answers), "bob": clicked(GEOMETRY.name)})
    assert came["ann"].total == GEOMETRY.automatic(wrong.loses)
    assert came["bob"].total == 0, "what was only clicked is not graded"
    assert "in one heap the longer sample has more say" in came["ann"].feedback


@pytest.fixture(scope="module", params=ASSIGNMENTS, ids=lambda one: one.name)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return request.param


@pytest.fixture(scope="module")
def came(assignment: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Came:
    """Everything that the rubric foresees, handed in at once."""
    name = assignment.name
    handed_in = {"teacher": full(name), "empty": release(name), "clicked": clicked(name)}
    handed_in |= {f"mistake-{i}": full(name, **one.answers) for i, one in enumerate(assignment.mistakes)}
    found, _ = Course.open(tmp_path_factory.mktemp(name), name).grade(handed_in)
    return found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_teachers_answers_earn_every_point(assignment: Assignment, came: Came) -> None:
    assert came["teacher"].total == assignment.automatic()
    assert came["teacher"].waiting == tuple(question.id for question in assignment.questions if question.manual)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("student", ["empty", "clicked"])
def test_without_an_answer_there_is_no_point(student: str, came: Came) -> None:
    assert set(came[student].points.values()) == {0}
    assert came[student].waiting == ()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(3))
def test_a_typical_mistake_earns_what_the_rubric_says(number: int, assignment: Assignment, came: Came) -> None:
    mistake, found = assignment.mistakes[number], came[f"mistake-{number}"]
    lost = [q.id for q in assignment.questions if not q.manual and found.earned(q.id) != q.points]
    assert lost == [q.id for q in assignment.questions if q.id in mistake.loses]
    assert found.total == assignment.automatic(mistake.loses)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_nbgrader_validates_the_source_and_not_the_release(assignment: Assignment, tmp_path: Path) -> None:
    course = Course.open(tmp_path, assignment.name)
    notebook = f"{assignment.name}/{assignment.name}.ipynb"
    assert "Success! Your notebook passes all the tests." in course.run("validate", f"source/{notebook}")
    assert "VALIDATION FAILED" in course.run("validate", f"release/{notebook}", may_fail=True)


# -- what should not be handed in -------------------------------------------------------------------------------------


ANSWERED = ("distance", "tail", "detour")
"""What everybody in trouble has answered; the other questions would only take time."""


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> tuple[Came, str]:
    """Seven students in trouble, and two who are not."""
    name = GEOMETRY.name
    answers = {question: solutions(name)[question] for question in ANSWERED}
    without_check, without_both, other_kernel = (answered(name, answers) for _ in range(3))
    without_check.cells.remove(cell(without_check, "tail-test"))
    for gone in ("tail", "tail-test"):
        without_both.cells.remove(cell(without_both, gone))
    other_kernel.metadata.kernelspec = {"name": "ir", "display_name": "R", "language": "R"}
    endless = "def tail(samples, epsilon):\n    while True:\n        pass"
    wrong_types = {"tail": "tail = 0.5", "distance": "def distance(before, after):\n    return '1'"}
    handed_in = {
        "a-fine": answered(name, answers),
        "deleted-both": without_both,
        "deleted-check": without_check,
        "dies": answered(name, answers | {"tail": "import os\n\nos._exit(1)"}),
        "loop": answered(name, answers | {"tail": endless}),
        "other-kernel": other_kernel,
        "syntax": answered(name, answers | {"tail": "def tail(samples, epsilon:\n    return 0"}),
        "type": answered(name, answers | wrong_types),
        "z-fine": answered(name, answers),
    }
    return Course.open(tmp_path_factory.mktemp("bad"), name).grade(handed_in)


def worth(*questions: str) -> int:
    return sum(question.points for question in GEOMETRY.questions if question.id in questions)


BAD = [
    ("syntax", ["tail"], "SyntaxError"),
    ("loop", ["tail"], "CellTimeoutError"),
    ("deleted-check", [], "was missing from the submission"),
    ("deleted-both", ["tail"], "added back, without an answer"),
    ("other-kernel", [], ""),
    ("type", ["distance", "tail"], "distance gives a str; an array with one number a token is asked for."),
    ("type", ["distance", "tail"], "tail is a float; a function is asked for: `def tail(samples, epsilon):`."),
]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("student", "lost", "said"), BAD, ids=[one[0] for one in BAD])
def test_bad_input_is_named_and_costs_its_own_question(student: str, lost: list[str], said: str, bad) -> None:
    came, _ = bad
    assert came[student].total == worth(*ANSWERED) - worth(*lost)
    assert said in came[student].feedback


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_grader_goes_on_after_each_of_them(bad) -> None:
    came, _ = bad
    assert came["a-fine"].total == came["z-fine"].total == worth(*ANSWERED)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_kernel_that_dies_is_told_to_the_teacher(bad) -> None:
    came, told = bad
    assert came["dies"].total == 0
    assert "DeadKernelError" in told
    assert "There was an error processing assignment '1-geometry' for student 'dies'" in told
