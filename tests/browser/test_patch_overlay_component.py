"""The patch overlay in a bare page."""

from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from skipit_nb.charts.pixels import image_url
from skipit_nb.widgets.explorer.patch_overlay import PatchOverlay
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount


def boxes(rows: int, columns: int) -> list[list[float]]:
    return [
        [column / columns, row / rows, (column + 1) / columns, (row + 1) / rows]
        for row in range(rows)
        for column in range(columns)
    ]


def stage(rows: int, columns: int, **more: Any) -> dict[str, Any]:
    given = {"image": 0, "caption": f"{rows} × {columns} tokens", "aspect": 1.5, "at": list(range(rows * columns))}
    return given | {"boxes": boxes(rows, columns)} | more


def overlay(**traits: Any) -> PatchOverlay:
    given = {
        "title": "distance at layer 3",
        "unit": "d = 1 − cos, pale = moved least",
        "images": [image_url(Image.new("RGB", (48, 32), "red"))],
        "alt": "a red square",
        "stages": [stage(2, 3)],
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
    expect(component.host.get_by_role("grid", name="distance at layer 3, 2 × 3 tokens")).to_be_visible()


def color(component: Component, row: int, column: int) -> list[int]:
    """Red, green, blue and opacity in the middle of a patch of 2 x 3."""
    return component.host.locator("canvas").evaluate(  # type: ignore[no-any-return]
        "(e, [x, y]) => [...e.getContext('2d').getImageData(x * e.width, y * e.height, 1, 1).data]",
        [(column + 0.5) / 3, (row + 0.5) / 2],
    )


def test_the_further_moved_the_darker_and_denser(component: Component) -> None:
    assert color(component, 0, 0) == pytest.approx([244, 248, 251, 0.15 * 255], abs=4)
    assert color(component, 1, 2) == [6, 39, 74, 255]


def test_a_patch_lies_where_its_box_says(mount: Mount) -> None:
    component = mount(overlay(stages=[stage(1, 1, boxes=[[0.25, 0.5, 0.5, 1.0]])], values=[0.1]))
    image, patch = component.host.get_by_role("img").bounding_box(), cell(component, 0, 0).bounding_box()
    assert image is not None
    assert patch is not None
    assert (patch["x"] - image["x"]) / image["width"] == pytest.approx(0.25, abs=0.02)
    assert (patch["y"] - image["y"]) / image["height"] == pytest.approx(0.5, abs=0.02)
    assert patch["width"] / image["width"] == pytest.approx(0.25, abs=0.02)
    assert patch["height"] / image["height"] == pytest.approx(0.5, abs=0.02)


def test_images_and_their_tiles_stand_side_by_side_and_newlines_are_counted(mount: Mount) -> None:
    wide = image_url(Image.new("RGB", (60, 30), "blue"))
    stages = [
        stage(2, 3, caption="image 1, the whole image"),
        stage(1, 2, caption="image 2, tiles", image=1, at=[7, 8], aspect=2.0),
    ]
    component = mount(overlay(images=[overlay().images[0], wide], stages=stages, values=[0.01] * 7 + [0.2, 0.3, 0.4]))
    expect(component.host.get_by_role("grid")).to_have_count(2)
    expect(component.host.get_by_text("image 2, tiles")).to_be_visible()
    names = component.host.get_by_role("grid").nth(1).get_by_role("gridcell")
    assert [one.get_attribute("aria-label") for one in names.all()] == ["row 0, column 0: 0.2", "row 0, column 1: 0.3"]
    expect(readout(component)).to_contain_text("2 newline or padding tokens: mean 0.205")
    left, right = (component.host.get_by_role("img").nth(i).bounding_box() for i in (0, 1))
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] < right["x"]


def test_sinks_are_outlined_and_named(mount: Mount) -> None:
    component = mount(overlay(sinks=[4], token_sinks=[0], lengths=[1.0, 1, 1, 1, 90, 1, 80, 1]))
    expect(cell(component, 1, 1)).to_have_attribute("aria-label", "row 1, column 1: 0.04, sink, length 90")
    assert cell(component, 1, 1).evaluate("e => getComputedStyle(e).outlineStyle") == "dashed"
    assert cell(component, 0, 1).evaluate("e => getComputedStyle(e).outlineStyle") == "none"
    assert component.host.get_by_role("listitem").first.text_content() == "what0.1sink"


def test_the_legend_has_the_numbers_of_both_ends(component: Component) -> None:
    numbers = component.host.locator(".skipit-overlay-numbers span")
    assert numbers.all_text_contents() == ["0", "0.025", "0.05"]
    component.from_python(span=[0.0, 0.2])
    expect(numbers.last).to_have_text("0.2")
    assert color(component, 1, 2)[3] == pytest.approx((0.15 + 0.85 * 0.25) * 255, abs=1)


def test_equal_distances_are_all_pale(mount: Mount) -> None:
    component = mount(overlay(values=[0.03] * 6))
    assert color(component, 1, 1) == pytest.approx([244, 248, 251, 0.15 * 255], abs=4)


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
    assert component.host.locator("canvas").evaluate("e => Number(getComputedStyle(e).opacity)") == 0.2
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


def test_another_layer_repaints_and_another_question_rebuilds(component: Component) -> None:
    component.page.evaluate("() => { window.first = document.querySelector('[role=gridcell]'); }")
    component.from_python(values=[0.5] + [0.0] * 5)
    expect(cell(component, 0, 0)).to_have_attribute("aria-label", "row 0, column 0: 0.5")
    assert component.page.evaluate("() => window.first.isConnected")  # so that the focus stays where it was
    component.from_python(stages=[stage(1, 2)], values=[0.1, 0.2])
    expect(component.host.get_by_role("gridcell")).to_have_count(2)


CHOOSE = """() => document.dispatchEvent(new CustomEvent('skipit-layer',
    { detail: { layer: 1, room: null, from: null } }))"""


def test_a_layer_chosen_in_a_plot_beside_is_painted_before_python_answers(mount: Mount) -> None:
    frames = [{}, {"title": "distance at layer 1", "values": [0.5] + [0.0] * 5, "token_values": [0.7, 0.2]}]
    component = mount(overlay(frames=frames))
    component.page.evaluate(CHOOSE)
    assert cell(component, 0, 0).get_attribute("aria-label") == "row 0, column 0: 0.5"
    assert component.host.get_by_role("listitem").first.text_content() == "what0.7"
    component.from_python(values=[0.3] + [0.0] * 5)  # what Python says goes before
    expect(cell(component, 0, 0)).to_have_attribute("aria-label", "row 0, column 0: 0.3")
    component.clean_up()
    component.page.evaluate(CHOOSE)
    expect(cell(component, 0, 0)).to_have_attribute("aria-label", "row 0, column 0: 0.3")


def test_the_image_keeps_its_shape(component: Component) -> None:
    box = component.host.locator(".skipit-overlay-stage").bounding_box()
    assert box is not None
    assert box["width"] / box["height"] == pytest.approx(3 / 2, abs=0.02)


def test_without_places_the_image_stands_alone_with_a_word(mount: Mount) -> None:
    component = mount(overlay(stages=[], empty="it is not known where these vision tokens are from"))
    expect(component.host.locator(".skipit-overlay-empty")).to_contain_text("not known where")
    expect(component.host.get_by_role("img", name="a red square")).to_be_visible()
    expect(component.host.get_by_role("slider")).to_have_count(0)


def test_with_nothing_to_show_it_takes_no_room(mount: Mount) -> None:
    component = mount(PatchOverlay())
    expect(component.host).to_be_hidden()
    component.from_python(**{name: getattr(overlay(), name) for name in ("images", "stages", "values", "tokens")})
    expect(component.host.get_by_role("grid")).to_be_visible()


def test_a_small_image_keeps_its_edges(component: Component) -> None:
    image = component.host.get_by_role("img")
    expect(image).to_have_class("skipit-overlay-image skipit-overlay-pixelated")


@pytest.mark.bench  # milliseconds say nothing on a machine that does other work
def test_a_layer_of_a_large_image_is_painted_within_a_frame_or_two(mount: Mount) -> None:
    many = 2880  # LLaVA-NeXT at its largest
    component = mount(overlay(stages=[stage(48, 60)], values=[0.01] * many, lengths=[1.0] * (many + 2)))
    painted = component.page.evaluate("""async many => {
        const took = [];
        for (let round = 0; round < 20; round++) {
            const start = performance.now();
            window.fromPython({ values: Array.from({ length: many }, (_, at) => ((at * 7 + round) % 100) / 100) });
            await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
            took.push(performance.now() - start);
        }
        return took.sort((a, b) => a - b)[10];
    }""", many)  # fmt: skip
    assert painted < 150


@pytest.mark.parametrize("width", [320, 2560])
def test_it_fits_a_page_of_any_width(mount: Mount, width: int) -> None:
    component = mount(overlay(tokens=["word"] * 40, token_values=[0.1] * 40))
    component.page.set_viewport_size({"width": width, "height": 600})
    assert component.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_it_is_accessible_and_leaves_nothing_behind(component: Component) -> None:
    assert violations(component.page, "#host") == []
    assert component.clean_up() == 0
