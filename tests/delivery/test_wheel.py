"""The wheel in a clean environment outside the checkout: nothing is missing, and it does what it is for."""

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.delivery.binder_environment import REQUIREMENTS
from tests.delivery.environment import ASKED, ROOT, Environment, made

if TYPE_CHECKING:
    from skipit_nb import Session

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

FIRST_STEPS = """
import skipit_nb
from skipit_nb import Session, Studio
session = Session.open(device="cpu")
example = session.examples("digits-vqa", limit=1)[0]
print(skipit_nb.__file__)
print(session.ask(example.image, example.question).text)
print(type(Studio(session)).__name__)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with what the wheel asks for, no extra among it, and the wheel of this moment."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", folder, ROOT]
    subprocess.run(build, capture_output=True, check=True)
    environment = made("wheel", "--constraint", REQUIREMENTS, *ASKED, pins=REQUIREMENTS)
    environment.install("--no-deps", "--force-reinstall", *folder.glob("*.whl"))
    return environment


def test_nothing_that_it_asks_for_is_missing(installed: Environment, tmp_path: Path) -> None:
    assert "No broken requirements" in installed.run(installed.command("python"), "-m", "pip", "check", cwd=tmp_path)


def test_the_doctor_finds_nothing_broken(installed: Environment, tmp_path: Path) -> None:
    assert "Nothing is broken." in installed.run(installed.command("skipit"), "doctor", cwd=tmp_path)


def test_the_model_answers_as_it_does_here_and_the_studio_opens(
    installed: Environment, tmp_path: Path, session: "Session"
) -> None:
    said = installed.run(installed.command("python"), "-W", "error", "-c", FIRST_STEPS, cwd=tmp_path).splitlines()
    example = session.examples("digits-vqa", limit=1)[0]
    answer = session.ask(example.image, example.question).text
    assert Path(said[0]).is_relative_to(installed.folder)
    assert said[1:] == [answer, "Studio"]
