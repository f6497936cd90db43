"""The explorer drawn in a page, with its Python behind it. No Jupyter."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from skipit_nb.widgets import LayerDistanceExplorer
from tests.browser.accessibility import violations
from tests.browser.tool_page import Draw, ToolPage, drawing
from tests.charts import sample_results as sample
from tests.waiting import wait_for
from tests.widgets.fake_session import FakeSession

PAYLOAD = "<img src=x onerror='window.hacked = true'><script>window.hacked = true</script>"


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def draw(browser: Browser) -> Iterator[Draw]:
    with drawing(browser, 1200, 1000) as drawn:

        def looked(tool: LayerDistanceExplorer) -> ToolPage:
            look(tool)
            return drawn(tool)

        yield looked


def look(tool: LayerDistanceExplorer) -> None:
    tool.look()
    wait_for(lambda: tool.port is None or bool(tool.view.asked.overlay.values))


def grid(page: ToolPage) -> Locator:
    return page.page.get_by_role("grid")


def press_key(page: ToolPage, key: str) -> None:
    page.page.keyboard.press(key)
    page.settle()


def test_a_key_on_one_plot_moves_all_of_them_and_the_overlay(draw: Draw, port: FakeSession) -> None:
    page = draw(LayerDistanceExplorer(port, limit=6))
    page.page.get_by_role("slider").nth(3).focus()
    for key in ("ArrowRight", "ArrowRight", "PageUp"):
        page.page.keyboard.press(key)
    page.page.wait_for_timeout(50)
    layers = page.page.evaluate("() => Object.entries(window.models).map(([name, model]) => [name, model.state.layer])")
    (moved,) = [(name, layer) for name, layer in layers if layer]
    page._widgets[moved[0]].set_state({"layer": moved[1]})  # what `save_changes` does in Jupyter
    page.settle()
    assert page.tool.layer == 7
    now = [one.get_attribute("aria-valuenow") for one in page.page.locator(".skipit-plot-area").all()]
    assert now == ["7"] * 5
    expect(grid(page)).to_have_attribute("aria-label", "distance of vision tokens at layer 7, 4 × 4 tokens")


def test_epsilon_is_a_labelled_number_and_a_slip_is_explained(draw: Draw, port: FakeSession) -> None:
    page = draw(LayerDistanceExplorer(port, limit=6))
    field = page.page.get_by_role("spinbutton", name="ε of the tail")
    field.fill("0.3")
    field.press("Enter")
    page.settle()
    expect(page.page.get_by_text("Tail: P[d > 0.3]")).to_be_visible()
    field.fill("3")
    field.press("Enter")
    page.settle()
    expect(page.page.get_by_role("alert")).to_contain_text("SettingError: epsilon is 3")
    expect(field).to_have_value("3")


def test_lengths_lie_over_the_image_instead_of_distances(draw: Draw, port: FakeSession) -> None:
    page = draw(LayerDistanceExplorer(port, limit=6))
    page.by_label("overlay").select_option("length")
    page.settle()
    expect(grid(page)).to_have_attribute("aria-label", "length of vision tokens at layer 0, 4 × 4 tokens")


def test_two_prompts_stand_side_by_side(draw: Draw, port: FakeSession) -> None:
    page = draw(LayerDistanceExplorer(port, limit=6, over="question"))
    page.press("Pin for comparison")
    page.tool.set(question=4)
    look(page.tool)
    page.settle_until(lambda: grid(page).count() == 2)
    left, right = (one.bounding_box() for one in grid(page).all())
    assert left is not None
    assert right is not None
    assert left["x"] + left["width"] < right["x"]
    expect(page.page.get_by_text("Beside, in hollow points: what color is in image 0?")).to_be_visible()
    page.press("Unpin")
    expect(grid(page)).to_have_count(1)


def test_the_values_can_be_read_as_a_table(draw: Draw, port: FakeSession) -> None:
    page = draw(LayerDistanceExplorer(port, limit=6))
    page.page.get_by_text("Values as tables").click()
    table = page.page.get_by_role("table", name="per layer")
    expect(table.get_by_role("row")).to_have_count(13)
    assert table.get_by_role("row").nth(4).text_content() is not None


def test_a_stored_profile_with_bands_needs_no_session(draw: Draw) -> None:
    page = draw(LayerDistanceExplorer(sample.profile(), bands=sample.band_distances()))
    page.tool.set(band_tokens="last", band=(3, 7))
    page.settle()
    expect(page.page.locator(".skipit-bands-cell")).to_have_count(78)
    expect(page.page.get_by_text("band 3-7")).to_be_visible()
    expect(page.page.get_by_text("A stored profile holds no questions")).to_be_visible()


def test_what_a_data_set_says_is_shown_as_text(draw: Draw, port: FakeSession) -> None:
    class Hostile(FakeSession):
        def examples(self, task: str, **named: Any) -> Any:
            return [
                replace(one, question=PAYLOAD, answer=PAYLOAD, cluster=f"{PAYLOAD}/1")
                for one in super().examples(task, **named)
            ]

    hostile = Hostile()
    page = draw(LayerDistanceExplorer(hostile, limit=6, over="question"))
    page.press("Pin for comparison")
    page.page.get_by_text("Values as tables").click()
    page.page.wait_for_timeout(200)
    assert page.page.evaluate("() => window.hacked") is None
    hostile.worker.close()


@pytest.mark.parametrize("is_dark", [False, True])
def test_axe_finds_nothing_to_complain_about(draw: Draw, port: FakeSession, is_dark: bool) -> None:
    tool = LayerDistanceExplorer(port, against=FakeSession(num_layers=24), bands=sample.band_distances(), limit=6)
    page = draw(tool)
    tool.run()
    tool.set(band_tokens="last", band=(3, 7), skipset="vision absent 9-")
    tool.view.message.say("SettingError: something is not right.", "error")
    page.page.wait_for_timeout(100)
    page.settle()
    page.page.get_by_text("Values as tables").click()
    if is_dark:
        page.dark()
    assert violations(page.page, "#host") == []
    page.page.set_viewport_size({"width": 320, "height": 900})
    page.page.wait_for_timeout(100)
    assert violations(page.page, "#host") == []


@pytest.mark.parametrize("width", [320, 700, 2560])
def test_nothing_is_wider_than_the_window(draw: Draw, port: FakeSession, width: int) -> None:
    page = draw(LayerDistanceExplorer(port, against=FakeSession(num_layers=24), limit=6))
    page.page.set_viewport_size({"width": width, "height": 800})
    page.page.wait_for_timeout(100)
    assert page.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
