"""The project as people get it: licence, version, everything inside the wheel, every error explained."""

import ast
import inspect
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import skipit_nb
from skipit_nb import errors

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skipit_nb"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
ERRORS = [name for name, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.SkipitError)]


def test_the_licence_is_apache_two() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert PROJECT["license"] == "Apache-2.0"


def test_nothing_lies_at_the_top_that_does_not_belong_there() -> None:
    """A run that names a folder of its own, such as a ledger, leaves it where it was started."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("no checkout, or no git: what is kept cannot be told from what was made")
    listing = ["git", "-c", f"safe.directory={ROOT}", "ls-files"]  # whoever owns the folder
    kept = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {name for path in kept.splitlines() if not (name := path.split("/")[0]).startswith(".")} == {
        "CITATION.cff", "LICENSE", "Makefile", "README.md", "binder", "docs", "notebooks", "pyproject.toml",
        "skipit_nb", "tests",
    }  # fmt: skip


def test_there_is_one_version() -> None:
    assert PROJECT["version"] == skipit_nb.__version__


def test_torchvision_is_never_asked_for() -> None:
    everything = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    assert [line for lines in everything for line in lines if "torchvision" in line] == []


def test_the_story_has_a_first_notebook() -> None:
    assert len(list((ROOT / "notebooks").glob("1-*.ipynb"))) == 1


@pytest.mark.parametrize("name", ERRORS)
def test_each_error_is_explained(name: str) -> None:
    page = (ROOT / "docs" / "errors.md").read_text()
    assert re.search(rf"\b{name}\b", page), f"docs/errors.md does not explain {name}"


def test_what_the_package_imports_is_what_it_asks_for() -> None:
    extras = PROJECT["optional-dependencies"]
    lines = [*PROJECT["dependencies"], *extras["tasks"], *extras["theory"], *extras["data"]]
    asked = [Requirement(line).name for line in lines]
    providers = metadata.packages_distributions()
    found = {name for file in PACKAGE.rglob("*.py") for name in imported(file)} - set(sys.stdlib_module_names)
    found -= {"skipit_nb", "IPython", "lmms_eval"}  # a notebook brings IPython; lmms_eval is the user's to install
    assert [name for name in sorted(found) if not set(providers.get(name, ())) & set(asked)] == []


def test_make_help_names_each_target_that_people_type() -> None:
    listed = subprocess.run(["make", "-C", ROOT, "-s", "help"], capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in listed.splitlines()] == [
        *("help", "lab", "demo", "check", "test", "test-full", "transformers", "bench", "docs")
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel built from it as pip would, without a network."""
    folder = tmp_path_factory.mktemp("built")
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], capture_output=True, check=True
    )
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.Path:
    (wheel,) = built.glob("*.whl")
    return zipfile.Path(wheel)


def test_the_sdist_holds_what_a_packager_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        inside = {Path(name).parts[1] for name in opened.getnames()}
    # hatchling adds the file of exclusions and the metadata by itself
    assert inside - {".gitignore", "PKG-INFO"} == {
        *("skipit_nb", "tests", "notebooks", "docs", "binder"),
        *("pyproject.toml", "Makefile", "README.md", "LICENSE", "CITATION.cff"),
    }


def test_it_is_cited_by_the_version_there_is() -> None:
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert (cited["version"], cited["license"]) == (PROJECT["version"], PROJECT["license"])
    assert cited["references"][0]["identifiers"][0]["value"] == "arXiv:2509.25584"


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.Path) -> None:
    inside = set(wheel.root.namelist())
    ours = {f"skipit_nb/{file.relative_to(PACKAGE).as_posix()}" for file in PACKAGE.rglob("*") if is_shipped(file)}
    assert ours - inside == set()
    assert {name.split("/")[0] for name in inside} == {"skipit_nb", f"skipit_nb-{skipit_nb.__version__}.dist-info"}


@pytest.mark.parametrize("suffix", [".css", ".js", ".safetensors", ".yaml", "/py.typed", "/README.md"])
def test_the_wheel_holds_more_than_python(wheel: zipfile.Path, suffix: str) -> None:
    assert [name for name in wheel.root.namelist() if name.endswith(suffix)]


def test_the_wheel_is_smaller_than_the_weights_and_two_megabytes(wheel: zipfile.Path) -> None:
    weights = sum(file.stat().st_size for file in PACKAGE.rglob("*.safetensors"))
    assert Path(str(wheel.root.filename)).stat().st_size < weights + 2 * 2**20
    assert weights <= 13 * 2**20


def imported(file: Path) -> Iterator[str]:
    """The top-level names of what a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def is_shipped(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts and not file.name.startswith(".")
