"""The pages of the notions: their lines run, their numbers and pictures are those of the stored results."""

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import altair as alt
import pytest

from skipit_nb import charts
from skipit_nb.session import Session

DOCS = Path(__file__).parents[1] / "docs"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in sorted((DOCS / "notions").glob("*.md"))}
NOTIONS = [page for page in PAGES if page != "index"]
CODE = [(page, code) for page in NOTIONS for code in re.findall(r"```python\n(.*?)```", PAGES[page], re.DOTALL)]
PICTURES = sorted((DOCS / "pictures" / "notions").glob("*.svg"))


@pytest.fixture(scope="module")
def script() -> Iterator[ModuleType]:
    sys.path.insert(0, str(DOCS))
    yield importlib.import_module("draw_notions")
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def found(script: ModuleType) -> list[Any]:
    return [script.stored(task) for task in script.TASKS]


class Told:
    """A session that knows only what was stored, and takes only what a real one takes."""

    def __init__(self, everything: list[Any]) -> None:
        self.by_task = {found.task: found for found in everything}

    def __getattr__(self, name: str) -> Any:
        signature = inspect.signature(getattr(Session, name))

        def told(*args: Any, **kwargs: Any) -> Any:
            signature.bind(self, *args, **kwargs)
            result = getattr(self.by_task[args[0]], name.removesuffix("_report"))
            assert 0 <= len(result.provenance.samples) - kwargs["limit"] < 20, "the picture is of another limit"
            return result

        return told


@pytest.mark.parametrize("page, code", CODE)
def test_every_line_makes_its_picture_of_what_was_stored(page: str, code: str, found: list[Any]) -> None:
    (line,) = code.strip().splitlines()
    drawn = eval(line, {"session": Told(found), "charts": charts})  # noqa: S307 - a page of ours
    assert isinstance(drawn, alt.TopLevelMixin)
    assert drawn.to_dict()["title"]["text"]


@pytest.mark.parametrize("page", NOTIONS)
def test_what_a_page_says_was_measured_is_what_was_stored(page: str, script: ModuleType, found: list[Any]) -> None:
    assert script.with_facts(page, PAGES[page], found) == PAGES[page], "run python docs/draw_notions.py"


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_says_what_its_script_draws(path: Path, script: ModuleType, found: list[Any]) -> None:
    kept = path.read_text(encoding="utf-8")
    assert words(kept) == words(script.svg(path.stem, found[0])), "run python docs/draw_notions.py"
    assert len(kept) < 60_000
    assert "aria-label" not in kept


def test_there_is_a_picture_for_each_that_is_drawn_and_a_page_for_each_picture(script: ModuleType) -> None:
    assert [path.stem for path in PICTURES] == sorted(script.DRAWN)
    shown = re.findall(r"!\[[^]]{20,}\]\(\.\./pictures/notions/([a-z-]+)\.svg\)", "".join(PAGES.values()))
    assert sorted(shown) == sorted(script.DRAWN)
    assert list(script.FACTS) == re.findall(r"^([a-z-]+)$", PAGES["index"].split("{toctree}")[1], re.MULTILINE)


@pytest.mark.parametrize("page", NOTIONS)
def test_a_page_is_short_and_tells_theirs_from_ours(page: str) -> None:
    assert len(PAGES[page].splitlines()) <= 80
    assert "## What it sees, and what it does not" in PAGES[page]
    table = PAGES[page].split("## What the paper states, and what is ours")[1]
    assert re.search(r"^\| ours \|", table, re.MULTILINE)
    assert re.search(r"^\| (the paper states|reviewers of the paper report) \|", table, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", PAGES[page])
    assert [link for link in links if not (DOCS / "notions" / link).exists()] == []


@pytest.mark.model
def test_the_first_lines_open_the_model_and_the_lines_run_on_it() -> None:
    scope: dict[str, Any] = {}
    exec(re.search(r"```python\n(.*?)```", PAGES["index"], re.DOTALL)[1].replace("open()", "open(device='cpu')"), scope)
    for page, code in CODE:
        if page in ("geometric", "flow"):
            drawn = eval(re.sub(r"limit=\d+", "limit=8", code.strip()), scope)  # noqa: S307 - a page of ours
            asked = int(re.search(r"(\d+) questions", str(drawn.to_dict()["title"]["subtitle"]))[1])
            assert 8 <= asked < 20, page
    scope["session"].close()


def words(svg: str) -> list[str]:
    """What is written in a picture, in order."""
    return re.findall(r">([^<>]+)</text>", svg)
