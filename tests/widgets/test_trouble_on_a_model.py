"""A real model that raises, and a cell that is interrupted: the tool says so, and the model is as before."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from skipit_nb.backend.checks.state import changes, state_of
from skipit_nb.errors import CancelledError, NothingAnsweredError
from tests.waiting import wait_for
from tests.widgets.inside import complaints, tools_of
from tests.widgets.tools_on_a_model import KINDS, UntimedSession, settle, work_of

pytestmark = pytest.mark.model

WORK = [(kind, name) for kind in KINDS for name in work_of(kind) if (kind, name) != ("builder", "run")]
LONG = [(kind, name) for kind, name in WORK if name in KINDS[kind].takes_long and kind != "builder"]


@pytest.fixture(scope="module")
def model() -> Iterator[UntimedSession]:
    with UntimedSession.open(device="cpu") as opened:
        KINDS["explorer"].make(opened).look()  # transformers hooks itself up on the first call
        yield opened


@contextmanager
def raising(model: UntimedSession, layer: int = 6, after: int = 1) -> Iterator[None]:
    """One decoder layer raises once it has run so often."""
    calls = iter(range(10**6))

    def break_off(*_: object) -> None:
        if next(calls) >= after:
            message = "layer 6 gave up"
            raise RuntimeError(message)

    hook = model._open.anatomy.layers[layer].register_forward_hook(break_off)
    try:
        yield
    finally:
        hook.remove()


@pytest.mark.parametrize("kind, name", WORK)
def test_a_layer_that_raises_fails_the_work_leaves_the_model_and_the_next_time_is_whole(
    kind: str, name: str, model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    tool = KINDS[kind].make(model)
    request.addfinalizer(tool.close)
    tool.view  # noqa: B018 - it shows what happens
    settle(tool)
    work, before = work_of(kind)[name], state_of(model._open)
    with raising(model, after=0 if name == "sweep" else 1):  # a sweep leaves out the batches that raise
        with pytest.raises((RuntimeError, NothingAnsweredError), match="layer 6 gave up"):
            work(tool)
        settle(tool)
    if name != "what_if":  # asked from Python it raises there; the page's own way is the next test's
        wait_for(lambda: any("RuntimeError: layer 6 gave up" in text for text in complaints(tool)))
    assert changes(before, state_of(model._open)) == []
    assert not model._open.lock.is_held
    work(tool)
    settle(tool)
    assert changes(before, state_of(model._open)) == []


def test_a_what_if_of_the_page_says_in_its_line_that_the_model_raised_and_asks_again(
    model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    tool = KINDS["builder"].make(model)
    request.addfinalizer(tool.close)
    line = tool.view.question.line
    settle(tool)
    with raising(model):
        tool.set(skipset="whole 3")
        wait_for(lambda: line.phase == "failed")
    assert line.message == "RuntimeError: layer 6 gave up"
    tool.set(skipset="whole 4")
    wait_for(lambda: line.phase == "answered")
    assert tool.answer.skipset == tool.skipset


@pytest.mark.parametrize("kind, name", LONG)
def test_an_interrupted_cell_cancels_its_work_soon_and_the_tool_goes_on(
    kind: str, name: str, model: UntimedSession, request: pytest.FixtureRequest
) -> None:
    tool = KINDS[kind].make(model)
    request.addfinalizer(tool.close)
    work, before = work_of(kind)[name], state_of(model._open)
    inner = tools_of(tool)[1:] or [tool]
    for one in inner:
        if hasattr(one.state, "limit"):
            one.set(limit=3000)
    stop = threading.Timer(0.7, lambda: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT))
    stop.start()
    with pytest.raises(KeyboardInterrupt):
        work(tool)
    job = next(one.job for one in inner if one.job is not None)
    with pytest.raises(CancelledError):
        job.result(30)
    assert job.state == "cancelled"
    settle(tool)
    assert changes(before, state_of(model._open)) == []
    for one in inner:
        if hasattr(one.state, "limit"):
            one.set(limit=12)
    assert work(tool) is not None
