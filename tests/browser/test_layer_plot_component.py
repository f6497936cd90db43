"""The plot of values per layer, in a real browser without Jupyter."""

from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from skipit_nb.widgets.explorer.layer_plot import LayerPlot
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount

VISION = {"name": "vision", "look": "vision", "values": [0.01, 0.02, 0.03, 0.04], "low": [0.0] * 4, "high": [0.05] * 4}
TEXT = {"name": "text", "look": "text", "values": [0.4, 0.3, 0.2, None]}


def plot(**traits: Any) -> LayerPlot:
    given: dict[str, Any] = {"title": "Distance", "y_title": "1 - cos", "num_layers": 4, "series": [VISION, TEXT]}
    return LayerPlot(**{**given, **traits})


@pytest.fixture
def component(mount: Mount) -> Component:
    return mount(plot(layer=1))


def slider(component: Component) -> Locator:
    return component.host.get_by_role("slider", name="Distance: layer")


def at_layer(component: Component, layer: float) -> tuple[float, float]:
    """A point of the page in the column of a layer; the axis takes 50 pixels at the left and 10 at the right."""
    box = slider(component).bounding_box()
    assert box is not None
    return box["x"] + 50 + (box["width"] - 60) * (layer + 0.5) / 4, box["y"] + 80


def paths(component: Component, name: str) -> int:
    return component.host.locator(f".skipit-plot-area .{name}").count()


def test_every_series_has_a_line_points_and_a_band_where_there_is_one(component: Component) -> None:
    assert paths(component, "skipit-plot-line") == 2
    assert paths(component, "skipit-plot-band") == 1
    assert paths(component, "skipit-plot-point:not(.skipit-plot-ring)") == 7  # the text's last value is missing
    points = [f".skipit-plot-area g.skipit-look-{look} .skipit-plot-point" for look in ("vision", "text")]
    assert len({component.host.locator(some).first.get_attribute("d") for some in points}) == 2


def test_the_legend_prints_the_values_at_the_layer(component: Component) -> None:
    expect(component.host.locator(".skipit-plot-place")).to_have_text("layer 1")
    expect(component.host.locator(".skipit-plot-legend")).to_have_text("vision 0.02text 0.3")


def test_a_click_chooses_a_layer_in_one_message(component: Component) -> None:
    component.page.mouse.click(*at_layer(component, 3))
    assert component.saves == [{"layer": 3}]
    expect(slider(component)).to_have_attribute("aria-valuetext", "layer 3: vision 0.04, text –")


def test_a_click_on_the_chosen_layer_says_nothing(component: Component) -> None:
    component.page.mouse.click(*at_layer(component, 1))
    assert component.saves == []


def test_a_drag_sends_one_message_at_its_end(component: Component) -> None:
    mouse = component.page.mouse
    mouse.move(*at_layer(component, 0))
    mouse.down()
    mouse.move(*at_layer(component, 3), steps=10)
    assert component.saves == []
    mouse.up()
    assert component.saves == [{"layer": 3}]


def test_pointing_shows_values_and_leaving_shows_the_chosen_layer_again(component: Component) -> None:
    component.page.mouse.move(*at_layer(component, 2))
    expect(component.host.locator(".skipit-plot-legend")).to_have_text("vision 0.03text 0.2")
    component.page.mouse.move(0, 590)
    expect(component.host.locator(".skipit-plot-legend")).to_have_text("vision 0.02text 0.3")
    assert component.saves == []


def test_keys_choose_a_layer_and_stop_at_the_ends(component: Component) -> None:
    slider(component).focus()
    for key, want in (("ArrowRight", 2), ("End", 3), ("ArrowUp", 3), ("Home", 0), ("ArrowLeft", 0), ("PageUp", 3)):
        component.page.keyboard.press(key)
        assert component.state("layer") == want
    assert component.saves == [{"layer": 2}, {"layer": 3}, {"layer": 0}, {"layer": 3}]


def test_a_held_key_sends_one_message(component: Component) -> None:
    slider(component).focus()
    for _ in range(5):
        component.page.keyboard.down("ArrowRight")  # a second one without release is a repeat
    component.page.keyboard.up("ArrowRight")
    assert component.saves == [{"layer": 3}]


def test_no_key_but_tab_and_shortcuts_gets_out(component: Component) -> None:
    component.page.evaluate(
        "() => { window.out = []; document.addEventListener('keydown', e => window.out.push(e.key)); }"
    )
    slider(component).focus()
    for key in ("d", "b", "ArrowDown", "Enter", "Escape", "Control+s", "Tab"):
        component.page.keyboard.press(key)
    assert component.page.evaluate("() => window.out") == ["Control", "s", "Tab"]


def test_python_moves_the_layer_and_changes_the_data(component: Component) -> None:
    component.from_python(layer=2)
    expect(slider(component)).to_have_attribute("aria-valuenow", "2")
    component.from_python(num_layers=6, series=[{"name": "VAR", "look": "flow", "values": [0.5] * 6}], layer=5)
    expect(slider(component)).to_have_attribute("aria-valuetext", "layer 5: VAR 0.5")
    expect(slider(component)).to_have_attribute("aria-valuemax", "5")
    assert component.saves == []


def test_skipped_bands_are_shaded_and_named(mount: Mount) -> None:
    bands = [{"start": 0, "stop": 2, "label": "vision absent"}, {"start": 3, "stop": 4, "label": "<b>whole</b>"}]
    component = mount(plot(skipped=bands, height=240))
    assert paths(component, "skipit-plot-skipped") == 2
    words = component.host.locator(".skipit-plot-area text").all_text_contents()
    assert {"vision absent", "<b>whole</b>"} <= set(words)
    assert component.host.locator("b", has_text="whole").count() == 0


def test_a_log_axis_has_powers_of_ten(mount: Mount) -> None:
    component = mount(plot(scale="log"))
    words = component.host.locator(".skipit-plot-area text").all_text_contents()
    assert words[:3] == ["0.01", "0.1", "1"]


def test_an_empty_plot_says_so(mount: Mount) -> None:
    component = mount(plot(series=[]))
    expect(component.host.locator("svg").last).to_contain_text("not measured yet")
    expect(slider(component)).to_have_attribute("aria-valuetext", "layer 0: not measured yet")


@pytest.mark.parametrize("width", [320, 2560])
def test_it_fits_a_page_of_any_width(mount: Mount, width: int) -> None:
    component = mount(plot())
    component.page.set_viewport_size({"width": width, "height": 600})
    component.page.wait_for_timeout(100)
    assert component.page.evaluate("() => document.documentElement.scrollWidth") <= width
    expect(component.host.locator(".skipit-plot-area > svg")).to_have_attribute("viewBox", f"0 0 {width - 16} 220")


def test_eighty_layers_keep_their_labels_apart(mount: Mount) -> None:
    component = mount(plot(num_layers=80, series=[{"name": "vision", "look": "vision", "values": [0.1] * 80}]))
    labels = component.host.locator(".skipit-plot-area text[text-anchor=middle]").all_text_contents()
    assert labels == [str(layer) for layer in range(0, 80, 2)]


def test_it_is_accessible_and_leaves_nothing_behind(component: Component) -> None:
    assert violations(component.page, "#host") == []
    assert component.clean_up() == 0
