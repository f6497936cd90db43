"""Labelled fields in a real browser: the box to tick, and what becomes of an entry that Python refuses."""

import pytest
from playwright.sync_api import Locator, expect

from skipit_nb.widgets.parts.controls import Controls
from tests.browser.accessibility import violations
from tests.browser.component_page import Component, Mount

HINT = "Asks fewer questions."


@pytest.fixture
def component(mount: Mount) -> Component:
    fields = [
        {"name": "stop_early", "label": "stop once it is clear", "kind": "check", "hint": HINT},
        {"name": "limit", "label": "questions", "kind": "int", "min": 1},
    ]
    return mount(Controls(label="Settings", fields=fields, values={"stop_early": False, "limit": 200}))


def box(component: Component) -> Locator:
    """By its name, which is its label."""
    return component.host.get_by_role("checkbox", name="stop once it is clear", exact=True)


def test_a_click_on_the_box_or_its_label_and_the_space_key_toggle_and_python_hears_yes_or_no(
    component: Component,
) -> None:
    box(component).click()
    component.host.get_by_text("stop once it is clear").click()
    box(component).focus()
    component.page.keyboard.press("Space")
    assert component.messages == [{"enter": "stop_early", "value": value} for value in (True, False, True)]
    assert component.saves == []


def test_the_box_shows_what_python_has(component: Component) -> None:
    expect(box(component)).not_to_be_checked()
    component.from_python(values={"stop_early": True, "limit": 200}, revision=1)
    expect(box(component)).to_be_checked()
    component.from_python(values={"stop_early": False, "limit": 200}, revision=2)
    expect(box(component)).not_to_be_checked()


def test_an_entry_that_python_takes_otherwise_shows_what_python_has(component: Component) -> None:
    box(component).check()
    component.from_python(values={"stop_early": False, "limit": 200}, revision=1)
    expect(box(component)).not_to_be_checked()


def test_a_refused_tick_is_marked_and_shows_what_python_has(component: Component) -> None:
    """A number that was typed stays, to be mended; a box has nothing to mend."""
    box(component).check()
    component.from_python(refused="stop_early", revision=1)
    expect(box(component)).not_to_be_checked()
    expect(box(component)).to_have_attribute("aria-invalid", "true")
    component.from_python(refused="", revision=2)
    expect(box(component)).to_have_attribute("aria-invalid", "false")


def test_a_refused_number_stays_to_be_mended(component: Component) -> None:
    field = component.host.get_by_role("spinbutton", name="questions")
    field.fill("0")
    field.press("Enter")
    component.from_python(refused="limit", revision=1)
    expect(field).to_have_value("0")


def test_a_screen_reader_hears_name_state_and_hint(component: Component) -> None:
    expect(box(component)).to_have_accessible_description(HINT)
    assert '- checkbox "stop once it is clear"' in component.host.aria_snapshot()
    assert violations(component.page, "#host") == []
    assert component.clean_up() == 0
