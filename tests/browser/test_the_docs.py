"""The site: built without a warning, and its pages quiet, self-contained and readable by everybody."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.accessibility import violations

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "index",
    "install",
    "start",
    "gallery",
    "glossary",
    "methods",
    "verdict",
    "notions/geometric",
    "api/session",
    "api/results",
    "_build/notebooks/1-where-is-it-redundant",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages as `make docs` makes them, the notebooks with the outputs they were committed with."""
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-b", "html", str(DOCS), str(out)]
    built = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ)
    assert built.returncode == 0, built.stderr
    return out


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest, site: Path, browser: Browser) -> Iterator[tuple[Page, list[str]]]:
    """One page in a window of its own, and what it complained of or asked of others."""
    context = browser.new_context(reduced_motion="reduce")
    page, heard = context.new_page(), list[str]()
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("request", lambda asked: None if asked.url.startswith(("file:", "data:")) else heard.append(asked.url))
    page.goto((site / f"{request.param}.html").as_uri())
    yield page, heard
    context.close()


def test_a_page_is_quiet_shows_its_pictures_and_is_accessible(page: tuple[Page, list[str]]) -> None:
    shown, heard = page
    assert heard == []
    broken = "images => images.filter(image => image.complete && !image.naturalWidth).map(image => image.src)"
    assert shown.eval_on_selector_all("article img", broken) == []
    assert violations(shown, "article") == []


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    loads = re.compile(r'<(?:script|link|img|iframe)[^>]+(?:src|href)="(https?://[^"]+)"')
    found = {(path.name, url) for path in site.rglob("*.html") for url in loads.findall(path.read_text("utf-8"))}
    assert {url for _, url in found if "canonical" not in url} == set()
