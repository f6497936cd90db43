"""The builder drawn in a page, with its Python behind it. No Jupyter."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from skipit_nb.widgets import SkipSetBuilder
from tests.browser.accessibility import violations
from tests.browser.notebook_page import drag
from tests.browser.tool_page import Draw, ToolPage, drawing
from tests.widgets.asked_session import AskedSession

PAYLOAD = "<img src=x onerror='window.hacked = true'><script>window.hacked = true</script>"


@pytest.fixture
def port() -> Iterator[AskedSession]:
    fake = AskedSession()
    yield fake
    fake.close()


@pytest.fixture
def draw(browser: Browser) -> Iterator[Draw]:
    with drawing(browser, 1200, 1000) as drawn:
        yield drawn


def phase(page: ToolPage) -> Any:
    return page.page.locator(".skipit-whatif").get_attribute("data-phase")


def answered(page: ToolPage) -> None:
    page.settle_until(lambda: phase(page) == "answered")


# -- drawing ---------------------------------------------------------------------------------------------------------


def test_a_drag_changes_text_cost_and_conditions_together(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port, profile=port.profile("shapes")))
    drag(page.page, page.by_label("layer 2, vision: run"), page.by_label("layer 4, vision: run"))
    page.settle()
    assert str(page.tool.skipset) == "vision absent 2-4"
    expect(page.by_label("skip set")).to_have_value("vision absent 2-4")
    expect(page.page.get_by_text("condition 2 at layers 2-3")).to_be_visible()
    expect(page.page.get_by_role("row", name="prefill")).to_contain_text("1.1")
    expect(page.by_label("layer 3, vision: absent")).to_be_visible()
    expect(page.page.locator("[data-pending]")).to_have_count(0)


def test_text_is_read_on_enter_and_a_slip_is_explained_beside_it(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    field = page.by_label("skip set")
    for text in ("vision absent 9-", "SkipSet.early_exit(9)"):
        field.fill(text)
        field.press("Enter")
        page.settle()
        assert str(page.tool.skipset) == "vision absent 9-11"
        expect(field).to_have_value("vision absent 9-11")
    field.fill("vision gone 9")
    field.press("Enter")
    page.settle()
    expect(page.page.get_by_role("alert")).to_contain_text("SkipSetSyntaxError: 'vision gone 9' is not a skip set")
    expect(field).to_have_value("vision gone 9")  # to be mended, not typed again
    expect(field).to_have_attribute("aria-invalid", "true")
    page.press("Clear")
    expect(field).to_have_value("none")
    expect(field).to_have_attribute("aria-invalid", "false")
    expect(page.page.get_by_role("alert")).to_have_count(0)
    assert page.tool.skipset.is_empty


def test_undo_keeps_the_focus_where_it_was(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    page.press("Replace")
    assert str(page.tool.skipset) == "vision absent 0-5"
    expect(page.page.get_by_role("button", name="Replace", exact=True)).to_be_focused()
    page.tool.early_exit(9)
    page.press("Undo")
    expect(page.page.get_by_role("button", name="Undo")).to_be_focused()
    page.press("Undo")
    assert page.tool.skipset.is_empty
    expect(page.page.get_by_role("button", name="Undo")).to_be_disabled()


def test_keys_undo_and_redo_from_anywhere_but_a_text_field(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    page.page.evaluate("() => document.addEventListener('keydown', event => (window.heard ??= []).push(event.key))")
    keyboard = page.page.keyboard
    for layer in (1, 2):
        page.by_label(f"layer {layer}, vision: run").click()
        page.settle()
    for key, left in [
        ("Control+z", "vision absent 1"),
        ("Control+Shift+z", "vision absent 1-2"),
        ("Meta+z", "vision absent 1"),
        ("Control+y", "vision absent 1-2"),
    ]:
        keyboard.press(key)
        page.settle()
        assert str(page.tool.skipset) == left
    page.page.get_by_role("button", name="Clear").focus()
    keyboard.press("Control+z")
    page.settle()
    assert str(page.tool.skipset) == "vision absent 1"
    page.by_label("skip set").focus()
    keyboard.press("Control+z")  # the browser's own undo of what was typed there
    page.settle()
    assert str(page.tool.skipset) == "vision absent 1"
    assert {"z", "Z", "y"}.isdisjoint(page.page.evaluate("() => window.heard ?? []"))


def test_a_preset_shows_the_fields_it_needs_and_replaces_or_joins(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port, skipset="whole 0"))
    expect(page.by_label("at layer k")).to_be_visible()
    page.by_label("preset").select_option("freeze vision")
    page.settle()
    expect(page.by_label("at layer k")).to_be_hidden()
    page.by_label("first layer").fill("7")
    page.by_label("first layer").press("Enter")
    page.settle()
    page.press("Join")
    assert str(page.tool.skipset) == "vision frozen 7-11; whole 0"
    page.press("Replace")
    assert str(page.tool.skipset) == "vision frozen 7-11"


# -- what if ---------------------------------------------------------------------------------------------------------


def test_each_edit_is_answered_with_both_answers_probability_and_kl(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    answered(page)
    panel = page.page.locator(".skipit-whatif")
    expect(panel.get_by_role("img")).to_be_visible()
    expect(panel).to_contain_text("Nothing is skipped: this is the full model.")
    drag(page.page, page.by_label("layer 2, vision: run"), page.by_label("layer 3, vision: run"))
    page.settle_until(lambda: "Another answer." in panel.inner_text())
    expect(panel).to_contain_text("KL(full ‖ skip set) of the next token: 2 nats.")
    assert panel.locator(".skipit-whatif-said").all_inner_texts() == ["red", "purple"]
    assert panel.locator(".skipit-whatif-sure").all_inner_texts() == ["90.0%", "60.0%"]


def test_another_question_is_asked_at_once_and_by_its_key(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    answered(page)
    page.press("Next")
    answered(page)
    assert page.tool.state.question == "shapes/00/shape"
    expect(page.page.locator(".skipit-whatif")).to_contain_text("what shape is in image 0?")
    page.press("Previous")
    answered(page)
    assert page.tool.state.question == "shapes/00/color"
    page.by_label("task").select_option("counts")
    page.settle_until(lambda: page.tool.answer is not None and page.tool.asked.wish.task == "counts")
    assert page.tool.state.question == ""


def test_what_cannot_be_run_is_said_in_its_place_and_the_next_edit_is_answered(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    answered(page)
    page.by_label("layer 11, vision: run").click()
    page.settle_until(lambda: phase(page) == "failed")
    said = page.page.locator(".skipit-whatif-message")
    page.wait_for(said.filter(has_text="UnsupportedSkipError: 'vision absent 11'"))
    expect(page.page.get_by_role("alert")).to_have_count(0)
    page.by_label("layer 11, vision: absent").click()
    answered(page)


# -- methods, code and files -----------------------------------------------------------------------------------------


def test_a_method_proposes_with_progress_and_its_set_replaces_or_joins(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port, skipset="vision absent 0"))
    page.by_label("layers").fill("3")
    page.by_label("layers").press("Enter")
    page.settle()
    port.gate.clear()
    page.press("Propose")
    page.wait_for(page.page.get_by_role("progressbar"))
    port.gate.set()
    page.tool.job.result(30)
    page.settle_until(lambda: page.page.get_by_text("shortgpt proposes: whole 9-11").count() == 1)
    assert str(page.tool.skipset) == "vision absent 0"
    proposal = page.page.get_by_role("group", name="Proposal")
    proposal.get_by_role("button", name="Join").click()
    page.settle()
    assert str(page.tool.skipset) == "vision absent 0; whole 9-11"
    proposal.get_by_role("button", name="Replace").click()
    page.settle()
    assert str(page.tool.skipset) == "whole 9-11"


def test_the_code_can_be_copied_or_at_least_selected(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port, skipset="whole 3"))
    page.page.get_by_text("Code for this").click()
    area = page.by_label("Code for this")
    expect(area).to_have_value(page.tool.code())
    page.page.get_by_role("button", name="Copy as code").click()
    expect(page.page.get_by_text("selected: press Ctrl+C").or_(page.page.get_by_text("copied"))).to_be_visible()


def test_code_of_several_lines_is_pasted_and_a_slip_is_explained(draw: Draw, port: AskedSession) -> None:
    page = draw(SkipSetBuilder(port))
    page.page.get_by_text("Paste, open or save").click()
    area = page.by_label("Paste a skip set: its written form, code or JSON")
    area.fill(SkipSetBuilder(port, skipset="whole 3; vision absent 9-").code())
    page.press("Replace by pasted")
    assert str(page.tool.skipset) == "vision absent 9-11; whole 3"
    area.fill("SkipSet.whole(open('secrets'))")
    page.press("Join pasted")
    expect(page.page.get_by_role("alert")).to_contain_text("SkipSetSyntaxError: \"SkipSet.whole(open('secrets'))\"")
    assert str(page.tool.skipset) == "vision absent 9-11; whole 3"


def test_a_saved_file_is_opened_again_and_one_of_another_model_is_refused(
    draw: Draw, port: AskedSession, tmp_path: Path
) -> None:
    page = draw(SkipSetBuilder(port, skipset="vision frozen 2-4"))
    page.page.get_by_text("Paste, open or save").click()
    with page.page.expect_download() as download:
        page.press("Save as JSON")
    file = tmp_path / "skipset.json"
    download.value.save_as(file)
    page.press("Clear")
    files = page.page.locator("input[type=file]")
    files.set_input_files(file)
    page.settle_until(lambda: str(page.tool.skipset) == "vision frozen 2-4")
    other = SkipSetBuilder(AskedSession(5), skipset="whole 1")
    other.save(file)
    files.set_input_files(file)
    page.settle_until(lambda: page.page.get_by_role("alert").count() == 1)
    expect(page.page.get_by_role("alert")).to_contain_text("this skip set was made for 5 layers, but 12")
    assert str(page.tool.skipset) == "vision frozen 2-4"
    other.port.close()  # type: ignore[union-attr]


# -- for everybody ---------------------------------------------------------------------------------------------------


def test_what_models_and_data_sets_say_is_shown_as_text(
    draw: Draw, port: AskedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = port.what_if
    words = {"question": PAYLOAD, "answer": PAYLOAD, "full_answer": PAYLOAD + "!"}
    monkeypatch.setattr(port, "what_if", lambda *args, **names: replace(honest(*args, **names), **words))
    examples = [replace(one, question=PAYLOAD, answer=PAYLOAD) for one in port.examples("shapes", limit=3)]
    monkeypatch.setattr(port, "examples", lambda *_, **__: tuple(examples))
    monkeypatch.setattr(port, "methods", lambda: {PAYLOAD: PAYLOAD})
    page = draw(SkipSetBuilder(port))
    answered(page)
    page.page.wait_for_timeout(200)
    assert page.page.evaluate("() => window.hacked") is None
    assert page.page.locator("#host script, #host img[src=x]").count() == 0
    expect(page.page.locator(".skipit-whatif").get_by_text(PAYLOAD, exact=True).first).to_be_visible()


@pytest.mark.parametrize("is_dark", [False, True])
def test_axe_finds_nothing_to_complain_about(draw: Draw, port: AskedSession, is_dark: bool) -> None:
    skipset = "vision absent 2-4; whole 7; attn 8; mlp 6; text frozen 9"
    page = draw(SkipSetBuilder(port, profile=port.profile("shapes"), skipset=skipset))
    if is_dark:
        page.dark()
    answered(page)
    page.press("Propose")
    page.settle_until(lambda: page.tool.proposal is not None)
    for summary in ("Code for this", "Paste, open or save"):
        page.page.get_by_text(summary).first.click()
    page.tool.view.message.say("SettingError: something is not right.", "error")
    page.settle()
    for width in (1200, 320):
        page.page.set_viewport_size({"width": width, "height": 900})
        page.page.wait_for_timeout(100)
        assert violations(page.page, "#host") == []
    port.ask_gate.clear()
    page.by_label("layer 0, vision: run").click()
    page.settle()
    assert phase(page) == "asking"
    assert violations(page.page, "#host") == []
    port.ask_gate.set()


@pytest.mark.parametrize("num_layers", [12, 80])
@pytest.mark.parametrize("width", [320, 700, 2560])
def test_nothing_is_wider_than_the_window(draw: Draw, width: int, num_layers: int) -> None:
    port = AskedSession(num_layers)
    page = draw(SkipSetBuilder(port, profile=port.profile("shapes"), skipset="vision absent 2-3"))
    answered(page)
    page.page.set_viewport_size({"width": width, "height": 800})
    assert page.page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    port.close()
