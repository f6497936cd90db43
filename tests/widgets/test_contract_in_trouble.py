"""What every tool does when something goes wrong: it says so in its own area, keeps what it had, and goes on."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skipit_nb.errors import CancelledError, SessionClosedError, SkipitError
from tests.waiting import wait_for
from tests.widgets.asked_session import AskedSession
from tests.widgets.contract_tools import KINDS
from tests.widgets.inside import complaints, tools_of

WORKING = [name for name, kind in KINDS.items() if kind.starts_work]


@pytest.fixture
def port() -> Iterator[AskedSession]:
    fake = AskedSession()
    yield fake
    fake.close()


def made(kind: str, port: AskedSession, request: pytest.FixtureRequest) -> Any:
    tool = KINDS[kind].make(port)
    request.addfinalizer(tool.close)
    return tool


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tool(kind: str, port: AskedSession, request: pytest.FixtureRequest) -> Any:
    return made(kind, port, request)


@pytest.fixture(params=WORKING)
def worker(port: AskedSession, request: pytest.FixtureRequest) -> Any:
    """A tool whose run takes a while."""
    return made(request.param, port, request)


# -- in the tool's own area ------------------------------------------------------------------------------------------


def test_what_the_page_should_not_have_sent_is_shown_and_the_tool_goes_on(kind: str, tool: Any) -> None:
    for one in tools_of(tool):
        for controls in one.view._bound:
            for name, value in (("nothing", 1), (controls.fields[0]["name"], object())):
                controls._handle_custom_msg({"enter": name, "value": value}, [])
                (complaint,) = complaints(tool)
                assert complaint.startswith("SettingError: ")
                assert controls.refused == name
                one.view.guarded(lambda: None)()
                assert complaints(tool) == []
    tool.set(**KINDS[kind].change)
    assert tool.data is not None


def test_a_model_that_raises_in_the_middle_is_explained_and_the_next_run_is_whole(
    worker: Any, port: AskedSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = worker.run()
    worker.view  # noqa: B018 - built before it goes wrong
    data, ticks = worker.data, iter(range(1000))

    def broken(total: int, progress: Any) -> None:
        for done in range(total):
            progress(done, total)
            if next(ticks) == 5:
                raise RuntimeError("layer 5 gave up")

    with monkeypatch.context() as patched:
        patched.setattr(port, "_tick_through", broken)
        with pytest.raises(RuntimeError, match="layer 5 gave up"):
            worker.run()
        wait_for(lambda: "RuntimeError: layer 5 gave up" in complaints(worker))
    assert (worker.result, worker.data.equals(data)) == (whole, True)
    worker.run()
    wait_for(lambda: complaints(worker) == [])
    assert worker.data.equals(data)


def test_a_cell_that_is_interrupted_cancels_its_run_and_the_next_one_is_whole(worker: Any, port: AskedSession) -> None:
    port.gate.clear()
    worker.view  # noqa: B018 - it shows what happens
    main = threading.main_thread().ident
    assert main == threading.get_ident()
    stop = threading.Timer(0.3, lambda: signal.pthread_kill(main, signal.SIGINT))
    stop.start()
    with pytest.raises(KeyboardInterrupt):
        worker.run()
    (stopped,) = [one.job for one in tools_of(worker) if one.job is not None]
    wait_for(lambda: stopped.state == "cancelled")
    assert complaints(worker) == []
    port.gate.set()
    assert worker.run() is not None


def test_a_run_can_be_cancelled_from_another_thread_at_any_time(worker: Any, port: AskedSession) -> None:
    port.gate.clear()
    worker.run(block=False)
    jobs = [one.job for one in tools_of(worker) if one.job is not None]
    threading.Thread(target=lambda: [job.cancel() for job in jobs]).start()
    for job in jobs:
        with pytest.raises(CancelledError):
            job.result(30)
    port.gate.set()
    assert worker.run() is not None


# -- a session that is closed, or shared -----------------------------------------------------------------------------


def test_after_the_session_is_closed_the_tool_says_so_and_shows_what_it_has(
    worker: Any, port: AskedSession, tmp_path: Path
) -> None:
    worker.run()
    data, text = worker.data, repr(worker)
    port.close()
    with pytest.raises(SessionClosedError, match="this session is closed"):
        worker.run()
    bundle, _ = worker._repr_mimebundle_()
    for one in tools_of(worker):
        if one.view._job_bar is not None:
            one.view.job_bar._handle_custom_msg({"do": "run"}, [])
            assert one.view.message.text.startswith("SessionClosedError: this session is closed")
    assert (bundle["text/plain"], worker.data.equals(data)) == (text, True)
    assert "image/png" in bundle
    worker.save(tmp_path / "kept.json")


def test_two_tools_on_one_session_at_once_give_what_each_gives_alone(
    worker: Any, port: AskedSession, request: pytest.FixtureRequest
) -> None:
    others = [made(kind, port, request) for kind in WORKING]
    alone = worker.run()
    port.gate.clear()
    for tool in (worker, *others):
        tool.run(block=False)
    port.gate.set()
    jobs = [one.job for tool in (worker, *others) for one in tools_of(tool) if one.job is not None]
    for job in jobs:
        job.result(30)
    assert worker.result == alone
    assert all(tool.result is not None for tool in others)


# -- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", [0, 2, None, "1"])
def test_a_file_of_another_version_is_refused_and_changes_nothing(tool: Any, tmp_path: Path, format_: object) -> None:
    tool.run()
    refuse(tool, tmp_path, lambda stored: stored["state"].update(format=format_), "this version reads 1")
    if tool.result is not None:
        refuse(tool, tmp_path, lambda stored: stored["result"].update(format=format_), "this version reads 1")


def test_a_file_with_a_field_too_many_or_too_few_is_refused_and_changes_nothing(tool: Any, tmp_path: Path) -> None:
    tool.run()
    refuse(tool, tmp_path, lambda stored: stored["state"]["value"].update(colour="red"), "colour")
    first = next(iter(json.loads(tool.save(tmp_path / "tool.json").read_text())["state"]["value"]))
    refuse(tool, tmp_path, lambda stored: stored["state"]["value"].pop(first), first)


def test_a_file_of_a_model_with_other_layers_is_refused_and_changes_nothing(
    kind: str, tool: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    tool.run()
    port = AskedSession(num_layers=20)
    request.addfinalizer(port.close)
    other = made(kind, port, request)
    other.run()
    file = other.save(tmp_path / "other.json")
    refused(tool, file, r"\b20\b.*\b12\b|layer")


def test_a_file_of_another_model_is_refused_and_changes_nothing(worker: Any, tmp_path: Path) -> None:
    worker.run()
    file = worker.save(tmp_path / "tool.json")
    file.write_text(file.read_text().replace('"model": "fake"', '"model": "another model"'))
    refused(worker, file, "another model")


def test_a_studio_file_with_one_bad_tool_in_it_changes_none_of_the_others(
    port: AskedSession, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    studio = made("studio", port, request)
    studio.run()

    def damage(stored: Any) -> None:
        stored["state"]["value"]["explorer"]["layer"] = 3
        stored["state"]["value"]["evaluator"]["margin"] = 2.0

    refuse(studio, tmp_path, damage, "margin is 2.0")


# -- inside ----------------------------------------------------------------------------------------------------------


def refuse(tool: Any, folder: Path, damage: Callable[[Any], object], why: str) -> None:
    """Damage what the tool has saved: it is refused."""
    file = tool.save(folder / "tool.json")
    stored = json.loads(file.read_text())
    damage(stored)
    file.write_text(json.dumps(stored))
    refused(tool, file, why)


def refused(tool: Any, file: Path, why: str) -> None:
    """Loading the file raises an error of ours, and leaves the tool as it was."""
    before = tool.state, tool.result
    with pytest.raises(SkipitError, match=why):
        tool.load(file)
    assert (tool.state, tool.result) == before
