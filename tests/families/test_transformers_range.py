"""The matrix holds on the oldest and on the newest transformers that we take, each in an environment of its own."""

import tomllib

import pytest
from packaging.requirements import Requirement

from tests.delivery.environment import ROOT, made

DEPENDENCIES = map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
(TAKEN,) = (wanted for wanted in DEPENDENCIES if wanted.name == "transformers")
(LOWEST,) = (part.version for part in TAKEN.specifier if part.operator == ">=")
TOOLS = ("pytest>=9", "pytest-timeout", "hypothesis")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("name, wanted", [("oldest", f"transformers=={LOWEST}.0"), ("newest", str(TAKEN))])
def test_the_matrix_holds_and_what_is_excluded_fails_by_itself(name, wanted):
    environment = made(f"transformers-{name}", wanted, *TOOLS)
    environment.install("--upgrade", wanted)  # what was the newest when it was made may not be so today
    environment.run(
        *(environment.command("python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("-W", "ignore::FutureWarning"),  # transformers warns of what it has changed since
        *(ROOT / "tests" / "families" / f"test_{name}.py" for name in ("skipping", "exclusions", "seen_once")),
        cwd=ROOT,
        PYTHONPATH=str(ROOT),
    )
