"""An image with distances laid over it, in a real browser without Jupyter."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from skipit_nb.charts.pixels import image_url
from skipit_nb.widgets.patch_overlay import PatchOverlay
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount
from tests.charts.sample_results import picture


def overlay(**traits: Any) -> PatchOverlay:
    given: dict[str, Any] = {
        "title": "distance at layer 3",
        "image": image_url(picture()),
        "alt": "a red square",
        "grid": [2, 3],
        "values": [0.0, 0.01, 0.02, 0.03, 0.04, 0.05],
        "tokens": ["what", "<b>color</b>"],
        "token_values": [0.1, 0.0004],
    }
    return PatchOverlay(**{**given, **traits})


@pytest.fixture
def component(mount: Mount) -> Component:
    return mount(overlay())


def cell(component: Component, row: int, column: int) -> Locator:
    return component.host.get_by_role("row").nth(row).get_by_role("gridcell").nth(column)


def readout(component: Component) -> Locator:
    return component.host.locator(".skipit-overlay-readout")


def test_patches_lie_in_reading_order_and_say_their_distance(component: Component) -> None:
    names = [one.get_attribute("aria-label") for one in component.host.get_by_role("gridcell").all()]
    assert names[:4] == [
        "row 0, column 0: 0",
        "row 0, column 1: 0.01",
        "row 0, column 2: 0.02",
        "row 1, column 0: 0.03",
    ]
    expect(component.host.get_by_role("grid", name="distance at layer 3")).to_be_visible()


def test_the_further_moved_the_darker_and_denser(component: Component) -> None:
    looks = "e => [getComputedStyle(e).backgroundColor, Number(getComputedStyle(e).opacity)]"
    pale, dark = cell(component, 0, 0).evaluate(looks), cell(component, 1, 2).evaluate(looks)
    assert pale == ["rgb(244, 248, 251)", 0.15]
    assert dark == ["rgb(6, 39, 74)", 1]


def test_the_legend_has_the_numbers_of_both_ends(component: Component) -> None:
    numbers = component.host.locator(".skipit-overlay-numbers span")
    assert numbers.all_text_contents() == ["0", "0.025", "0.05"]
    component.from_python(span=[0.0, 0.2])
    expect(numbers.last).to_have_text("0.2")
    assert cell(component, 1, 2).evaluate("e => Number(e.style.opacity)") == pytest.approx(0.15 + 0.85 * 0.25)


def test_equal_distances_are_all_pale(mount: Mount) -> None:
    component = mount(overlay(values=[0.03] * 6))
    assert cell(component, 1, 1).evaluate("e => e.style.backgroundColor") == "rgb(244, 248, 251)"


def test_pointing_at_a_patch_prints_its_value(component: Component) -> None:
    expect(readout(component)).to_have_text("mean 0.025, from 0 to 0.05")
    cell(component, 1, 1).hover()
    expect(readout(component)).to_have_text("row 1, column 1: 0.04")
    component.page.mouse.move(900, 590)
    expect(readout(component)).to_have_text("mean 0.025, from 0 to 0.05")


def test_arrow_keys_walk_over_the_patches_and_stop_at_the_edge(component: Component) -> None:
    component.page.keyboard.press("Tab")
    expect(readout(component)).to_have_text("row 0, column 0: 0")
    for key, want in (
        ("ArrowRight", "row 0, column 1: 0.01"),
        ("ArrowDown", "row 1, column 1: 0.04"),
        ("ArrowDown", "row 1, column 1: 0.04"),
        ("ArrowLeft", "row 1, column 0: 0.03"),
        ("ArrowUp", "row 0, column 0: 0"),
    ):
        component.page.keyboard.press(key)
        expect(readout(component)).to_have_text(want)
    assert component.host.locator("[role=gridcell][tabindex='0']").count() == 1


def test_no_key_but_tab_gets_out(component: Component) -> None:
    component.page.evaluate(
        "() => { window.out = []; document.addEventListener('keydown', e => window.out.push(e.key)); }"
    )
    cell(component, 0, 0).focus()
    for key in ("d", "b", "ArrowDown", "Enter", "Tab"):
        component.page.keyboard.press(key)
    assert component.page.evaluate("() => window.out") == ["Tab"]


def test_the_overlay_fades_and_python_hears_of_it_once(component: Component) -> None:
    slider = component.host.get_by_role("slider", name="Overlay")
    slider.fill("0.2")
    assert component.saves == [{"opacity": 0.2}]
    assert component.host.get_by_role("grid").evaluate("e => Number(getComputedStyle(e).opacity)") == 0.2
    component.from_python(opacity=1)
    expect(slider).to_have_value("1")


def test_text_tokens_show_a_bar_and_a_number_and_are_never_html(component: Component) -> None:
    tokens = component.host.get_by_role("listitem")
    assert tokens.all_text_contents() == ["what0.1", "<b>color</b>4.0e-4"]
    assert component.host.locator(".skipit-overlay b").count() == 0
    heights = [
        one.evaluate("e => e.style.height") for one in component.host.locator(".skipit-overlay-rise > span").all()
    ]
    assert heights == ["100%", "0.4%"]


def test_another_layer_repaints_and_another_grid_rebuilds(component: Component) -> None:
    component.from_python(values=[0.5] + [0.0] * 5)
    expect(cell(component, 0, 0)).to_have_attribute("aria-label", "row 0, column 0: 0.5")
    component.from_python(grid=[1, 2], values=[0.1, 0.2])
    expect(component.host.get_by_role("gridcell")).to_have_count(2)
    component.from_python(grid=[2, 1])
    expect(component.host.get_by_role("row")).to_have_count(2)


def test_the_image_has_the_shape_of_its_patches(component: Component) -> None:
    box = component.host.locator(".skipit-overlay-stage").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(3 / 2, abs=0.01)


def test_without_a_grid_the_image_stands_alone_with_a_word(mount: Mount) -> None:
    component = mount(overlay(grid=[0, 0], values=[], empty="these vision tokens form no single grid"))
    expect(component.host.locator(".skipit-overlay-empty")).to_have_text("these vision tokens form no single grid")
    expect(component.host.get_by_role("img", name="a red square")).to_be_visible()
    expect(component.host.get_by_role("slider")).to_have_count(0)


def test_a_small_image_keeps_its_edges(component: Component) -> None:
    image = component.host.get_by_role("img")
    expect(image).to_have_class("skipit-overlay-image skipit-overlay-pixelated")


@pytest.mark.parametrize("width", [320, 2560])
def test_it_fits_a_page_of_any_width(mount: Mount, width: int) -> None:
    component = mount(overlay(tokens=["word"] * 40, token_values=[0.1] * 40))
    component.page.set_viewport_size({"width": width, "height": 600})
    assert component.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_it_is_accessible_and_leaves_nothing_behind(component: Component) -> None:
    assert violations(component.page, "#host") == []
    assert component.clean_up() == 0
