"""Evaluator, studio and all tools drawn in a page, with their Python behind them. No Jupyter."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from skipit_nb.studio import Studio
from skipit_nb.widgets import ABEvaluator, SkipSetBuilder
from tests.browser.accessibility import violations
from tests.browser.tool_page import Draw, ToolPage, drawing
from tests.widgets.fake_session import FakeSession

PAYLOAD = "<img src=x onerror='window.hacked = true'><script>window.hacked = true</script>"


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def draw(browser: Browser) -> Iterator[Draw]:
    with drawing(browser, 1100, 900) as drawn:
        yield drawn


def run(page: ToolPage, button: str) -> None:
    """Press a Run button and wait for the end of its job."""
    page.press(button)
    for tool in getattr(page.tool, "tools", {"": page.tool}).values():
        if tool.job is not None:
            tool.job.result(30)
    page.page.wait_for_timeout(100)
    page.settle()


# -- evaluator -------------------------------------------------------------------------------------------------------


def test_a_run_ends_with_verdict_scores_tables_and_flips_with_images(draw: Draw, port: FakeSession) -> None:
    page = draw(ABEvaluator(port, b="vision absent 0-3", limit=30))
    run(page, "Run A against B")
    expect(page.page.get_by_text("B is worse than A: -33.3 points.")).to_be_visible()
    expect(page.page.get_by_role("listitem").filter(has_text="accuracy")).to_contain_text("−33.3 points")
    page.page.get_by_text("Every measurement, and how it was made").click()
    expect(page.page.get_by_role("row", name="accuracy")).to_contain_text("−33.3 points")
    expect(page.page.get_by_role("row", name="color")).to_contain_text("−100.0")
    expect(page.page.get_by_role("img", name="image of")).to_have_count(10)
    page.press("better (0)")
    expect(page.page.get_by_role("img", name="image of")).to_have_count(0)
    expect(page.page.get_by_text("No question.")).to_be_visible()


def test_progress_is_shown_and_a_run_can_be_cancelled(draw: Draw, port: FakeSession) -> None:
    port.gate.clear()
    page = draw(ABEvaluator(port, b="vision absent 0-3", limit=30))
    page.press("Run A against B")
    page.wait_for(page.page.get_by_role("progressbar"))
    expect(page.page.get_by_role("button", name="Cancel")).to_be_focused()
    page.press("Cancel")
    port.gate.set()
    page.wait_for(page.page.get_by_text("cancelled"))
    expect(page.page.get_by_role("button", name="Run A against B")).to_be_focused()
    assert page.tool.result is None


def test_a_run_can_be_paused_and_goes_on(draw: Draw, port: FakeSession) -> None:
    port.gate.clear()
    page = draw(ABEvaluator(port, b="vision absent 0-3", limit=30))
    page.press("Run A against B")
    page.wait_for(page.page.get_by_role("button", name="Pause", exact=True))
    page.press("Pause")
    page.wait_for(page.page.get_by_text("paused after 0 of 60 questions"))
    port.gate.set()
    page.press("Resume")
    page.tool.job.result(30)
    page.wait_for(page.page.get_by_text("B is worse than A: -33.3 points."))


def test_a_point_of_a_sweep_becomes_b(draw: Draw, port: FakeSession) -> None:
    page = draw(ABEvaluator(port, b="vision absent 0-3", limit=30))
    run(page, "Sweep")
    chart = page.page.get_by_role("listbox")
    expect(chart).to_be_visible()
    chart.press("End")
    page.press("Take as B")
    assert str(page.tool.b) == page.tool.view.pareto.points[-1]["name"]
    expect(page.by_label("B")).to_have_value(str(page.tool.b))


def test_what_models_and_data_sets_say_is_shown_as_text(draw: Draw, port: FakeSession) -> None:
    found = port.compare("shapes", None, "vision absent 0-3")
    words = {"question": PAYLOAD, "target": PAYLOAD, "a": PAYLOAD, "b": PAYLOAD + "!", "kind": PAYLOAD}
    bad = replace(
        found,
        answers=tuple(replace(answer, **words) for answer in found.answers),
        metrics=tuple(replace(m, method=PAYLOAD) for m in found.metrics),
        verdict=replace(found.verdict, sentence=PAYLOAD),
        provenance=replace(found.provenance, model=PAYLOAD, task=PAYLOAD),
    )
    page = draw(ABEvaluator.from_result(bad))
    page.page.wait_for_timeout(200)
    assert page.page.evaluate("() => window.hacked") is None
    assert page.page.locator("#host img, #host script").count() == 0
    expect(page.page.get_by_text(PAYLOAD, exact=True).first).to_be_visible()


# -- studio, and all of them ------------------------------------------------------------------------------------------


def test_the_story_goes_from_profile_to_verdict(draw: Draw, port: FakeSession) -> None:
    page = draw(Studio(port, limit=30))  # type: ignore[arg-type]
    run(page, "Measure")
    page.press("Recommended")
    assert str(page.tool.evaluator.b) == "vision absent 5-11"
    expect(page.by_label("B")).to_have_value("vision absent 5-11")
    run(page, "Run A against B")
    expect(page.page.get_by_text("B is not worse than A")).to_be_visible()


@pytest.mark.parametrize("is_dark", [False, True])
def test_axe_finds_nothing_to_complain_about(draw: Draw, port: FakeSession, is_dark: bool) -> None:
    for tool in (
        SkipSetBuilder(
            port, profile=port.profile("shapes"), skipset="vision absent 2-4; whole 7; attn 8; text frozen 9"
        ),
        ABEvaluator(port, b="vision absent 0-3", limit=30),
    ):
        if isinstance(tool, ABEvaluator):
            tool.run()
        page = draw(tool)
        if is_dark:
            page.dark()
        tool.view.message.say("SettingError: something is not right.", "error")
        page.settle()
        assert violations(page.page, "#host") == []
        page.page.set_viewport_size({"width": 320, "height": 900})
        page.page.wait_for_timeout(100)
        assert violations(page.page, "#host") == []


@pytest.mark.parametrize("width", [320, 700, 2560])
def test_nothing_is_wider_than_the_window(draw: Draw, port: FakeSession, width: int) -> None:
    studio = Studio(port, skipset="vision absent 2-3", limit=30)  # type: ignore[arg-type]
    studio.run()
    page = draw(studio)
    page.page.set_viewport_size({"width": width, "height": 800})
    assert page.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
