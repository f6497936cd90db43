"""The strip in a real browser: pointer, keyboard, repaint, and what a screen reader finds."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder.layer_strip import LayerStrip, Measure
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount
from tests.browser.notebook_page import drag


def strip(text: str = "none", num_layers: int = 12) -> LayerStrip:
    made = LayerStrip()
    made.draw(SkipSet.parse(text, num_layers=num_layers))
    return made


def measure(texts: list[str], label: str = "vision distance", hint: str = "low = redundant") -> Measure:
    return {"label": label, "hint": hint, "heights": [0.25] * len(texts), "line": 0.5, "texts": texts}


def cell(component: Component, layer: int, row: str = "vision") -> Locator:
    return component.host.locator(f"[data-row={row}] > [data-layer='{layer}']")


def actions(component: Component, row: str = "vision") -> list[str]:
    found: list[str] = component.host.locator(f"[data-row={row}] > [role=gridcell]").evaluate_all(
        "cells => cells.map(cell => cell.dataset.action)"
    )
    return found


def pending(component: Component) -> list[int]:
    """Layers whose cells show a gesture that Python has not confirmed."""
    found: list[int] = component.host.locator("[data-pending]").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.layer))"
    )
    return found


def sent(component: Component) -> list[Any]:
    """The gestures, without their names."""
    return [{name: value for name, value in message.items() if name != "id"} for message in component.messages]


def test_a_drag_sends_exactly_one_message_with_the_action_of_the_first_cell(mount: Mount) -> None:
    component = mount(strip("vision absent 5"))
    drag(component.page, cell(component, 3), cell(component, 7))
    assert sent(component) == [{"row": "vision", "layers": [3, 4, 5, 6, 7], "action": "absent"}]
    assert component.saves == []
    drag(component.page, cell(component, 5), cell(component, 4))
    assert sent(component)[1:] == [{"row": "vision", "layers": [4, 5], "action": "frozen"}]


def test_a_drag_is_shown_while_it_lasts_and_python_has_the_last_word(mount: Mount) -> None:
    component = mount(strip())
    page = component.page
    box = cell(component, 2).bounding_box()
    end = cell(component, 4).bounding_box()
    assert box is not None
    assert end is not None
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 200, steps=5)  # far below its row
    assert actions(component) == ["run"] * 2 + ["absent"] * 3 + ["run"] * 7
    page.mouse.up()
    assert actions(component) == ["run"] * 2 + ["absent"] * 3 + ["run"] * 7
    assert pending(component) == [2, 3, 4]
    component.from_python(answered=component.messages[0]["id"])  # refused: nothing changed
    assert (actions(component), pending(component)) == (["run"] * 12, [])


@pytest.mark.parametrize("key, sent", [("Escape", 0), (None, 1)])
def test_escape_gives_a_drag_up(mount: Mount, key: str | None, sent: int) -> None:
    component = mount(strip())
    cell(component, 2).hover()
    component.page.mouse.down()
    cell(component, 6).hover()
    if key:
        component.page.keyboard.press(key)
    component.page.mouse.up()
    assert len(component.messages) == sent


def test_a_click_goes_to_the_next_action_of_its_row(mount: Mount) -> None:
    component = mount(strip("vision absent 1; vision frozen 2; whole 3; attn 4"))
    for layer in range(5):
        cell(component, layer).click()
    assert [message["action"] for message in component.messages] == ["absent", "frozen", "run", "run", "run"]
    component = mount(strip("whole 3; attn 4"))
    for layer in (0, 3, 4):
        cell(component, layer, "layer").click()
    assert [message["action"] for message in component.messages] == ["whole", "attn", "mlp"]


def test_shift_and_a_click_paint_from_the_last_cell_to_this_one(mount: Mount) -> None:
    component = mount(strip())
    cell(component, 8).click()
    cell(component, 5).click(modifiers=["Shift"])
    assert sent(component)[1] == {"row": "vision", "layers": [5, 6, 7, 8], "action": "absent"}


def test_a_click_without_a_pointer_works_as_screen_readers_make_it(mount: Mount) -> None:
    component = mount(strip())
    cell(component, 4, "text").evaluate("cell => cell.click()")
    assert sent(component) == [{"row": "text", "layers": [4], "action": "absent"}]


def focused(component: Component) -> Any:
    return component.page.evaluate("() => document.activeElement.getAttribute('aria-label')")


def test_one_tab_stop_and_arrows_move_inside(mount: Mount) -> None:
    component = mount(strip())
    keyboard = component.page.keyboard
    assert component.host.locator("[tabindex='0']").count() == 1
    keyboard.press("Tab")
    assert focused(component) == "layer 0, vision: run"
    for key, label in [
        ("ArrowRight", "layer 1, vision: run"),
        ("ArrowDown", "layer 1, text: run"),
        ("End", "layer 11, text: run"),
        ("ArrowRight", "layer 11, text: run"),
        ("ArrowDown", "layer 11, whole layer: run"),
        ("ArrowDown", "layer 11, whole layer: run"),
        ("Home", "layer 0, whole layer: run"),
        ("ArrowUp", "layer 0, text: run"),
    ]:
        keyboard.press(key)
        assert focused(component) == label
    assert component.host.locator("[tabindex='0']").count() == 1
    assert component.messages == []


def test_keys_set_the_action(mount: Mount) -> None:
    component = mount(strip())
    cell(component, 2).focus()
    for key in ("a", "F", "r", "w", " ", "Enter", "m", "x"):
        component.page.keyboard.press(key)
    assert [(message["row"], message["action"]) for message in component.messages] == [
        ("vision", "absent"),
        ("vision", "frozen"),
        ("vision", "run"),
        ("layer", "whole"),
        ("vision", "run"),  # each goes on from what the page shows, before Python has answered
        ("vision", "absent"),
        ("layer", "mlp"),
    ]
    assert [message["layers"] for message in component.messages] == [[2]] * 7


def test_shift_and_an_arrow_carry_the_action_on(mount: Mount) -> None:
    component = mount(strip("vision absent 0"))
    component.page.keyboard.press("Tab")
    component.page.keyboard.press("Shift+ArrowRight")
    assert sent(component) == [{"row": "vision", "layers": [0, 1], "action": "absent"}]


def test_keys_do_not_leave_the_strip_but_saving_and_tab_do(mount: Mount) -> None:
    component = mount(strip())
    component.page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', event => window.heard.push(event.key)); }"
    )
    component.page.keyboard.press("Tab")
    for key in ("b", "d", "d", "j", "x", "ArrowDown", "Escape", "Enter", "Control+s", "Tab"):
        component.page.keyboard.press(key)
    assert component.page.evaluate("() => window.heard") == ["Tab", "Control", "s", "Tab"]


def test_gestures_that_overtake_python_stay_on_the_page_until_each_is_answered(mount: Mount) -> None:
    component = mount(strip())
    for layer in (1, 2):
        cell(component, layer).click()
    first, second = (message["id"] for message in component.messages)
    assert pending(component) == [1, 2]
    component.from_python(cells=strip("vision absent 1").cells, answered=first)
    assert (actions(component)[:4], pending(component)) == (["run", "absent", "absent", "run"], [2])
    component.from_python(answered="another view's gesture")
    assert pending(component) == [2]
    component.from_python(cells=strip("vision absent 1-2").cells, answered=second)
    assert (actions(component)[:4], pending(component)) == (["run", "absent", "absent", "run"], [])


@pytest.mark.parametrize(
    "key, way",
    [("Control+z", "undo"), ("Meta+z", "undo"), ("Control+Shift+z", "redo"), ("Control+y", "redo")],
)
def test_undo_and_redo_go_to_python_and_nowhere_else(mount: Mount, key: str, way: str) -> None:
    component = mount(strip())
    component.page.evaluate(
        "() => { window.heard = []; document.addEventListener('keydown', event => window.heard.push(event.key)); }"
    )
    component.page.keyboard.press("Tab")
    component.page.keyboard.press(key)
    assert component.messages == [{"travel": way}]
    assert {"z", "Z", "y"}.isdisjoint(component.page.evaluate("() => window.heard"))


def test_bars_and_their_line_stand_behind_the_cells(mount: Mount) -> None:
    widget = strip("vision absent 1", num_layers=3)
    widget.behind = {"vision": {**measure(["a", "b", "c"]), "heights": [0.0, 0.25, 1.0]}}
    component = mount(widget)
    bars = component.host.locator("[data-row=vision] > [role=gridcell] > i")
    heights = bars.evaluate_all("bars => bars.map(bar => bar.offsetHeight / bar.parentElement.clientHeight)")
    assert heights == pytest.approx([0, 0.25, 1], abs=0.02)
    goes_on = bars.evaluate_all("bars => bars.map(bar => bar.className)")
    assert goes_on == ["", "", "skipit-strip-more"]
    component.from_python(behind={})
    assert component.host.locator(".skipit-strip-measured").count() == 0


def test_python_repaints_without_losing_the_focus(mount: Mount) -> None:
    component = mount(strip())
    component.page.keyboard.press("Tab")
    component.page.keyboard.press("ArrowRight")
    fresh = strip("vision absent 1; whole 3")
    behind = {"vision": measure([f"0.{layer}" for layer in range(12)])}
    component.from_python(cells=fresh.cells, notes=[f"reason {layer}" for layer in range(12)], behind=behind)
    assert focused(component) == "layer 1, vision: absent"
    expect(cell(component, 3)).to_have_text("W")
    expect(cell(component, 1)).to_have_attribute("aria-description", "vision distance 0.1. reason 1")
    expect(cell(component, 1, "text")).to_have_attribute("aria-description", "reason 1")
    expect(component.host.get_by_text("layer 1: reason 1", exact=True)).to_be_visible()


def test_another_number_of_layers_builds_the_strip_anew(mount: Mount) -> None:
    component = mount(strip())
    component.from_python(cells=strip("vision absent 3", num_layers=4).cells)
    assert actions(component) == ["run", "run", "run", "absent"]
    assert component.host.locator("[tabindex='0']").count() == 1


def test_a_screen_reader_finds_a_named_grid_with_rows_and_headers(mount: Mount) -> None:
    component = mount(strip("vision absent 1", num_layers=2))
    snapshot = component.host.get_by_role("grid").aria_snapshot()
    for line in ('rowheader "vision"', 'gridcell "layer 1, vision: absent"', 'columnheader "1"'):
        assert line in snapshot
    assert violations(component.page, "#host") == []


@pytest.mark.parametrize("width", [320, 1000, 2560])
@pytest.mark.parametrize("num_layers", [12, 80])
def test_it_fits_every_width_and_its_cells_stay_large_enough(mount: Mount, width: int, num_layers: int) -> None:
    component = mount(strip("vision absent 3-", num_layers=num_layers))
    component.page.set_viewport_size({"width": width, "height": 500})
    page_scrolls = component.page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth")
    box = cell(component, num_layers - 1).bounding_box()
    assert box is not None
    assert (page_scrolls, box["width"] >= 24, box["height"] >= 24) == (False, True, True)


def test_a_reason_is_text_whatever_it_holds(mount: Mount) -> None:
    widget = strip()
    payload = "<img src=x onerror='window.hacked = true'>"
    widget.notes = [payload] * 12
    widget.marks = [{"sign": payload, "text": payload, "tone": "bad"}] * 12
    widget.behind = {"text": measure([payload] * 12, label=payload, hint=payload)}
    component = mount(widget)
    assert component.host.locator("img").count() == 0
    assert component.page.evaluate("() => window.hacked") is None
    expect(component.host.get_by_text(payload).first).to_be_visible()


@pytest.mark.parametrize("num_layers, most_ms", [(12, 100), (80, 200)])
def test_a_repaint_takes_a_fraction_of_the_time_a_person_notices(mount: Mount, num_layers: int, most_ms: int) -> None:
    component = mount(strip(num_layers=num_layers))
    cells = [strip(text, num_layers).cells for text in ("vision absent 0-", "whole 2-; attn 1")]
    times = component.page.evaluate(
        """states => Array.from({ length: 40 }, (_, i) => {
            const start = performance.now();
            window.fromPython({ cells: states[i % 2] });
            document.body.getBoundingClientRect();  // layout, too
            return performance.now() - start;
        }).sort((a, b) => a - b)""",
        cells,
    )
    assert times[20] < most_ms  # the median: a busy machine has its own pauses


def test_taking_it_down_leaves_no_listeners(mount: Mount) -> None:
    assert mount(strip()).clean_up() == 0
