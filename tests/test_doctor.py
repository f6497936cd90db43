"""The doctor finds what is broken, says how to mend it, and survives it."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from skipit_nb import doctor
from skipit_nb.doctor import Diagnosis, Finding, check_requirements, check_torchvision, check_weights, diagnose

ASKS = ("torch>=2.11", "transformers<6,>=5.15", "anywidget", "easy-vqa; extra == 'lab'", "ruff; extra == 'dev'")


@pytest.fixture(scope="module")
def diagnosis() -> Diagnosis:
    return diagnose()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Stands for what pip has installed; change it to install something else."""
    versions = {"torch": "2.13.0+cpu", "transformers": "5.23.0", "anywidget": "0.11.0", "easy-vqa": "1.0"}

    def version(name: str) -> str:
        if name not in versions:
            raise metadata.PackageNotFoundError(name)
        return versions[name]

    monkeypatch.setattr(metadata, "version", version)
    monkeypatch.setattr(metadata, "requires", lambda _: list(ASKS))
    return versions


def safetensors(file: Path, size: int = 16) -> Path:
    header = json.dumps({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
    file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    return file


def broken(findings: object) -> list[Finding]:
    return [finding for finding in findings if not finding.ok]


def test_this_environment_is_sound(diagnosis: Diagnosis) -> None:
    assert broken(diagnosis.findings) == []
    assert diagnosis.ok
    assert diagnosis.devices[-1] == "cpu"
    assert dict(diagnosis.versions)["torch"] == metadata.version("torch")


def test_a_diagnosis_reads_back_from_its_json(diagnosis: Diagnosis) -> None:
    assert Diagnosis.from_json(diagnosis.to_json()) == diagnosis


def test_a_diagnosis_is_a_page_and_a_table(diagnosis: Diagnosis) -> None:
    assert str(diagnosis).endswith("Nothing is broken.")
    assert list(diagnosis.frame.columns) == ["ok", "what", "mend"]
    assert len(diagnosis.frame) == len(diagnosis.findings)


def test_everything_there_is_fine(installed: dict[str, str]) -> None:
    assert broken(check_requirements()) == []
    assert len(list(check_requirements())) == len(ASKS) - 1  # what only developers need is not looked at


@pytest.mark.parametrize(
    ("name", "version", "wanted"), [("transformers", "4.57.1", "<6,>=5.15"), ("torch", "2.10.0", ">=2.11")]
)
def test_a_version_out_of_range_is_broken(installed: dict[str, str], name: str, version: str, wanted: str) -> None:
    installed[name] = version
    (finding,) = broken(check_requirements())
    assert finding.what == f"{name} {version} is installed, but {wanted} is needed"
    assert finding.mend == f"pip install '{name}{wanted}'"


def test_ipykernel_seven_zero_is_broken(installed: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "requires", lambda _: ["ipykernel!=7.0.*,>=6.17.1; extra == 'lab'"])
    installed["ipykernel"] = "7.0.1"
    (finding,) = broken(check_requirements())
    assert finding.what == "ipykernel 7.0.1 is installed, but !=7.0.*,>=6.17.1 is needed"


def test_a_missing_package_is_broken(installed: dict[str, str]) -> None:
    del installed["anywidget"]
    (finding,) = broken(check_requirements())
    assert finding == Finding(ok=False, what="anywidget is not installed", mend="pip install 'anywidget'")


def test_a_missing_task_package_is_only_a_hint(installed: dict[str, str]) -> None:
    del installed["easy-vqa"]
    (hint,) = [finding for finding in check_requirements() if finding.mend]
    assert hint.ok
    assert hint.what == "easy-vqa is not installed. Only the task easy-vqa needs it"


def test_a_package_that_was_only_copied_is_broken() -> None:
    (finding,) = check_requirements("not-installed-at-all")
    assert not finding.ok
    assert "not properly installed" in finding.what


def test_a_torchvision_made_for_another_torch_is_broken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package, info = tmp_path / "torchvision", tmp_path / "torchvision-0.1.dist-info"
    package.mkdir()
    info.mkdir()
    package.joinpath("__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    info.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: torchvision\nVersion: 0.1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    (finding,) = check_torchvision()
    assert not finding.ok
    assert "operator torchvision::nms does not exist" in finding.what
    assert finding.mend.startswith("pip uninstall torchvision")


def test_a_torch_that_cannot_be_imported_is_broken_and_the_rest_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> object:
        message = "libtorch.so: cannot open shared object file"
        raise OSError(message)

    monkeypatch.setattr(doctor, "import_module", refuse)
    diagnosis = diagnose()
    assert not diagnosis.ok
    assert "torch cannot be imported: OSError: libtorch.so" in str(diagnosis)
    assert str(diagnosis).endswith("1 broken, marked above: mend and run this again.")
    assert diagnosis.devices == ()
    assert diagnosis.cpu_threads >= 1


def test_whole_weights_are_fine(tmp_path: Path) -> None:
    safetensors(tmp_path / "model.safetensors")
    (finding,) = check_weights(tmp_path)
    assert finding.ok


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "its header cannot be read"),
        (b"version https://git-lfs.github.com/spec/v1\n", "its header is cut short"),
        ((500).to_bytes(8, "little") + b"{", "its header is cut short"),
        ((2).to_bytes(8, "little") + b"[]", "its header cannot be read"),
        ((2).to_bytes(8, "little") + b"\xff\xff", "its header cannot be read"),
    ],
)
def test_weights_without_a_header_are_broken(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "model.safetensors").write_bytes(content)
    (finding,) = check_weights(tmp_path)
    assert not finding.ok
    assert problem in finding.what


def test_weights_cut_short_are_broken(tmp_path: Path) -> None:
    file = safetensors(tmp_path / "model.safetensors", size=15)
    (finding,) = check_weights(tmp_path)
    assert not finding.ok
    assert f"it has {file.stat().st_size} bytes instead of {file.stat().st_size + 1}" in finding.what


def test_no_weights_at_all_are_broken(tmp_path: Path) -> None:
    (finding,) = check_weights(tmp_path)
    assert not finding.ok
    assert "missing" in finding.what


def test_the_doctor_comes_without_heavy_packages() -> None:
    code = "import sys, skipit_nb.doctor; print(*{'torch', 'transformers', 'pandas', 'ipywidgets'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
