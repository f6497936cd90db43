"""The map of bands in a bare page."""

from typing import Any

import pytest
from playwright.sync_api import expect

from skipit_nb.widgets.explorer.bands import BandMap
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount

LAYERS = 4


def band_map(**traits: Any) -> BandMap:
    """Four layers; the number of a band is its first layer, a point, and its last."""
    values = [first + last / 10 for first in range(LAYERS) for last in range(first, LAYERS)]
    return BandMap(**{"title": "Bands", "unit": "angle", "num_layers": LAYERS, "values": values} | traits)


@pytest.fixture
def component(mount: Mount) -> Component:
    return mount(band_map())


def click(component: Component, first: int, last: int) -> None:
    """Click where a band lies: its first layer to the right, its last upwards."""
    edge = 300 / LAYERS
    box = component.host.locator("svg").bounding_box()
    assert box is not None
    scale = box["width"] / 338
    x, y = 34 + (first + 0.5) * edge, (LAYERS - 1 - last + 0.5) * edge
    component.page.mouse.click(box["x"] + x * scale, box["y"] + y * scale)


MIDDLES = [(0, 3, "layers 0 to 3: 0.3"), (1, 2, "layers 1 to 2: 1.2"), (3, 3, "layer 3: 3.3")]


@pytest.mark.parametrize("first, last, said", MIDDLES)
def test_a_click_chooses_the_band_below_it(component: Component, first: int, last: int, said: str) -> None:
    click(component, first, last)
    assert component.saves == [{"band": [first, last]}]
    component.page.mouse.move(5, 590)
    expect(component.host.get_by_role("status")).to_have_text(said)
    click(component, first, last)
    assert component.saves[-1] == {"band": []}


def test_nothing_lies_below_the_diagonal(component: Component) -> None:
    click(component, 3, 0)
    assert component.saves == []


def test_keys_change_first_and_last_layer_and_python_hears_at_their_end(component: Component) -> None:
    area = component.host.get_by_role("application")
    area.focus()
    for key, said in (
        ("ArrowRight", "layer 0: 0"),
        ("ArrowUp", "layers 0 to 1: 0.1"),
        ("ArrowUp", "layers 0 to 2: 0.2"),
        ("ArrowRight", "layers 1 to 2: 1.2"),
        ("ArrowDown", "layer 1: 1.1"),
        ("ArrowDown", "layer 0: 0"),
    ):
        component.page.keyboard.press(key)
        expect(component.host.get_by_role("status")).to_have_text(said)
    assert component.saves[-1] == {"band": [0, 0]}
    component.page.keyboard.press("Escape")
    assert component.saves[-1] == {"band": []}


def test_no_key_but_tab_gets_out(component: Component) -> None:
    component.page.evaluate(
        "() => { window.out = []; document.addEventListener('keydown', e => window.out.push(e.key)); }"
    )
    component.host.get_by_role("application").focus()
    for key in ("d", "b", "ArrowDown", "Enter", "Tab"):
        component.page.keyboard.press(key)
    assert component.page.evaluate("() => window.out") == ["Tab"]


def test_the_further_turned_the_darker(component: Component) -> None:
    fills = [one.get_attribute("fill") for one in component.host.locator(".skipit-bands-cell").all()]
    assert len(fills) == LAYERS * (LAYERS + 1) // 2
    assert (fills[0], fills[-1]) == ("rgb(244,248,251)", "rgb(6,39,74)")


def test_without_a_map_it_says_so(mount: Mount) -> None:
    component = mount(band_map(values=[], empty="not measured"))
    expect(component.host.get_by_text("Bands: not measured")).to_be_visible()
    expect(component.host.get_by_role("application")).to_have_count(0)
    component.from_python(values=band_map().values)
    expect(component.host.locator(".skipit-bands-cell")).to_have_count(10)


def test_a_band_chosen_in_python_is_marked(component: Component) -> None:
    component.from_python(band=[1, 3])
    expect(component.host.locator(".skipit-bands-chosen")).to_have_count(1)
    expect(component.host.get_by_role("status")).to_have_text("layers 1 to 3: 1.3")


def test_it_is_accessible_and_leaves_nothing_behind(component: Component) -> None:
    assert violations(component.page, "#host") == []
    assert component.clean_up() == 0
