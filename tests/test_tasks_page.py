"""What the page about tasks says is what the code does."""

import re
from pathlib import Path

import pytest

from skipit_nb.backend.tasks import hub_task_names, load_task, metric_names, scorer_names, task_names
from skipit_nb.backend.tasks.hub.benchmark import LETTER, SHORT_ANSWER
from skipit_nb.backend.tasks.hub.catalogue import BENCHMARKS

PAGE = (Path(__file__).parents[1] / "docs" / "tasks.md").read_text(encoding="utf-8")
CELLS = [
    [cell.strip() for cell in line.strip("| ").split(" | ")] for line in PAGE.splitlines() if line.startswith("| `")
]
ROWS = {cells[0].strip("`"): cells for cells in CELLS if len(cells) == 8}
EXPLAINED = {cells[0].strip("`") for cells in CELLS if len(cells) < 8}


def test_every_task_has_a_row_and_every_row_a_task() -> None:
    assert list(ROWS) == [*task_names(), *hub_task_names()]


@pytest.mark.parametrize("name", hub_task_names())
def test_a_row_says_where_a_benchmark_is_and_how_it_is_scored(name: str) -> None:
    _, home, split, _, scorer, metric, *_ = ROWS[name]
    benchmark = BENCHMARKS[name]
    expected = ", ".join(filter(None, (benchmark.repo, benchmark.config)))
    assert home.split(", joined")[0] == expected
    assert (split, scorer, metric) == (benchmark.splits[0], f"`{benchmark.scorer}`", benchmark.metric)
    assert benchmark.max_new_tokens == 16


@pytest.mark.parametrize("name", task_names())
def test_a_row_says_how_many_questions_a_task_in_the_box_has(name: str) -> None:
    assert int(ROWS[name][3].replace(",", "")) == len(load_task(name))


def test_every_rule_and_every_metric_is_explained() -> None:
    assert {name for name in scorer_names() if ", " not in name} <= EXPLAINED
    assert set(metric_names()) - {"accuracy"} <= EXPLAINED


def test_the_suffixes_are_those_that_are_asked() -> None:
    assert SHORT_ANSWER.strip() in PAGE
    assert LETTER in PAGE


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL))
def test_every_block_is_python(code: str) -> None:
    compile(code, "tasks.md", "exec")
