"""Explore, build, evaluate: the studio's three stories, walked with mouse and keys in a real JupyterLab.

`make test` walks them once, `make test-full` twenty times in a row; each time with a kernel and a window of its own.
"""

import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Opened, Written
from tests.browser.notebook_page import Notebook, drag, press, section

pytestmark = pytest.mark.timeout(600)

CELL = """
from skipit_nb import Session, Studio
session = Session.open(device="cpu")
studio = Studio(session, task="easy-vqa", limit=40)
studio
"""
ROUNDS = [1, *(pytest.param(number, marks=pytest.mark.slow) for number in range(2, 21))]


@pytest.mark.parametrize("number", ROUNDS)
def test_the_three_stories_go_from_a_look_to_a_verdict(opened_anew: Opened, written: Written, number: int) -> None:
    began = time.monotonic()
    notebook = opened_anew(written(CELL))
    assert notebook.run_all(), notebook.errors()
    opened = time.monotonic()
    explore(notebook)
    build(notebook)
    evaluate(notebook)
    assert notebook.errors() == []
    assert notebook.complaints == []
    ended = time.monotonic()
    print(f"\nround {number}: {opened - began:.1f} s to open, {ended - opened:.1f} s for the stories")  # noqa: T201


def explore(notebook: Notebook) -> None:
    """Measure, go through the layers by key and by mouse, choose a band, set the threshold."""
    part = section(notebook, 0)
    press(part, "Measure")
    notebook.wait_value("studio.explorer.result.num_samples >= 40 if studio.explorer.result else False", want=True)
    plot = part.get_by_role("slider", name="Distance")
    plot.focus()
    for key in ("Home", "ArrowRight", "ArrowRight", "PageUp"):
        notebook.page.keyboard.press(key)
    notebook.wait_value("studio.explorer.layer", 7)
    overlay = part.get_by_role("grid", name="distance of vision tokens at layer 7").first
    expect(overlay).to_be_visible()
    plot.click(position={"x": 60, "y": 60})
    notebook.wait_value("studio.explorer.layer", 0)
    epsilon = part.get_by_role("spinbutton", name="ε of the tail")
    epsilon.fill("0.05")
    epsilon.press("Enter")
    notebook.wait_value("studio.explorer.epsilon", 0.05)
    part.get_by_role("application").focus()
    for key in ("ArrowRight", "ArrowUp", "ArrowUp"):
        notebook.page.keyboard.press(key)
    notebook.wait_value("studio.explorer.state.band", [0, 2])


def build(notebook: Notebook) -> None:
    """Take what is recommended, draw more, take that back, and hear what the model would answer."""
    part = section(notebook, 1)
    press(part, "Recommended")
    notebook.wait_value("studio.skipset == studio.builder.result.skipset.bind(12)", want=True)
    press(part, "Clear")
    drag(notebook.page, *(cell(part, layer) for layer in (8, 10)))
    notebook.wait_value("str(studio.skipset)", "vision absent 8-10")
    cell(part, 2).click()
    notebook.wait_value("str(studio.skipset)", "vision absent 2+8-10")
    notebook.page.keyboard.press("Control+z")
    notebook.wait_value("str(studio.skipset)", "vision absent 8-10")
    cell(part, 11).focus()
    notebook.page.keyboard.press("a")
    notebook.wait_value("str(studio.skipset)", "vision absent 8-11")
    expect(part.locator(".skipit-whatif[data-phase=answered]")).to_be_visible()
    notebook.wait_value("str(studio.builder.answer.skipset)", "vision absent 8-11")
    press(part.get_by_role("group", name="What if: the question"), "Next")
    notebook.wait_value("studio.explorer.state.question", 1)


def cell(part: Locator, layer: int) -> Locator:
    return part.locator(f"[data-row=vision] > [data-layer='{layer}']")


def evaluate(notebook: Notebook) -> None:
    """Compare what was built with the full model, look at the flips, sweep, and take a point back to the builder."""
    part, page = section(notebook, 2), notebook.page
    expect(part.get_by_label("B", exact=True)).to_have_value("vision absent 8-11")
    press(part, "Run A against B")
    notebook.wait_value("studio.evaluator.result is not None", want=True, seconds=60)
    sentence = notebook.value("studio.evaluator.result.verdict.sentence")
    expect(part.get_by_text(sentence)).to_be_visible()
    worse(part, page)
    press(part, "Sweep")
    chart = part.get_by_role("listbox", name="accuracy against FLOPs")
    chart.press("End")
    press(part, "Take as B")
    taken = notebook.value("studio.evaluator.view.pareto.points[-1]['name']")
    notebook.wait_value("str(studio.skipset)", taken)
    expect(section(notebook, 1).get_by_label("skip set", exact=True)).to_have_value(taken)


def worse(part: Locator, page: Page) -> None:
    """The questions that B loses, if there are any: they are counted on the button."""
    button = part.get_by_role("button", name="worse (")
    count = int((button.text_content() or "").split("(")[1].rstrip(")"))
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "true")
    shown = part.get_by_role("list", name="Questions that A and B answer differently").get_by_role("listitem")
    expect(shown).to_have_count(min(count, 24))
