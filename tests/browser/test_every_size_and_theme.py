"""Each tool with all it can show, in a phone's window and on a wall, at 200 % zoom, light and dark."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from skipit_nb.widgets import ABEvaluator, LayerDistanceExplorer, SkipSetBuilder
from tests.browser.accessibility import violations
from tests.browser.component_page import Mount
from tests.browser.layout import flaws
from tests.browser.tool_page import Draw, ToolPage, drawing
from tests.charts import sample_results as sample
from tests.widgets.asked_session import AskedSession

SIZES = [(320, 1), (768, 1), (1280, 1), (2560, 1), (1280, 2)]
"""Width of the window in pixels, and zoom."""


@pytest.fixture
def port() -> Iterator[AskedSession]:
    fake = AskedSession()
    yield fake
    fake.close()


@pytest.fixture
def draw(browser: Browser) -> Iterator[Draw]:
    with drawing(browser, 1280, 1000) as drawn:
        yield drawn


def explorer(draw: Draw, port: AskedSession) -> ToolPage:
    """Measured, with the map of bands, a chosen band, a question pinned beside another, tables and a refusal."""
    tool = LayerDistanceExplorer(port, bands=sample.band_distances(), limit=6, over="question")
    tool.view  # noqa: B018 - its first look would else end while the page is drawn
    tool.look()
    tool.pin()
    tool.set(question=4, layer=3, band_tokens="last", band=(3, 7), skipset="vision absent 9-")
    tool.look()
    page = draw(tool)
    page.settle_until(lambda: page.page.get_by_role("grid").count() == 2)
    page.page.get_by_text("Values as tables").click()
    refuse(page, "ε of the tail", "7")
    return page


def builder(draw: Draw, port: AskedSession) -> ToolPage:
    """Measured, drawn and answered, with a proposal, code, the box to paste into, and a refusal."""
    page = draw(SkipSetBuilder(port, profile=port.profile("shapes"), skipset="vision absent 2-4; whole 7; attn 8"))
    page.press("Propose")
    page.settle_until(lambda: page.tool.proposal is not None)
    page.settle_until(lambda: page.page.locator(".skipit-whatif[data-phase=answered]").count() == 1)
    for words in ("Code for this", "Paste, open or save"):
        page.page.get_by_text(words).first.click()
    page.by_label("Paste a skip set: its written form, code or JSON").fill("SkipSet.whole(open('secrets'))")
    page.press("Join pasted")
    expect(page.page.get_by_role("alert")).to_be_visible()
    return page


def evaluator(draw: Draw, port: AskedSession) -> ToolPage:
    """Judged, with its tables, flips, a pinned question, how the run stood, many skip sets, code and a refusal."""
    tool = ABEvaluator(port, b="vision absent 0-3", limit=60)
    tool.run()
    tool.sweep()
    tool.set(pinned=tool.data["key"].iloc[0], flips="worse")
    page = draw(tool)
    page.page.get_by_text("Code for this").click()
    expect(page.page.get_by_role("listbox")).to_be_visible()
    refuse(page, "margin", "3")
    return page


def refuse(page: ToolPage, label: str, value: str) -> None:
    page.by_label(label).fill(value)
    page.by_label(label).press("Enter")
    page.settle()
    expect(page.page.get_by_role("alert")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("full", [explorer, builder, evaluator])
def test_nothing_overflows_overlaps_or_is_cut_off_and_axe_is_content(
    draw: Draw, port: AskedSession, full: Callable[..., ToolPage], theme: str
) -> None:
    page = full(draw, port)
    if theme == "dark":
        page.dark()
    found: dict[str, Any] = {}
    for width, zoom in SIZES:
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.evaluate("zoom => { document.documentElement.style.zoom = zoom; }", zoom)
        page.page.wait_for_timeout(150)
        wrong = [*flaws(page.page, "#host"), *violations(page.page, "#host")]
        if page.page.evaluate("() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
            wrong.append("the page scrolls sideways")
        if wrong:
            found[f"{width} px at {100 * zoom} %"] = wrong
    assert found == {}


BAD = """<div style="position: relative; height: 90px">
    <button style="position: absolute; left: 0">one</button><button style="position: absolute; left: 9px">two</button>
    <p style="position: absolute; top: 40px; width: 20px; overflow: hidden; white-space: nowrap">much too long</p>
    <p style="position: absolute; top: 60px; width: 9999px">far</p></div>"""


def test_a_flaw_would_be_found(mount: Mount) -> None:
    page = mount(ABEvaluator.from_result(sample.comparison()).view.verdict).page
    page.evaluate("html => { document.querySelector('#host').innerHTML = html; }", BAD)
    found = "\n".join(flaws(page, "#host"))
    assert "button. 'two' lies on button. 'one'" in found
    assert "p. 'much too long' is cut off" in found
    assert "p. 'far' goes beyond the edge" in found
