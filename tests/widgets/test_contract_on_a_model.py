"""The contract of every tool where a real model is at work: what is shown, what is kept, what is freed."""

import gc
import json
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
from ipywidgets.embed import dependency_state

from tests.widgets.inside import complaints, parts_of, tools_of
from tests.widgets.open_widgets import OPEN_WIDGETS
from tests.widgets.tools_on_a_model import KINDS, TASK, UntimedSession, do_all, settle

pytestmark = pytest.mark.model

PLAIN = (str, int, float, bool, type(None))
BUFFERS = (bytes, bytearray, memoryview)
MOST_BYTES = 150_000
"""What a tool may add to a saved notebook."""


@pytest.fixture(scope="module")
def model() -> Iterator[UntimedSession]:
    opened = UntimedSession.open(device="cpu")
    yield opened
    opened.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def used(model: UntimedSession) -> Iterator[dict[str, Any]]:
    """Each tool after all that it can do, with its view; leave them as they are."""
    tools = {name: kind.make(model) for name, kind in KINDS.items()}
    for name, tool in tools.items():
        do_all(name, tool)
    yield tools
    for tool in tools.values():
        tool.close()


# -- code ------------------------------------------------------------------------------------------------------------


def code_gives_the_data(tool: Any, session: Any) -> dict[str, Any]:
    names: dict[str, Any] = {"session": session}
    exec(tool.code().replace("session = Session.open(device='cpu')", ""), names)
    assert len(tool.data) > 0
    assert names["data"].equals(tool.data)
    return names


def test_the_code_gives_the_same_numbers_to_the_bit(kind: str, used: dict[str, Any], model: UntimedSession) -> None:
    code_gives_the_data(used[kind], model)


def test_the_code_opens_the_model_by_itself(used: dict[str, Any]) -> None:
    names: dict[str, Any] = {}
    exec(used["explorer"].code(), names)
    names["session"].close()
    assert names["data"].equals(used["explorer"].data)


@pytest.mark.usefixtures("two_timed_prompts")
def test_a_timed_comparison_gives_the_same_answers(session: Any, model: UntimedSession) -> None:
    with KINDS["evaluator"].make(session) as tool:
        tool.set(limit=6)
        assert tool.run().metric("total time").a > 0
        code_gives_the_data(tool, model)


def test_the_code_of_a_first_look_and_of_one_question_give_the_same_numbers(model: UntimedSession) -> None:
    with KINDS["explorer"].make(model) as tool:
        tool.set(question=2)
        tool.look()
        code_gives_the_data(tool, model)
        tool.pin()
        tool.set(over="question", question=7)
        tool.run()
        code_gives_the_data(tool, model)


@pytest.mark.slow
def test_the_code_of_a_sweep_and_of_an_early_stop_give_the_same_numbers(model: UntimedSession) -> None:
    with KINDS["evaluator"].make(model) as tool:
        tool.sweep()
        code_gives_the_data(tool, model)
        tool.set(a="none", b="whole 0-5", limit=260, stop_early=True)
        assert tool.run().num_questions < 260
        code_gives_the_data(tool, model)


def test_the_builders_code_asks_the_question_that_was_chosen(model: UntimedSession) -> None:
    with KINDS["builder"].make(model) as tool:
        tool.set(question=model.examples(TASK)[7].key)
        answer = tool.what_if()
        assert code_gives_the_data(tool, model)["answer"] == answer


# -- what hangs on a widget ------------------------------------------------------------------------------------------


def strangers(value: Any, where: str) -> Iterator[str]:
    """Whatever in a trait's value is neither text, number, list nor dict, nor bytes that travel as a buffer."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from strangers(key, f"{where} (a key)")
            yield from strangers(inner, f"{where}[{key!r}]")
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from strangers(inner, f"{where}[{place}]")
    elif type(value) not in (*PLAIN, *BUFFERS):
        yield f"{where} is a {type(value)}"


def widgets_of(tool: Any) -> list[Any]:
    return [*parts_of(tool.view.box)]


def test_no_widget_holds_anything_but_text_and_numbers(kind: str, used: dict[str, Any]) -> None:
    own = {*ipywidgets.VBox.class_trait_names(), "comm"}  # of ipywidgets itself: children, a channel, callbacks
    found = [
        odd
        for widget in widgets_of(used[kind])
        for name in widget.trait_names()
        if name not in own
        for odd in strangers(getattr(widget, name), f"{type(widget).__name__}.{name}")
    ]
    assert found == []


def test_what_goes_to_the_page_is_json_without_nan(kind: str, used: dict[str, Any]) -> None:
    for widget in widgets_of(used[kind]):
        state = {name: value for name, value in widget.get_state().items() if not isinstance(value, BUFFERS)}
        json.dumps(state, allow_nan=False)


# -- bytes -----------------------------------------------------------------------------------------------------------


def test_a_saved_notebook_grows_by_less_than_150_kilobytes(kind: str, used: dict[str, Any]) -> None:
    bundle, metadata = used[kind]._repr_mimebundle_()
    assert len(bundle["image/png"]) > 1000
    assert len(json.dumps([bundle, metadata])) < MOST_BYTES


def test_what_a_tool_tells_the_page_is_less_than_150_kilobytes_apart_from_scripts(
    kind: str, used: dict[str, Any]
) -> None:
    """What a page saves as widget state, if asked to; each widget's script and style come on top."""
    state = dependency_state(used[kind].view.box, drop_defaults=True)
    assert len(state) >= len(widgets_of(used[kind]))
    assert len(json.dumps(state)) < MOST_BYTES


# -- several at once -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_two_tools_at_once_give_what_each_gives_alone(kind: str, used: dict[str, Any], model: UntimedSession) -> None:
    with KINDS[kind].make(model) as one, KINDS[kind].make(model) as two, KINDS["explorer"].make(model) as third:
        for tool in (one, two, third):
            tool._repr_mimebundle_()
            tool.run(block=False)
        third.look()  # in between
        settle(one)
        assert not [text for tool in (one, two, third) for text in complaints(tool)]
        assert third.data.equals(used["explorer"].data)
        alone = used[kind].data
        assert one.data.equals(alone)
        assert two.data.equals(alone)


def test_shown_twice_both_pictures_are_one_view_that_follows_the_run(kind: str, model: UntimedSession) -> None:
    with KINDS[kind].make(model) as tool:
        first, second = (tool._repr_mimebundle_()[0] for _ in range(2))
        view = "application/vnd.jupyter.widget-view+json"
        assert first[view] == second[view]
        assert tool.view.box.model_id == first[view]["model_id"]
        shown = ipywidgets.embed.dependency_state(tool.view.box)
        tool.run()
        settle(tool)
        if kind != "builder":  # it has nothing to run before there is a profile
            assert ipywidgets.embed.dependency_state(tool.view.box) != shown
        assert tool.view.box.model_id == first[view]["model_id"]


# -- close -----------------------------------------------------------------------------------------------------------


def let_go(model: UntimedSession) -> None:
    """Wait until no thread holds what it did last: no worker of the session, no stopwatch that was called off."""
    for quick in (False, True):
        model.submit(lambda _: None, quick=quick).result(30)
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(30)
    gc.collect()


def test_close_frees_the_tool_its_views_its_jobs_and_what_they_measured(kind: str, model: UntimedSession) -> None:
    gc.collect()
    before = set(OPEN_WIDGETS)
    tool = KINDS[kind].make(model)
    do_all(kind, tool)
    tool._repr_mimebundle_()
    watched = {f"widget {i}: {widget!r}": weakref.ref(widget) for i, widget in enumerate(widgets_of(tool))}
    for part in tools_of(tool):
        held = {"tool": part, "view": part.view, "job": part.job}
        watched |= {f"{part!r}: {name}": weakref.ref(one) for name, one in held.items() if one is not None}
    tool.close()
    assert set(OPEN_WIDGETS) <= before
    del tool, part, held
    let_go(model)
    assert [name for name, reference in watched.items() if reference() is not None] == []
    assert model.jobs == ()


def test_close_in_the_middle_of_everything_frees_it_too(kind: str, model: UntimedSession) -> None:
    gc.collect()
    before, tool = set(OPEN_WIDGETS), KINDS[kind].make(model)
    tool._repr_mimebundle_()
    tool.run(block=False)
    tool.set(**KINDS[kind].change)
    gone = weakref.ref(tool)
    tool.close()
    settle(tool)
    assert set(OPEN_WIDGETS) <= before
    del tool
    let_go(model)
    assert gone() is None
