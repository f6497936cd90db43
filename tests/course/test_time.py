"""No cell of the course comes near the 30 seconds after which nbgrader stops it."""

import time

import pytest

from notebooks.course.rubric import COURSE, Assignment, rubric
from tests.course.submissions import source

MOST_CPU_SECONDS = 15
"""Of one thread. Half of nbgrader's default, so that a core of half the speed is fast enough."""


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("assignment", rubric(), ids=lambda one: one.name)
def test_every_cell_is_done_in_half_of_what_nbgrader_allows(
    assignment: Assignment, monkeypatch, record_property
) -> None:
    monkeypatch.chdir(COURSE / "source" / assignment.name)
    names: dict[str, object] = {}
    took: dict[str, float] = {}
    for one in source(assignment.name).cells:
        if one.cell_type == "code":
            start = time.process_time()
            exec(one.source, names)
            took[one.id] = time.process_time() - start
    record_property("cpu_seconds", took)
    assert {cell: round(seconds, 1) for cell, seconds in took.items() if seconds > MOST_CPU_SECONDS} == {}
