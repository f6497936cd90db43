"""A drag on the strip that does not end as it should: the window is closed, left, or loses the pointer."""

import pytest
from playwright.sync_api import Locator, Page, expect

from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.layer_strip import LayerStrip
from skipit_nb.widgets.explorer.layer_plot import LayerPlot
from tests.browser.component_page import Component, Mount
from tests.browser.conftest import Opened, Written
from tests.browser.notebook_page import Notebook, drag

CELL = """
from skipit_nb import Session, SkipSetBuilder
session = Session.open(device="cpu")
builder = SkipSetBuilder(session, session.profile("easy-vqa", limit=32), skipset="vision absent 1")
builder
"""


# -- the window is closed --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def notebook(opened: Opened, written: Written) -> Notebook:
    made = opened(written(CELL))
    assert made.run_all(), made.errors()
    made.save()
    return made


def cell(page: Page, layer: int) -> Locator:
    return page.locator(f"[data-row=vision] > [data-layer='{layer}']")


def hold(page: Page, start: int, end: int) -> None:
    """Press on one layer and move to another, and do not let go."""
    for layer, steps in ((start, 1), (end, 8)):
        cell(page, layer).scroll_into_view_if_needed()
        box = cell(page, layer).bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=steps)
        if layer == start:
            page.mouse.down()


def test_a_window_closed_during_a_drag_leaves_a_whole_skip_set_and_a_tool_that_works(notebook: Notebook) -> None:
    expect(notebook.page.locator(".skipit-whatif[data-phase=answered]")).to_be_visible()
    hold(notebook.page, 4, 8)
    expect(cell(notebook.page, 7)).to_have_attribute("data-action", "absent")
    notebook.come_back()
    assert notebook.value("str(builder.skipset)") == "vision absent 1"
    assert [cell(notebook.page, layer).get_attribute("data-action") for layer in (1, 4, 7)] == ["absent", "run", "run"]
    drag(notebook.page, *(cell(notebook.page, layer) for layer in (5, 7)))
    notebook.wait_value("str(builder.skipset)", "vision absent 1+5-7")
    notebook.page.keyboard.press("Control+z")
    notebook.wait_value("str(builder.skipset)", "vision absent 1")
    assert notebook.value("builder.view.message.text") == ""
    assert notebook.errors() == []
    assert notebook.complaints == []


# -- the pointer is lost ---------------------------------------------------------------------------------------------


@pytest.fixture
def strip(mount: Mount) -> Component:
    made = LayerStrip()
    made.draw(SkipSet.parse("none", num_layers=12))
    return mount(made)


def looks(component: Component) -> list[str]:
    found: list[str] = component.host.locator("[data-row=vision] > [role=gridcell]").evaluate_all(
        "cells => cells.map(cell => cell.dataset.action)"
    )
    return found


def lose(component: Component, event: str, where: str) -> None:
    """What a browser tells when the pointer is taken away, such as by a gesture of the system or another window."""
    component.page.evaluate(
        "([event, where]) => document.querySelector(where).dispatchEvent(new PointerEvent(event, { bubbles: true }))",
        [event, where],
    )


@pytest.mark.parametrize("event", ["pointercancel", "lostpointercapture"])
def test_a_pointer_that_is_taken_away_gives_the_drag_up(strip: Component, event: str) -> None:
    hold(strip.page, 3, 6)
    assert looks(strip)[3:7] == ["absent"] * 4
    lose(strip, event, ".skipit-strip")
    assert looks(strip) == ["run"] * 12
    strip.page.mouse.up()
    assert strip.messages == []
    cell(strip.page, 2).click()
    assert [message["layers"] for message in strip.messages] == [[2]]


def test_a_button_released_unheard_does_not_leave_the_drag_hanging_on_the_pointer(strip: Component) -> None:
    hold(strip.page, 3, 6)
    strip.page.evaluate("() => window.addEventListener('pointerup', event => event.stopImmediatePropagation(), true)")
    strip.page.mouse.up()  # a debugger, a dialog or a remote desktop may swallow it
    cell(strip.page, 9).hover()
    assert looks(strip) == ["run"] * 12
    assert strip.messages == []


def test_a_pointer_that_leaves_the_window_paints_up_to_the_edge_and_sends_once(strip: Component) -> None:
    hold(strip.page, 3, 6)
    strip.page.mouse.move(2000, -300, steps=4)
    assert looks(strip) == ["run"] * 3 + ["absent"] * 9
    strip.page.evaluate("() => window.dispatchEvent(new Event('blur'))")
    strip.page.mouse.up()
    assert [message["layers"] for message in strip.messages] == [[*range(3, 12)]]


@pytest.mark.parametrize("event", ["pointercancel", "lostpointercapture"])
def test_a_plot_whose_pointer_is_taken_away_shows_the_layer_that_python_has(mount: Mount, event: str) -> None:
    values = [float(layer) for layer in range(12)]
    series = [{"name": "vision", "look": "vision", "values": values}]
    plot = mount(LayerPlot(title="Distance", y_title="d", height=200, top=0.0, num_layers=12, series=series, layer=2))
    area = plot.host.get_by_role("slider")
    area.hover(position={"x": 400, "y": 80})
    plot.page.mouse.down()
    assert area.get_attribute("aria-valuenow") != "2"
    lose(plot, event, ".skipit-plot-area")
    assert area.get_attribute("aria-valuenow") == "2"
    plot.page.mouse.move(50, 50)
    plot.page.mouse.up()
    assert (area.get_attribute("aria-valuenow"), plot.saves) == ("2", [])
