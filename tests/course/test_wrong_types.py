"""An answer of the wrong type is told what was given and what is asked for; the check itself does not stumble."""

import ast
import re

import numpy as np
import pytest

from notebooks.course.otter_format import HIDDEN
from notebooks.course.rubric import COURSE, Assignment, rubric
from skipit_nb import Session, SkipSet
from tests.course.submissions import cell, graded, solutions, source

Names = dict[str, object]

WRONG = {"None": "None", "'1'": r"str|'1'", "[]": r"list|\[\]", "object()": "object"}
"""A value, and what a sentence that names it holds."""

RIGHT = {("overlooked", "[]"), ("conditions", "[]"), ("built", "'1'"), ("rival", "'1'")}
"""Where its type is right after all: a list of no layers, and a skip set in its written form."""

READ_BY_OTHERS = {"distance", "built"}
"""Questions whose answers the visible checks of others read."""


@pytest.fixture(scope="module", params=rubric(), ids=lambda one: one.name)
def assignment(request: pytest.FixtureRequest) -> Assignment:
    return request.param


@pytest.fixture(scope="module")
def names(assignment: Assignment) -> Names:
    """What the visible checks find in a notebook, the answers to their own questions apart."""
    found: Names = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(COURSE / "source" / assignment.name)
        for one in source(assignment.name).cells:
            given = not graded(one).grade and not graded(one).solution and "session.reproduce(" not in one.source
            if one.cell_type == "code" and (given or graded(one).grade_id in READ_BY_OTHERS):
                exec(one.source, found)
    return found


@pytest.mark.model
@pytest.mark.parametrize("value", WRONG)
def test_a_value_of_the_wrong_type_is_named(assignment: Assignment, names: Names, value: str) -> None:
    for question in (one.id for one in assignment.questions if not one.manual):
        if (question, value) not in RIGHT:
            here = dict(names)
            exec(giving(solutions(assignment.name)[question], value), here)
            with pytest.raises(AssertionError, match=WRONG[value]):
                exec(visible(assignment.name, question), here)


def test_what_should_be_a_function_and_is_none_is_named(assignment: Assignment) -> None:
    answers = solutions(assignment.name)
    asked = [one.id for one in assignment.questions if "\ndef " in f"\n{answers[one.id]}"]
    assert len(asked) >= 4
    for question in asked:
        (head,) = re.findall(r"^def (\w+)\(.*\):$", answers[question], re.MULTILINE)
        with pytest.raises(AssertionError, match=rf"{head} is a float; a function is asked for: `def {head}\("):
            exec(visible(assignment.name, question), {head: 0.5})


@pytest.mark.parametrize("key", ["low", "high", "saves"])
def test_a_claim_that_is_no_number_is_named(key: str) -> None:
    claims = {"verdict": "worse", "low": -0.1, "high": 0.1, "saves": 2.0} | {key: None}
    with pytest.raises(AssertionError, match=f"{key} is a NoneType; a number is asked for"):
        exec(visible("2-skip-set", "claims"), {"claims": claims})


NUMPY = [
    ("1-geometry", "overlooked", "[r.layer for", "[np.int64(r.layer) for"),
    ("2-skip-set", "latest", "max(k for", "max(np.int64(k) for"),
    ("3-reproduction", "fooled", "0, 4", "np.int64(0), np.int32(4)"),
]


@pytest.mark.parametrize(("name", "question", "plain", "numpy"), NUMPY, ids=[one[1] for one in NUMPY])
def test_layers_may_be_whole_numbers_of_numpy(
    name: str, question: str, plain: str, numpy: str, session: Session
) -> None:
    here: Names = {"session": session, "SkipSet": SkipSet, "np": np}
    answer = solutions(name)[question]
    assert plain in answer
    exec(answer.replace(plain, numpy), here)
    exec(cell(source(name), f"{question}-test").source, here)


def visible(name: str, question: str) -> str:
    """The part of a check that students see."""
    return HIDDEN.sub("", cell(source(name), f"{question}-test").source)


def giving(answer: str, value: str) -> str:
    """An answer that leaves the names of the right one: each of them, or what each function gives, is the value."""
    body = ast.parse(answer).body
    functions = [node.name for node in body if isinstance(node, ast.FunctionDef)]
    if functions:
        return "\n".join(f"def {name}(*_):\n    return {value}" for name in functions)
    targets = [target for node in body if isinstance(node, ast.Assign) for target in node.targets]
    left = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
    return "\n".join(f"{name} = {value}" for name in left)
