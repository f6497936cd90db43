"""What `binder/` describes is what the tests ran, holds the notebooks, and stays well under what a Binder may use."""

import json
import os
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.delivery.binder_environment import REQUIREMENTS, binder
from tests.delivery.environment import ROOT, TORCH, Environment

BINDER = ROOT / "binder"
LINES = [line for line in REQUIREMENTS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
POST_BUILD = (BINDER / "postBuild").read_text("utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MOST_MB = 1500
"""A Binder is killed at 2 GB, of which JupyterLab's server needs some."""


def test_each_requirement_is_one_package_at_one_version() -> None:
    assert [line for line in LINES if not re.fullmatch(r"[A-Za-z0-9_.-]+==[\w.]+", line)] == []
    assert sorted(LINES, key=str.lower) == LINES


def test_each_pin_is_what_these_tests_run_on() -> None:
    pins = {Requirement(line).name: line.split("==")[1] for line in LINES}
    assert pins == {name: metadata.version(name) for name in pins}, (
        "binder/requirements.txt pins what the tests run on, and `make` installs what it pins: change it to what is "
        "installed here, or run `make` again"
    )


def test_everything_that_the_package_asks_for_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["lab"]]
    asked = {Requirement(line).name for line in lines} - {"skipit-nb", "torch"}
    asked |= {Requirement(line).name for line in project["optional-dependencies"]["tasks"]}
    assert {Requirement(line).name for line in LINES} == asked


def test_pinned_versions_are_within_what_the_package_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = map(Requirement, [*project["dependencies"], *project["optional-dependencies"]["lab"]])
    pins = {Requirement(line).name: line.split("==")[1] for line in [*LINES, TORCH]}
    assert [str(one) for one in asked if one.name in pins and pins[one.name] not in one.specifier] == []


def test_torch_comes_from_pytorchs_own_index_at_the_tested_version() -> None:
    (line,) = [line for line in POST_BUILD.splitlines() if "torch==" in line]
    assert f" {TORCH} " in line
    assert line.endswith("--index-url https://download.pytorch.org/whl/cpu")


def test_no_index_and_no_torchvision_is_named_elsewhere() -> None:
    assert "index" not in REQUIREMENTS.read_text("utf-8").replace("PyTorch's own index", "")
    assert [file.name for file in BINDER.iterdir() if "torchvision" in file.read_text("utf-8")] == []


def test_a_line_that_fails_stops_the_build() -> None:
    first = next(line for line in POST_BUILD.splitlines() if line and not line.startswith("#"))
    assert first.startswith("set -e")


@pytest.mark.parametrize("name", ["postBuild", "start"])
def test_the_scripts_can_be_run(name: str) -> None:
    assert os.access(BINDER / name, os.X_OK)
    assert (BINDER / name).read_text("utf-8").startswith("#!/bin/bash\n")


def test_python_is_one_that_the_package_takes() -> None:
    assert (BINDER / "runtime.txt").read_text("utf-8").strip() == "python-3.11"
    assert sys.version_info[:2] >= (3, 11)


@pytest.fixture(scope="module")
def environment() -> Environment:
    return binder()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_each_notebook_runs_without_a_network_in_memory_that_a_binder_has(path: Path, environment: Environment) -> None:
    started = (BINDER / "start", environment.command("python"), ROOT / "tests" / "delivery" / "run_notebook.py")
    used = json.loads(environment.run(*started, path, cwd=path.parent).splitlines()[-1])
    assert 100 < used["peak_mb"] < MOST_MB
