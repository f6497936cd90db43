"""Under Google Colab's pins the widgets, charts, results and the session hold, and a notebook runs."""

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.delivery.colab_environment import PINS, colab
from tests.delivery.environment import ROOT, Environment

LINES = [line for line in PINS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
PAGE = (ROOT / "docs" / "binder-and-colab.md").read_text("utf-8")
UNIT_TESTS = ("widgets", "charts", "test_session.py", "test_results.py")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
BESIDE = [path for path in NOTEBOOKS if "../docs" in path.read_text("utf-8").replace("](../docs", "")]
"""Notebooks that read stored results of the repository; Colab fetches a notebook alone."""

slow = [pytest.mark.slow, pytest.mark.timeout(3600)]


def test_what_colab_has_is_within_what_the_package_asks_for() -> None:
    """Otherwise the first cell would replace it, and a widget library that is replaced there shows nothing."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["lab"]])
    has = {Requirement(line).name: line.split("==")[1] for line in LINES}
    assert [str(one) for one in asked if one.name in has and has[one.name] not in one.specifier] == []


def test_the_first_cell_installs_and_does_nothing_else() -> None:
    (cell,) = re.findall(r"```text\n(%pip.*?)```", PAGE, re.DOTALL)
    (line,) = cell.strip().splitlines()
    assert re.fullmatch(r'%pip install --quiet "skipit-nb\[tasks\] @ git\+https://github.com/OWNER/REPOSITORY"', line)


def test_the_page_says_which_notebooks_need_the_repository_beside_them() -> None:
    (sentence,) = re.findall(r"Notebooks? ([\d, and]+) reads? stored results", PAGE)
    assert re.findall(r"\d+", sentence) == [path.name.partition("-")[0] for path in BESIDE]


@pytest.fixture(scope="module")
def environment() -> Environment:
    return colab()


class TestInAnEnvironmentOfItsOwn:
    pytestmark = slow

    def test_it_has_colabs_versions(self, environment: Environment, tmp_path: Path) -> None:
        listed = environment.run(environment.command("python"), "-m", "pip", "freeze", cwd=tmp_path)
        assert set(LINES) - set(listed.splitlines()) == set()

    def test_the_first_cell_replaces_nothing(self, environment: Environment) -> None:
        """Without the pins, pip finds everything there."""
        pip = (environment.command("python"), "-m", "pip", "install", "--quiet", "--no-build-isolation", "--dry-run")
        report = environment.run(*pip, "--no-index", "--report", "-", f"{ROOT}[tasks]", cwd=ROOT)
        assert [one["metadata"]["name"] for one in json.loads(report)["install"]] == ["skipit-nb"]

    def test_the_unit_tests_hold(self, environment: Environment) -> None:
        quiet = (environment.command("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider")
        old = ("-W", "ignore:Deprecated in traitlets 4.1:DeprecationWarning")  # ipywidgets 7 says it of itself
        environment.run(*quiet, *old, *(ROOT / "tests" / name for name in UNIT_TESTS), cwd=ROOT)

    def test_the_first_notebook_runs_alone(self, environment: Environment, tmp_path: Path) -> None:
        copy = shutil.copy(NOTEBOOKS[0], tmp_path)
        runner = ROOT / "tests" / "delivery" / "run_notebook.py"
        environment.run(environment.command("python"), runner, copy, cwd=tmp_path)
