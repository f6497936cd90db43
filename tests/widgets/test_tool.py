"""What every tool offers, with and without a browser: one contract, asked of all of them."""

import base64
import gc
import json
import subprocess
import sys
import threading
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest

from skipit_nb.errors import BrokenInstallError, ResultFormatError, SettingError, SkipSetSyntaxError
from skipit_nb.studio import Studio
from skipit_nb.widgets import ABEvaluator, LayerDistanceExplorer, SkipSetBuilder, display
from skipit_nb.widgets.tool import Change
from tests.widgets.fake_session import FakeSession

Make = Callable[[FakeSession], Any]

TOOLS: dict[str, Make] = {
    "builder": lambda port: SkipSetBuilder(port, skipset="vision absent 8-"),
    "evaluator": lambda port: ABEvaluator(port, b="vision absent 0-3", limit=12),
    "explorer": lambda port: LayerDistanceExplorer(port, limit=12),
    "studio": lambda port: Studio(port, skipset="vision absent 8-", limit=12),
}
CHANGES: dict[str, dict[str, Any]] = {
    "builder": {"num_text": 32},
    "evaluator": {"margin": 0.02},
    "explorer": {"epsilon": 0.3},
    "studio": {"builder": {"num_text": 32}},
}
OPEN_WIDGETS: dict[str, Any] = ipywidgets.widgets.widget._instances


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture(params=TOOLS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tool(kind: str, port: FakeSession) -> Iterator[Any]:
    made = TOOLS[kind](port)
    yield made
    made.close()


def test_the_state_is_frozen_and_changes_only_through_set(kind: str, tool: Any) -> None:
    before = tool.state
    with pytest.raises(AttributeError):
        setattr(before, next(iter(CHANGES[kind])), None)
    tool.set(**CHANGES[kind])
    assert tool.state != before


def test_an_unknown_field_is_refused_and_the_known_ones_are_named(tool: Any) -> None:
    before = tool.state
    with pytest.raises(SettingError, match=r"field of the state is 'colour', but should be one of "):
        tool.set(colour="red")
    assert tool.state == before


def test_observers_hear_of_the_fields_they_name_and_of_no_others(kind: str, tool: Any) -> None:
    (field,) = CHANGES[kind]
    heard: list[Change] = []
    tool.observe(heard.append, field)
    tool.observe(heard.append, "result")
    old = getattr(tool.state, field)
    tool.set(**CHANGES[kind])
    assert [(c.name, c.old, c.new, c.owner) for c in heard] == [(field, old, getattr(tool.state, field), tool)]
    tool.set(**CHANGES[kind])  # no change, so nothing to hear
    assert len(heard) == 1


def test_an_observer_that_was_taken_away_hears_nothing(kind: str, tool: Any) -> None:
    heard: list[Change] = []
    tool.observe(heard.append)
    tool.unobserve(heard.append)
    tool.set(**CHANGES[kind])
    assert heard == []


def test_an_observed_name_that_does_not_exist_is_refused(tool: Any) -> None:
    with pytest.raises(SettingError, match="observed name is 'colour'"):
        tool.observe(print, ["colour"])


def test_a_run_gives_the_result_and_tells_who_listens(kind: str, tool: Any) -> None:
    heard: list[Change] = []
    tool.observe(heard.append, "result")
    result = tool.run()
    assert result is tool.result
    if kind != "builder":  # it has no profile here, so nothing to recommend
        assert heard[-1].new is result is not None


def test_the_repr_is_the_same_in_every_run_and_names_the_tool(kind: str, tool: Any, port: FakeSession) -> None:
    tool.run()
    again = TOOLS[kind](port)
    again.run()
    assert repr(tool) == repr(again)
    assert repr(tool).startswith(f"{type(tool).__name__}(")
    assert "0x" not in repr(tool)


def test_the_code_gives_the_same_data(tool: Any, port: FakeSession) -> None:
    tool.run()
    names: dict[str, Any] = {"session": port}
    exec(tool.code(), names)
    assert names["data"].equals(tool.data)


def test_the_code_opens_the_session_where_it_can(kind: str, port: FakeSession) -> None:
    port.code = "session = Session.open('tiny')"
    lines = TOOLS[kind](port).code().split("\n")
    assert "Session" in lines[0]
    assert "session = Session.open('tiny')" in lines


@pytest.mark.parametrize("suffix, start", [(".png", b"\x89PNG"), (".svg", b"<svg"), (".csv", b""), (".json", b"{")])
def test_a_saved_file_is_what_its_name_says(tool: Any, tmp_path: Path, suffix: str, start: bytes) -> None:
    tool.run()
    written = tool.save(tmp_path / f"picture{suffix}")
    assert written.read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [f"picture{suffix}"]
    if suffix == ".csv":
        assert written.read_text().split("\n")[0] == ",".join(tool.data.columns)


def test_a_file_name_that_says_nothing_is_refused(tool: Any, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"'picture.jpeg', but should be one that ends in .png, .svg, .csv or .json"):
        tool.save(tmp_path / "picture.jpeg")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_the_old_file_whole(
    tool: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "data.csv"
    file.write_text("old")

    def full_disk(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(OSError, match="no space left"):
        tool.save(file)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("data.csv", "old")]


def test_a_saved_tool_is_loaded_with_state_and_result(kind: str, tool: Any, tmp_path: Path) -> None:
    tool.set(**CHANGES[kind])
    tool.run()
    tool.save(tmp_path / "tool.json")
    other_port = FakeSession()
    other = TOOLS[kind](other_port)
    other.load(tmp_path / "tool.json")
    assert (other.state, other.result) == (tool.state, tool.result)
    other_port.worker.close()


@pytest.mark.parametrize(
    "damage, why",
    [
        (lambda stored: stored | {"skipit": "Sweep"}, "it holds a Sweep"),
        (lambda stored: stored | {"state": {}}, "KeyError"),
        (lambda stored: stored | {"state": stored["state"] | {"format": 99}}, "it has format 99"),
        (lambda stored: [], "TypeError"),
    ],
)
def test_a_file_of_something_else_is_refused_and_changes_nothing(
    tool: Any, tmp_path: Path, damage: Callable[[Any], Any], why: str
) -> None:
    file = tool.save(tmp_path / "tool.json")
    file.write_text(json.dumps(damage(json.loads(file.read_text()))))
    before = tool.state
    with pytest.raises(ResultFormatError, match=why):
        tool.load(file)
    assert tool.state == before


def test_the_bundle_has_a_live_view_a_small_picture_and_words(tool: Any) -> None:
    tool.run()
    bundle, metadata = tool._repr_mimebundle_()
    assert bundle["text/plain"] == repr(tool)
    assert bundle[display.WIDGET_MIME]["model_id"] == tool.view.box.model_id
    png = base64.b64decode(bundle["image/png"])
    assert png.startswith(b"\x89PNG")
    assert len(png) <= display.MOST_THUMBNAIL_BYTES
    assert metadata == {}


def test_the_picture_is_drawn_once_for_each_state(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tool.run()
    tool._repr_mimebundle_()
    monkeypatch.setattr(tool, "_draw_thumbnail", lambda: pytest.fail("drawn again"))
    tool._repr_mimebundle_()


def test_there_is_no_picture_before_there_is_something_to_draw(port: FakeSession) -> None:
    with ABEvaluator(port, b="vision absent 0-3") as evaluator:
        bundle, _ = evaluator._repr_mimebundle_()
        assert "image/png" not in bundle


def test_colab_is_told_where_the_widgets_come_from(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    colab = types.ModuleType("google.colab.output")
    calls: list[str] = []
    vars(colab)["enable_custom_widget_manager"] = lambda: calls.append("enabled")
    vars(colab)["_widgets"] = types.SimpleNamespace(_installed_url="https://colab.example/manager.js")
    monkeypatch.setitem(sys.modules, "google.colab.output", colab)
    _, metadata = tool._repr_mimebundle_()
    url = "https://colab.example/manager.js"
    assert metadata == {display.WIDGET_MIME: {"colab": {"custom_widget_manager": {"url": url}}}}
    assert calls


def test_the_kernel_that_loses_updates_is_refused(tool: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = types.ModuleType("ipykernel")
    vars(kernel).update(__version__="7.0.1", version_info=(7, 0, 1))
    monkeypatch.setitem(sys.modules, "ipykernel", kernel)
    with pytest.raises(BrokenInstallError, match=r"ipykernel 7.0.1 loses every update.* pip install 'ipykernel>=7.1'"):
        tool._repr_mimebundle_()
    vars(kernel).update(__version__="7.4.0", version_info=(7, 4, 0))
    tool._repr_mimebundle_()


def test_close_frees_the_tool_and_every_widget(kind: str, port: FakeSession) -> None:
    gc.collect()
    before = set(OPEN_WIDGETS)
    tool = TOOLS[kind](port)
    tool.run()
    tool._repr_mimebundle_()
    assert set(OPEN_WIDGETS) > before
    watched = [weakref.ref(tool), weakref.ref(tool.view), weakref.ref(tool.view.box)]
    tool.close()
    assert set(OPEN_WIDGETS) <= before
    del tool
    port.submit(lambda _: None).result(5)  # what was cancelled has ended
    gc.collect()
    assert [reference() for reference in watched] == [None, None, None]


def test_a_closed_tool_can_be_shown_again(kind: str, tool: Any) -> None:
    tool._repr_mimebundle_()
    tool.close()
    tool.close()
    tool.set(**CHANGES[kind])
    bundle, _ = tool._repr_mimebundle_()
    assert display.WIDGET_MIME in bundle


def test_without_a_browser_no_widget_library_is_loaded() -> None:
    code = """
import sys
from skipit_nb.cost import ModelShape
from skipit_nb.widgets import ABEvaluator, SkipSetBuilder, LayerDistanceExplorer
builder = SkipSetBuilder(ModelShape(4, 8, 16, 2, 2, 4, 100), skipset="vision absent 2-")
builder.early_exit(1)
builder.data, builder.code(), repr(builder)
print(*sorted({'ipywidgets', 'anywidget', 'altair', 'torch', 'transformers', 'IPython'} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


# -- errors and jobs in the widget -----------------------------------------------------------------------------------


@pytest.fixture
def evaluator(port: FakeSession) -> Iterator[ABEvaluator]:
    with ABEvaluator(port, b="vision absent 0-3", limit=12) as made:
        yield made


def enter(evaluator: ABEvaluator, **values: Any) -> None:
    """What the page sends when a value is entered."""
    view: Any = evaluator.view
    for name, value in values.items():
        controls = view.arms if name in ("a", "b") else view.settings
        controls._handle_custom_msg({"enter": name, "value": value}, [])


def test_an_error_is_shown_in_the_tools_own_area_and_the_tool_goes_on(evaluator: ABEvaluator) -> None:
    enter(evaluator, b="vision gone 3")
    message = evaluator.view.message
    assert message.tone == "error"
    assert message.text.startswith("SkipSetSyntaxError: 'vision gone 3' is not a skip set")
    assert str(evaluator.b) == "vision absent 0-3"
    enter(evaluator, b="vision absent 1")
    assert (message.text, str(evaluator.b)) == ("", "vision absent 1")
    with pytest.raises(SkipSetSyntaxError):
        evaluator.set(b="vision gone 3")


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("limit", 0, "SettingError: questions is 0, but should be a whole number from 1"),
        ("limit", "many", "SettingError: questions is 'many'"),
        ("task", "vqa-v2", "SettingError: task is 'vqa-v2', but should be one of shapes, counts"),
        ("margin", None, "SettingError: margin is None"),
        ("margin", 1, "SettingError: margin is 1, but should be a share above 0"),
        ("b", "whole 12", "LayerIndexError: layer 12 is outside 0..11"),
        ("a", 7, "SettingError: A (reference) is 7, but should be text"),
        ("nothing", 1, "SettingError: field is 'nothing'"),
    ],
)
def test_bad_input_is_refused_in_words(evaluator: ABEvaluator, name: str, value: Any, words: str) -> None:
    before = evaluator.state
    enter(evaluator, **{name: value})
    assert evaluator.view.message.text.startswith(words)
    assert evaluator.state == before


def test_an_empty_limit_means_all_questions(evaluator: ABEvaluator) -> None:
    enter(evaluator, limit=None)
    assert evaluator.state.limit is None
    evaluator.run()
    assert len(evaluator.data) == 60


def test_run_and_cancel_work_from_the_page(evaluator: ABEvaluator, port: FakeSession) -> None:
    port.gate.clear()
    bar = evaluator.view.job_bar
    bar._handle_custom_msg({"do": "run"}, [])
    assert evaluator.job is not None
    assert not evaluator.job.has_ended
    bar._handle_custom_msg({"do": "cancel"}, [])
    port.gate.set()
    with pytest.raises(Exception, match="cancelled"):
        evaluator.job.result(5)
    wait_for(lambda: bar.state == "cancelled")
    assert evaluator.result is None
    assert evaluator.view.message.text == ""
    bar._handle_custom_msg({"do": "run"}, [])
    evaluator.job.result(5)
    wait_for(lambda: (bar.state, bar.done, bar.total) == ("done", 24, 24))


def test_progress_reaches_the_bar_with_a_count(evaluator: ABEvaluator, port: FakeSession) -> None:
    port.gate.clear()
    bar = evaluator.view.job_bar
    evaluator.run(block=False)
    wait_for(lambda: bar.message == "0 of 24 questions")
    assert bar.state == "running"
    port.gate.set()


def test_a_second_run_cancels_the_first(evaluator: ABEvaluator, port: FakeSession) -> None:
    port.gate.clear()
    evaluator.run(block=False)
    first = evaluator.job
    evaluator.run(block=False)
    port.gate.set()
    assert first is not None
    with pytest.raises(Exception, match="cancelled"):
        first.result(5)
    assert evaluator.job is not None
    assert evaluator.job.result(5) is evaluator.result


def test_a_run_that_does_not_hear_it_was_cancelled_does_not_overwrite_the_newer_one(
    evaluator: ABEvaluator, port: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [port.compare("shapes", None, b, limit=12) for b in ("none", "whole 1")]
    answers, begun, go_on = iter(found), threading.Event(), threading.Event()
    monkeypatch.setattr(port, "compare", lambda *_, **__: (begun.set(), go_on.wait(5), next(answers))[2])
    heard: list[object] = []
    evaluator.observe(lambda change: heard.append(change.new), "result")
    evaluator.run(block=False)
    assert begun.wait(5)
    evaluator.run(block=False)
    go_on.set()
    assert evaluator.job is not None
    evaluator.job.result(5)
    assert heard == [found[1]]


def test_a_run_that_fails_says_so_and_can_be_run_again(
    evaluator: ABEvaluator, port: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = evaluator.view
    with monkeypatch.context() as patched:
        patched.setattr(port, "compare", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            evaluator.run()
        wait_for(lambda: view.message.text == "ZeroDivisionError: division by zero")
        assert view.job_bar.state == "failed"
    evaluator.run()
    wait_for(lambda: view.message.text == "")


def test_a_closed_session_is_explained_in_the_widget(evaluator: ABEvaluator, port: FakeSession) -> None:
    port.worker.close()
    evaluator.view.job_bar._handle_custom_msg({"do": "run"}, [])
    assert evaluator.view.message.text.startswith("SessionClosedError: this session is closed")


def test_two_tools_on_one_session_wait_for_each_other(evaluator: ABEvaluator, port: FakeSession) -> None:
    port.gate.clear()
    with ABEvaluator(port, b="whole 1", limit=12) as other:
        other.run(block=False)
        evaluator.run(block=False)
        assert evaluator.view.job_bar.message == "waiting for other work on this session"
        port.gate.set()
        assert evaluator.job is not None
        evaluator.job.result(5)
        assert other.result is not None


def test_an_observer_may_wait_for_a_run(evaluator: ABEvaluator) -> None:
    found: list[object] = []
    evaluator.observe(lambda _: found.append(evaluator.run()), "b")
    evaluator.set(b="none")
    assert found == [evaluator.result]


def wait_for(condition: Callable[[], bool]) -> None:
    """Watchers are told just after a result is there."""
    import time

    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)
