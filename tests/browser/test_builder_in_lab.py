"""The builder in a real JupyterLab, on the model in the box: what-ifs as a hand draws, and undo that stays inside."""

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Opened, Written
from tests.browser.notebook_page import Notebook

CELL = """
from skipit_nb import Session, SkipSetBuilder
session = Session.open(device="cpu")
builder = SkipSetBuilder(session, session.profile("easy-vqa", limit=32))
builder
"""


@pytest.fixture(scope="module")
def notebook(opened: Opened, written: Written) -> Notebook:
    made = opened(written(CELL))
    assert made.run_all(), made.errors()
    return made


def cell(notebook: Notebook, layer: int) -> Locator:
    return notebook.page.locator(f"[data-row=vision] > [data-layer='{layer}']")


def said(notebook: Notebook) -> Locator:
    return notebook.page.locator(".skipit-whatif[data-phase=answered] .skipit-whatif-message")


def test_a_click_is_answered_by_the_model(notebook: Notebook) -> None:
    expect(said(notebook)).to_have_text("Nothing is skipped: this is the full model.")
    cell(notebook, 5).click()
    notebook.wait_value("str(builder.skipset)", "vision absent 5")
    expect(said(notebook)).to_contain_text("KL(full ‖ skip set) of the next token:")
    notebook.wait_value("str(builder.answer.skipset)", "vision absent 5")


def test_undo_by_key_takes_back_what_was_drawn_and_not_the_notebook(notebook: Notebook) -> None:
    notebook.run("builder.clear()")
    assert notebook.command("notebook:insert-cell-below")
    count = notebook.cell_count()
    cell(notebook, 7).click()
    notebook.wait_value("str(builder.skipset)", "vision absent 7")
    notebook.page.keyboard.press("Control+z")
    notebook.wait_value("str(builder.skipset)", "none")
    notebook.page.keyboard.press("Control+Shift+z")
    notebook.wait_value("str(builder.skipset)", "vision absent 7")
    notebook.page.get_by_role("button", name="Clear").focus()
    notebook.page.keyboard.press("Control+z")
    notebook.wait_value("str(builder.skipset)", "none")
    assert notebook.cell_count() == count
    assert notebook.command("notebook:undo-cell-action")  # what a key that leaks would have done
    assert notebook.cell_count() == count - 1


def test_the_strip_follows_at_once_and_waits_for_a_kernel_that_is_busy(notebook: Notebook) -> None:
    notebook.run("builder.clear()")
    expect(cell(notebook, 2)).to_have_attribute("data-action", "run")
    notebook.page.evaluate(
        "() => { window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
        ".requestExecute({ code: 'import time; time.sleep(2)', silent: true }); }"
    )
    cell(notebook, 2).click()
    expect(cell(notebook, 2)).to_have_attribute("data-action", "absent", timeout=1000)
    expect(cell(notebook, 2)).not_to_have_attribute("data-pending", "", timeout=10_000)
    notebook.wait_value("str(builder.skipset)", "vision absent 2")


def test_nothing_was_complained_about(notebook: Notebook) -> None:
    assert notebook.complaints == []
