"""What the pages and the repository's forms tell people to do can be done."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.delivery.environment import ROOT

TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / ".github").rglob("*.*"))]
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"])
FORMS = [path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_each_make_target_that_is_named_exists(path: Path) -> None:
    named = re.findall(r"(?:`|\$ |run: |\w=\S+ )make ([a-z-]+)", path.read_text("utf-8"))
    assert set(named) - TARGETS == set()


@pytest.mark.parametrize("page", ["install.md", "contributing.md"])
def test_each_extra_in_a_table_exists(page: str) -> None:
    tables = re.findall(r"\| extra \|.*?\n\n", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL)
    named = {name for table in tables for name in re.findall(r"^\| `(\w+)`", table, re.MULTILINE)}
    assert named
    assert named - EXTRAS == set()


def test_each_extra_is_in_a_table() -> None:
    pages = "".join((ROOT / "docs" / page).read_text("utf-8") for page in ("install.md", "contributing.md"))
    assert {name for name in EXTRAS if f"| `{name}` |" not in pages} == set()


def test_each_file_and_folder_that_contributing_names_exists() -> None:
    spans = re.findall(
        r"`((?:docs|tests|notebooks|skipit_nb|binder)/?[\w./-]*)`", (ROOT / "docs/contributing.md").read_text()
    )
    assert spans
    assert [span for span in spans if not (ROOT / span).exists()] == []


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_a_form_asks_for_something(path: Path) -> None:
    form = yaml.safe_load(path.read_text("utf-8"))
    assert {"name", "description", "body"} <= set(form)
    assert all({"label"} <= set(field["attributes"]) for field in form["body"])
    assert len({field["id"] for field in form["body"]}) == len(form["body"])


@pytest.mark.parametrize(
    "url", re.findall(r"https://\S+\.ipynb", (ROOT / "docs" / "binder-and-colab.md").read_text("utf-8"))
)
def test_each_address_opens_a_notebook_there_is(url: str) -> None:
    assert "OWNER/REPOSITORY" in url
    assert (ROOT / "notebooks" / url.rpartition("/")[2]).exists()
