"""The studio in a real JupyterLab, where the page is loaded again."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import TWO_TIMED_PROMPTS, Opened, Written
from tests.browser.notebook_page import Notebook, press, section

pytestmark = pytest.mark.timeout(600)

OPEN = """
from skipit_nb import Session, Studio
session = Session.open(device="cpu")
"""
STUDIO = """
studio = Studio(session, task="easy-vqa", limit=30)
studio
"""
USED = """
studio.explorer.set(over="question", question=0); studio.explorer.look(); studio.explorer.pin()
studio.explorer.set(over="task", question=3, layer=4, band=(2, 5)); studio.explorer.run()
studio.builder.set(skipset="vision absent 1"); studio.builder.set(skipset="vision absent 0-5")
studio.evaluator.set(stop_early=True, many="one whole layer"); studio.evaluator.run(); studio.evaluator.sweep()
studio.evaluator.set(flips="worse", kind="", page=0, pinned=studio.evaluator.data["key"].iloc[0])
studio.builder.what_if()
"""


@pytest.fixture(scope="module")
def notebook(opened: Opened, written: Written) -> Notebook:
    made = opened(written(OPEN + TWO_TIMED_PROMPTS, STUDIO, USED))
    assert made.run_all(), made.errors()
    return made


def shown(notebook: Notebook) -> dict[str, object]:
    """What a person sees of each tool: words, entries, and how many marks there are."""
    look = """root => ({
        text: root.innerText.replace(/\\s+/g, ' '),
        entries: [...root.querySelectorAll('input, select, textarea')]
            .map(one => one.type === 'checkbox' ? one.checked : one.value),
        marks: root.querySelectorAll('svg path, svg rect, [role=gridcell], [role=option]').length })"""
    expect(section(notebook, 2).get_by_role("listbox", name="accuracy against FLOPs")).to_be_visible()
    notebook.page.wait_for_timeout(500)
    found: dict[str, object] = notebook.page.locator(".skipit-tool").first.evaluate(look)
    return found


def is_live(notebook: Notebook) -> None:
    """A click in each tool reaches Python, and a change in Python reaches the page."""
    press(section(notebook, 0).get_by_role("group", name="Question"), "Next")
    notebook.wait_value("studio.explorer.state.question", 4)
    press(section(notebook, 0), "Unpin")
    notebook.wait_value("studio.explorer.state.pinned", None)
    press(section(notebook, 1), "Undo")
    notebook.wait_value("str(studio.skipset)", "vision absent 1")
    press(section(notebook, 1), "Undo")
    notebook.wait_value("str(studio.skipset)", "none")
    box = section(notebook, 2).get_by_role("checkbox", name="stop once it is clear")
    expect(box).to_be_checked()
    box.uncheck()
    notebook.wait_value("studio.evaluator.state.stop_early", False)
    section(notebook, 2).get_by_role("listbox", name="accuracy against FLOPs").press("Home")
    press(section(notebook, 2), "Take as B")
    taken = notebook.value("studio.evaluator.view.pareto.points[0]['name']")
    notebook.wait_value("str(studio.skipset)", taken)
    notebook.run("studio.skipset = 'whole 7'")
    expect(section(notebook, 1).get_by_label("skip set", exact=True)).to_have_value("whole 7")


def test_a_page_loaded_again_shows_the_same_and_is_live(notebook: Notebook) -> None:
    before = shown(notebook)
    notebook.save()
    notebook.reload()
    after = shown(notebook)
    assert after == before
    is_live(notebook)
    assert notebook.complaints == []


def test_what_was_not_saved_is_shown_again_by_its_cell(notebook: Notebook) -> None:
    """JupyterLab takes what cells show from the notebook's file; the studio itself lives in the kernel."""
    assert notebook.command("notebook:clear-all-cell-outputs")
    notebook.save()
    notebook.reload()
    expect(notebook.page.locator(".skipit-section")).to_have_count(0)
    notebook.add_cell("studio")
    expect(section(notebook, 1).get_by_label("skip set", exact=True)).to_have_value("whole 7")
    section(notebook, 1).locator("[data-row=vision] > [data-layer='2']").click()
    notebook.wait_value("str(studio.skipset)", "vision absent 2; whole 7")
