"""A session that is closed under its tools: they say so, and keep what was measured."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from skipit_nb.errors import CancelledError, SessionClosedError
from skipit_nb.studio import Studio
from skipit_nb.widgets.parts.job_bar import JobBar
from tests.waiting import wait_for
from tests.widgets.inside import complaints, parts_of, tools_of
from tests.widgets.tools_on_a_model import KINDS, SET, TASK, UntimedSession, do_all, settle, work_of

pytestmark = pytest.mark.model

CLOSED = "this session is closed"


@pytest.fixture
def model() -> Iterator[UntimedSession]:
    with UntimedSession.open(device="cpu") as opened:
        yield opened


@pytest.mark.parametrize("kind", KINDS)
def test_every_action_says_that_the_session_is_closed_and_what_was_measured_stays(
    kind: str, model: UntimedSession, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tool = KINDS[kind].make(model)
    request.addfinalizer(tool.close)
    do_all(kind, tool)
    kept = tool.data, repr(tool), tool.code(), tool.result
    model.close()
    for name, work in work_of(kind).items():
        if (kind, name) == ("builder", "run"):
            continue  # without a profile it has nothing to do
        with pytest.raises(SessionClosedError, match=CLOSED):
            work(tool)
        assert (tool.data.equals(kept[0]), repr(tool), tool.code(), tool.result) == (True, *kept[1:]), name
    for suffix in (".png", ".svg", ".csv", ".json"):
        assert tool.save(tmp_path / f"kept{suffix}").stat().st_size > 0
    if tool.result is not None:  # a result asks of which model it is; choices alone need none
        with pytest.raises(SessionClosedError, match=CLOSED):
            tool.load(tmp_path / "kept.json")
    assert "image/png" in tool._repr_mimebundle_()[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_button_that_starts_work_shows_it_in_the_tools_own_area(
    kind: str, model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    tool = KINDS[kind].make(model)
    request.addfinalizer(tool.close)
    do_all(kind, tool)
    model.close()
    bars = [part for part in parts_of(tool.view.box) if isinstance(part, JobBar)]
    assert bars
    for bar in bars:
        for one in tools_of(tool):
            one.view._forgive()
        bar._handle_custom_msg({"do": "run"}, [])
        assert [text.split(" ", 1)[0] for text in complaints(tool)] == ["SessionClosedError:"], bar


def test_a_choice_on_a_closed_session_is_kept_and_told_and_the_page_reads_why_nothing_follows(
    model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    studio = KINDS["studio"].make(model)
    request.addfinalizer(studio.close)
    do_all("studio", studio)
    model.close()
    with pytest.raises(SessionClosedError, match=CLOSED):
        studio.set(explorer={"question": 4})
    assert studio.state.explorer.question == studio.explorer.state.question == 4
    studio.explorer.view.measure._handle_custom_msg({"enter": "limit", "value": 30}, [])
    assert studio.state.explorer.limit == 30
    assert complaints(studio) == [studio.explorer.view.message.text]
    assert CLOSED in complaints(studio)[0]
    studio.builder.view.edit._handle_custom_msg({"enter": "skipset", "value": "whole 3"}, [])
    line = studio.builder.view.question.line
    wait_for(lambda: line.phase == "failed")
    assert line.message.startswith("SessionClosedError: ")
    assert {str(studio.skipset), str(studio.evaluator.b), str(studio.explorer.state.skipset)} == {"whole 3"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_tool_that_is_first_shown_after_the_end_shows_what_it_has(
    kind: str, model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    tool = KINDS[kind].make(model)
    request.addfinalizer(tool.close)
    tool.run()
    model.close()
    bundle, _ = tool._repr_mimebundle_()
    assert "image/png" in bundle
    settle(tool)
    assert all(text.startswith("SessionClosedError: ") for text in complaints(tool))


def test_a_studio_that_opened_its_own_session_can_be_read_after_both_are_closed() -> None:
    with Studio(skipset=SET, task=TASK) as studio:
        said = repr(studio)
    assert repr(studio) == said
    assert studio._repr_mimebundle_()[0]["text/plain"] == said
    studio.close()


@pytest.mark.parametrize("kind", ["explorer", "evaluator", "studio"])
def test_a_session_closed_in_the_middle_of_a_run_cancels_it_and_what_was_measured_stays(
    kind: str, model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    tool = KINDS[kind].make(model)
    request.addfinalizer(tool.close)
    tool.view  # noqa: B018 - it shows what happens
    one = tool.explorer if kind == "studio" else tool
    one.set(limit=2000)
    one.run(block=False)
    wait_for(lambda: one.job.done > 0, 30)
    model.close()
    with pytest.raises(CancelledError):
        one.job.result(30)
    assert len(one.data) > 0
    assert one.result is not None
    assert "image/png" in tool._repr_mimebundle_()[0]
