"""What models and data sets say stays text in a real page: one that would notice if any of it ran."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Page

from skipit_nb.studio import Studio
from skipit_nb.widgets import LayerDistanceExplorer
from tests.browser.tool_page import ToolPage
from tests.payloads import CRACK, PAYLOADS
from tests.widgets.hostile_session import HostileSession

CRACKED = """root => window.cracked !== undefined
    || [...document.querySelectorAll(`${root} *`)].some(one => ['SCRIPT', 'IFRAME', 'OBJECT'].includes(one.tagName)
        || [...one.attributes].some(({ name, value }) => name.startsWith('on')
            || (['href', 'xlink:href', 'action', 'src'].includes(name) && /^\\s*javascript:/i.test(value))))"""
BOLD = "root => [...document.querySelectorAll(`${root} :is(strong, b, h1, li, a)`)].map(one => one.textContent)"

Look = Callable[[Any], ToolPage]


@pytest.fixture
def port() -> Iterator[HostileSession]:
    fake = HostileSession()
    yield fake
    fake.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that asks for nothing and in which nobody is asked anything."""
    context = browser.new_context(viewport={"width": 1100, "height": 900}, reduced_motion="reduce")
    opened, heard = context.new_page(), []
    opened.on("dialog", lambda dialog: (heard.append(dialog.message), dialog.dismiss()))
    yield opened
    context.close()
    assert heard == []


def settled(shown: ToolPage, *jobs: Any) -> None:
    """Wait for the ends of jobs, and until the page has drawn them."""
    for job in jobs:
        if job is not None:
            job.result(20)
    shown.page.wait_for_timeout(200)
    shown.settle()


def check(shown: ToolPage) -> None:
    assert shown.page.evaluate(CRACKED, "#host") is False
    assert [text for text in shown.page.evaluate(BOLD, "#host") if text in ("bold", "list", "here")] == []
    assert shown.errors == []


def test_the_page_would_notice(page: Page) -> None:
    for name in ("script", "image", "attribute"):
        page.set_content(f"<main id='host'>{PAYLOADS[name]}</main>")
        page.wait_for_timeout(100)
        assert page.evaluate(CRACKED, "#host") is True, name
    page.set_content(f"<main id='host'><a href='javascript:{CRACK}'>here</a></main>")
    assert page.evaluate(CRACKED, "#host") is True


def test_every_tool_shows_it_as_text_before_while_and_after_it_runs(page: Page, port: HostileSession) -> None:
    with Studio(port, skipset="vision absent 8-10", limit=30) as studio:  # type: ignore[arg-type]
        shown = ToolPage(page, studio)
        settled(shown, studio.explorer._looking)
        check(shown)
        studio.run()
        studio.builder.what_if()
        studio.builder.propose("novel", layers=2)
        studio.evaluator.set(flips="any")
        for tool in studio.tools.values():
            tool.view.complain(ValueError("\n".join(PAYLOADS.values())))
        settled(shown)
        check(shown)
        text = page.locator("#host").inner_text() + " ".join(
            page.locator("#host option, #host text").all_text_contents()
        )
        for name in ("script", "image", "attribute", "link", "Vega expression", "Vega signal", "template"):
            assert PAYLOADS[name] in text, f"{name}: not shown as it was written"


def test_what_a_pointer_or_a_key_brings_up_is_text_too(page: Page, port: HostileSession) -> None:
    with LayerDistanceExplorer(port, limit=30) as explorer:
        shown = ToolPage(page, explorer)
        explorer.run()
        for place in range(len(PAYLOADS)):
            explorer.set(question=place, layer=place % 12)
            settled(shown, explorer._looking)
            for part in page.locator("#host :is([role='gridcell'], [role='option'], [tabindex='0'])").all()[:12]:
                if part.is_visible():
                    part.hover(force=True)
        explorer.pin()
        settled(shown)
        check(shown)


# -- a notebook that was saved, and the page that it becomes -----------------------------------------------------------

OPEN = """
from pathlib import Path
from skipit_nb.results import Comparison, RedundancyProfile
from skipit_nb.widgets import ABEvaluator, LayerDistanceExplorer, SkipSetBuilder
profile = RedundancyProfile.from_json(Path("profile.json").read_text())
evaluator = ABEvaluator.from_result(Comparison.from_json(Path("comparison.json").read_text()))
"""
TOOLS = ("SkipSetBuilder(profile, skipset='vision absent 8-')", "LayerDistanceExplorer(profile)", "evaluator")
WIDTHS = """() => [...document.querySelectorAll('.jp-OutputArea img')]
    .map(image => image.checkVisibility() && image.naturalWidth)"""


def test_a_notebook_made_a_page_shows_pictures_and_text_and_needs_no_network(
    browser: Browser, port: HostileSession, tmp_path: Path
) -> None:
    (tmp_path / "profile.json").write_text(port.profile(port.tasks()[0]).to_json())
    (tmp_path / "comparison.json").write_text(port.compare(port.tasks()[0], None, "vision absent 0-3").to_json())
    cells = [nbformat.v4.new_code_cell(cell) for cell in (OPEN, *TOOLS, "evaluator.data")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "story.ipynb")
    # In a process of its own: Playwright's loop and nbclient's do not go together.
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "--ExecutePreprocessor.timeout=280",
               "--ExecutePreprocessor.store_widget_state=False", "story.ipynb"]  # fmt: skip
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    written = (tmp_path / "story.html").read_text("utf-8")
    assert "vnd.jupyter.widget-state+json" not in written
    assert "vnd.jupyter.widget-view+json" not in written

    context = browser.new_context()
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    page = context.new_page()
    page.goto((tmp_path / "story.html").as_uri(), wait_until="load")
    widths = page.evaluate(WIDTHS)
    assert len(widths) == len(TOOLS)
    assert min(widths) > 100
    assert page.evaluate(CRACKED, ".jp-OutputArea") is False
    assert CRACK in page.locator(".jp-OutputArea table").inner_text()
    context.close()
