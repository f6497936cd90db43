"""A newcomer's minute: the first notebook in a real JupyterLab, a drag on the strip, an A/B, a verdict."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TWO_TIMED_PROMPTS, Opened
from tests.browser.lab_server import Lab
from tests.browser.notebook_page import Notebook, drag

pytestmark = pytest.mark.timeout(600)

FIRST = "1-where-is-it-redundant.ipynb"


@pytest.fixture(scope="module")
def notebook(opened: Opened, lab: Lab) -> Notebook:
    """The notebook with a hundred questions a cell instead of hundreds: nbval runs it as it is."""
    first = lab.root / FIRST
    first.write_text(re.sub(r"limit=\d{3}", "limit=100", first.read_text("utf-8")), encoding="utf-8")
    notebook = opened(FIRST)
    assert notebook.run_all(seconds=400), notebook.errors()
    return notebook


def test_every_cell_runs(notebook: Notebook) -> None:
    assert notebook.errors() == []
    assert notebook.value("session.name") == "tiny"


def test_a_first_look_lies_over_the_image(notebook: Notebook) -> None:
    explorer = notebook.page.locator(".skipit-explorer").first
    expect(explorer.get_by_role("grid").first).to_be_visible()
    plot = explorer.get_by_role("slider").first
    plot.focus()
    plot.press("Home")
    plot.press("ArrowRight")
    notebook.wait_value("explorer.layer", 1)


def test_a_drag_on_the_strip_is_a_skip_set_in_python(notebook: Notebook) -> None:
    notebook.run("studio.skipset = 'none'")
    strip = notebook.page.get_by_role("grid", name="Skip set: layers by tokens").last
    cells = [strip.locator(f"[data-row=vision] > [data-layer='{layer}']") for layer in (8, 11)]
    drag(notebook.page, *cells)
    notebook.wait_value("str(studio.skipset)", "vision absent 8-11")
    notebook.wait_value("str(studio.evaluator.state.b)", "vision absent 8-11")


def test_the_builder_s_set_is_compared_and_judged(notebook: Notebook) -> None:
    notebook.run(TWO_TIMED_PROMPTS + "studio.evaluator.set(limit=20)")
    notebook.page.get_by_role("button", name="Run A against B").last.click()
    # The cell itself has judged another set already.
    notebook.wait_value("str(studio.evaluator.result.b)", "vision absent 8-11", seconds=120)
    sentence = notebook.value("studio.evaluator.result.verdict.sentence")
    expect(notebook.page.get_by_text(sentence).last).to_be_visible()


def test_keys_pressed_in_a_tool_do_not_reach_the_notebook(notebook: Notebook) -> None:
    before = notebook.cell_count()
    strip = notebook.page.get_by_role("grid", name="Skip set: layers by tokens").last
    strip.locator("[data-row=vision] > [data-layer='8']").click()
    for key in ("b", "d", "d", "j", "x"):
        notebook.page.keyboard.press(key)
    assert notebook.cell_count() == before


def test_nothing_was_complained_about(notebook: Notebook) -> None:
    assert notebook.complaints == []
