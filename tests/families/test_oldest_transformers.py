"""The matrix holds on the oldest transformers that we take, in an environment of its own; made once, kept in runs/."""

import os
import subprocess
import tomllib
import venv
from pathlib import Path

import pytest
import torch
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
WANTED = map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
LOWEST = next(
    part.version
    for wanted in WANTED
    if wanted.name == "transformers"
    for part in wanted.specifier
    if part.operator == ">="
)
OLDEST = f"transformers=={LOWEST}.0"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


def run(*command, **settings):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, **settings)


@pytest.fixture(scope="module")
def python():
    """The interpreter of an environment with the oldest transformers and the torch that is installed here."""
    folder = ROOT / "runs" / OLDEST
    python, is_complete = folder / "bin" / "python", folder / "complete"
    if not is_complete.exists():
        venv.create(folder, clear=True, with_pip=True)
        pip = [python, "-m", "pip", "--quiet"]
        probe = run(*pip, "download", "--no-deps", "--dest", folder / "probe", OLDEST)
        if probe.returncode:
            pytest.skip(f"no package registry: {probe.stderr.strip().splitlines()[-1]}")
        for packages in (
            [f"torch=={torch.__version__.split('+')[0]}"],
            [OLDEST, "pytest", "pytest-timeout", "hypothesis"],
        ):
            installed = run(*pip, "install", *packages)
            assert not installed.returncode, installed.stderr
        is_complete.touch()
    return python


def test_the_matrix_holds_and_what_is_excluded_fails_by_itself(python):
    found = run(
        *(python, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-W", "ignore::FutureWarning"),  # transformers warns of what it has changed since
        *(ROOT / "tests" / "families" / f"test_{name}.py" for name in ("skipping", "exclusions")),
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert not found.returncode, found.stdout[-4000:]
