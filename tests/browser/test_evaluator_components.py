"""The evaluator's own pictures in a bare page: how a run stands, accuracy against FLOPs, flips, bars in a table."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from skipit_nb.widgets.evaluator.flips import Flips
from skipit_nb.widgets.evaluator.pareto_plot import ParetoPlot
from skipit_nb.widgets.evaluator.scoreboard import Scoreboard
from skipit_nb.widgets.evaluator.standing_plot import StandingPlot
from skipit_nb.widgets.parts.job_bar import JobBar
from skipit_nb.widgets.parts.table import Table
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount
from tests.browser.tool_page import DARK

PAYLOAD = "<img src=x onerror='window.hacked = true'>"
LEAKS = "() => { window.leaked = []; document.addEventListener('keydown', event => window.leaked.push(event.key)); }"


def point(name: str, flops: float, accuracy: float, *, front: bool = True) -> dict[str, Any]:
    ends = {"low": accuracy - 0.05, "high": accuracy + 0.05}
    return {
        "name": name,
        "flops": flops,
        "accuracy": accuracy,
        "front": front,
        "words": f"{accuracy} at {flops}",
    } | ends


POINTS = [point("whole 1-6", 0.4, 0.5), point("whole 1-2", 0.8, 0.7, front=False), point("whole 3", 0.8, 0.9)]
LOOKS = [[32, -10.0, -60.0, 30.0], [64, -8.0, -30.0, 12.0], [96, -7.0, -18.0, 3.0]]


def pareto(**more: Any) -> ParetoPlot:
    return ParetoPlot(**({"points": POINTS, "baseline": 0.92, "title": "3 skip sets", "note": "Bars: 95 %"} | more))


def standing(**more: Any) -> StandingPlot:
    return StandingPlot(**({"looks": LOOKS, "planned": 400, "margin": 2.0, "words": "So far, 96 of 400"} | more))


def item(key: str, **more: Any) -> dict[str, Any]:
    words = {"question": f"question {key}", "target": "red", "a": "red", "b": "blue", "kind": "color", "image": ""}
    return {"key": key, "change": "worse"} | words | more


def flips(**more: Any) -> Flips:
    given = {"items": [item("q1"), item("q2")], "counts": {"any": 50, "worse": 50, "better": 0, "changed": 50}}
    return Flips(**(given | {"kinds": ["color", "shape"], "pages": 3, "first": 24, "page": 1} | more))


def table() -> Table:
    made = Table()
    made.draw(("", "A", "B"), [["accuracy", "90 %", "45 %"], ["errors", "2", "2"]], bars=[[0.9, 0.45], []])
    return made


def scoreboard() -> Scoreboard:
    arms = {"a": "90.0 %", "b": "45.0 %", "lengths": [0.9, 0.45]}
    first = {"name": "accuracy", "effect": "−45.0 points", "note": "95 %: −50.0 to −40.0"} | arms
    cost = {
        "name": "KV cache",
        "effect": "1.40× smaller",
        "note": "predicted",
        "a": "9 kB",
        "b": "6 kB",
        "lengths": [1, 0.7],
    }
    return Scoreboard(tiles=[first, cost])


# -- how a run stands ------------------------------------------------------------------------------------------------


def band(component: Component) -> list[list[float]]:
    path = component.host.locator(".skipit-standing-band").get_attribute("d") or ""
    return [[float(number) for number in pair.split(",")] for pair in path.strip("Mz").split("L")]


def test_the_band_closes_in_as_questions_come(mount: Mount) -> None:
    corners = band(mount(standing()))
    tops, bottoms = corners[:3], corners[3:][::-1]
    heights = [low[1] - high[1] for high, low in zip(tops, bottoms, strict=True)]
    assert heights[2] == min(heights)
    assert [corner[0] for corner in tops] == sorted(corner[0] for corner in tops)


def test_a_run_under_way_has_a_name_and_no_final_interval(mount: Mount) -> None:
    component = mount(standing())
    expect(component.host.get_by_role("img", name="So far, 96 of 400")).to_be_visible()
    expect(component.host.locator(".skipit-standing-final")).to_have_count(0)
    expect(component.host.get_by_text("− margin")).to_be_visible()
    component.from_python(final=[400, -6.0, -9.0, -3.0])
    expect(component.host.locator(".skipit-standing-final")).to_have_count(1)


def test_the_band_still_closes_in_beside_a_final_interval_that_is_much_narrower(mount: Mount) -> None:
    corners = band(mount(standing(final=[400, 0.0, -0.2, 0.2])))
    heights = [low[1] - high[1] for high, low in zip(corners[:3], corners[3:][::-1], strict=True)]
    assert heights[2] < 0.9 * heights[0]


def test_nothing_is_shown_before_the_first_look(mount: Mount) -> None:
    component = mount(standing(looks=[]))
    expect(component.host).not_to_be_visible()
    component.from_python(looks=LOOKS[:1])
    expect(component.host).to_be_visible()


# -- accuracy against FLOPs ------------------------------------------------------------------------------------------


def options(component: Component) -> Locator:
    return component.host.get_by_role("option")


def test_the_keys_choose_a_point_and_enter_takes_it(mount: Mount) -> None:
    component = mount(pareto())
    component.page.evaluate(LEAKS)
    chart = component.host.get_by_role("listbox", name="3 skip sets: accuracy against FLOPs")
    chart.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "d", "a", "Enter"):
        component.page.keyboard.press(key)
    expect(component.host.get_by_role("status")).to_have_text("whole 1-2: 0.7 at 0.8")
    expect(options(component).nth(1)).to_have_attribute("aria-selected", "true")
    assert component.messages == [{"take": 1}]
    assert component.page.evaluate("() => window.leaked") == []


def test_a_click_chooses_and_the_button_takes(mount: Mount) -> None:
    component = mount(pareto())
    take = component.host.get_by_role("button", name="Take as B")
    expect(take).to_have_count(0)
    options(component).nth(0).locator("path").nth(1).click()
    assert component.messages == []
    take.click()
    assert component.messages == [{"take": 0}]


def test_what_is_b_already_cannot_be_taken_again(mount: Mount) -> None:
    component = mount(pareto(taken="whole 3"))
    expect(component.host.get_by_role("button", name="Take as B")).to_be_disabled()
    component.host.get_by_role("listbox").press("Enter")
    assert component.messages == []
    component.from_python(taken="none")
    expect(component.host.get_by_role("button", name="Take as B")).to_be_enabled()


def test_the_front_has_its_own_shape_and_a_line(mount: Mount) -> None:
    component = mount(pareto())
    shapes = [mark.locator("path").nth(1).get_attribute("d") for mark in options(component).all()]
    assert shapes[0] == shapes[2] != shapes[1]
    assert (component.host.locator(".skipit-pareto-front").get_attribute("d") or "").count("L") == 1
    expect(options(component).nth(1)).to_have_accessible_name("whole 1-2: 0.7 at 0.8")
    expect(options(component).nth(2)).to_have_accessible_name("whole 3: 0.9 at 0.8, on the front")


# -- flips -----------------------------------------------------------------------------------------------------------


def test_pages_and_question_types_are_asked_for(mount: Mount) -> None:
    component = mount(flips())
    expect(component.host.get_by_text("25 to 26 of 50")).to_be_visible()
    component.host.get_by_role("button", name="Later ›").click()
    component.host.get_by_role("button", name="‹ Earlier").click()
    component.host.get_by_label("of type").select_option("shape")
    assert component.messages == [{"page": 2}, {"page": 0}, {"kind": "shape"}]
    component.from_python(page=2)
    expect(component.host.get_by_role("button", name="Later ›")).to_be_disabled()


def test_a_pin_keeps_the_focus_when_the_gallery_is_drawn_again(mount: Mount) -> None:
    component = mount(flips())
    component.host.get_by_role("button", name="Pin: question q2").click()
    assert component.messages == [{"pinned": "q2"}]
    pinned = item("q2", earlier=[["whole 1", PAYLOAD]])
    component.from_python(pinned=pinned, items=[item("q1"), item("q2")])
    group = component.host.get_by_role("group", name="Pinned question")
    expect(group).to_contain_text(f"B was whole 1{PAYLOAD}")
    assert component.page.evaluate("() => document.activeElement.dataset.key") == "q2"
    group.get_by_role("button", name="Unpin: question q2").click()
    assert component.messages[-1] == {"pinned": ""}
    assert component.page.evaluate("() => window.hacked") is None


# -- run, pause, bars ------------------------------------------------------------------------------------------------


def test_pause_becomes_resume_and_keeps_the_focus(mount: Mount) -> None:
    component = mount(JobBar(can_pause=True, state="running", total=10))
    component.host.get_by_role("button", name="Pause").click()
    component.from_python(state="paused")
    expect(component.host.get_by_role("button", name="Resume")).to_be_focused()
    component.page.keyboard.press("Enter")
    assert component.messages == [{"do": "pause"}, {"do": "resume"}]
    component.from_python(state="done")
    expect(component.host.get_by_role("button", name="Run")).to_be_focused()


def test_there_is_no_pause_where_there_is_none_to_have(mount: Mount) -> None:
    component = mount(JobBar(state="running", total=10))
    expect(component.host.get_by_role("button")).to_have_count(1)


def test_bars_are_as_long_as_their_shares(mount: Mount) -> None:
    component = mount(table())
    first = component.host.locator(".skipit-table-bars").first
    a, b = (first.locator(f".skipit-table-{arm}").evaluate("e => e.getBoundingClientRect().width") for arm in "ab")
    assert b / a == pytest.approx(0.5, abs=0.02)
    expect(component.host.get_by_role("columnheader")).to_have_text(["", "A above B", "A", "B"])
    expect(component.host.get_by_role("row", name="errors").locator(".skipit-table-a")).to_have_count(0)


def test_a_table_with_a_label_opens_by_key_and_stays_open(mount: Mount) -> None:
    made = table()
    made.label = "Every measurement"
    component = mount(made)
    expect(component.host.get_by_role("table")).to_be_hidden()
    component.page.locator("summary").focus()
    component.page.keyboard.press("Enter")
    expect(component.host.get_by_role("table")).to_be_visible()
    component.page.evaluate("() => window.fromPython({ rows: [['accuracy', '91 %', '46 %']] })")
    expect(component.host.get_by_role("row", name="accuracy 91 % 46 %")).to_be_visible()
    expect(component.page.locator("summary")).to_be_focused()
    component.page.keyboard.press("Enter")
    expect(component.host.get_by_role("table")).to_be_hidden()


def test_a_tile_says_what_its_bars_show(mount: Mount) -> None:
    component = mount(scoreboard())
    first = component.host.get_by_role("listitem").first
    expect(first).to_have_text(re.compile(r"accuracy\s*−45.0 points\s*A\s*90.0 %\s*B\s*45.0 %\s*95 %: −50.0 to −40.0"))
    a, b = (first.locator(f".skipit-score-{arm} i").evaluate("e => e.getBoundingClientRect().width") for arm in "ab")
    assert b / a == pytest.approx(0.5, abs=0.02)


def test_before_a_run_there_are_no_tiles(mount: Mount) -> None:
    assert mount(Scoreboard()).host.get_by_role("list").count() == 0


# -- all of them -----------------------------------------------------------------------------------------------------

WIDGETS = {"standing": standing, "pareto": pareto, "flips": flips, "table": table, "scoreboard": scoreboard}


@pytest.mark.parametrize("name", WIDGETS)
def test_axe_finds_nothing_wide_or_narrow_light_or_dark(mount: Mount, name: str) -> None:
    component = mount(WIDGETS[name]())
    for change in ("() => {}", DARK):
        component.page.evaluate(change)
        for width in (1000, 320):
            component.page.set_viewport_size({"width": width, "height": 600})
            component.page.wait_for_timeout(100)
            assert violations(component.page, "#host") == []
            assert component.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", ["standing", "pareto", "flips", "table"])
def test_a_widget_that_is_taken_down_listens_to_nothing(mount: Mount, name: str) -> None:
    assert mount(WIDGETS[name]()).clean_up() == 0
