"""What every tool offers, with a browser and without one: one contract, asked of all of them."""

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

import altair as alt
import pandas as pd
import pytest

from skipit_nb.errors import BrokenInstallError, ResultFormatError, SettingError
from skipit_nb.widgets import ABEvaluator, display
from skipit_nb.widgets.tool import Change
from tests.waiting import wait_for
from tests.widgets.asked_session import AskedSession
from tests.widgets.contract_tools import KINDS
from tests.widgets.open_widgets import OPEN_WIDGETS


@pytest.fixture
def port() -> Iterator[AskedSession]:
    fake = AskedSession()
    yield fake
    fake.close()


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def tool(kind: str, port: AskedSession) -> Iterator[Any]:
    made = KINDS[kind].make(port)
    yield made
    made.close()


def test_the_state_is_frozen_and_changes_only_through_set(kind: str, tool: Any) -> None:
    before = tool.state
    with pytest.raises(AttributeError):
        setattr(before, next(iter(KINDS[kind].change)), None)
    tool.set(**KINDS[kind].change)
    assert tool.state != before


def test_an_unknown_field_is_refused_and_the_known_ones_are_named(tool: Any) -> None:
    before = tool.state
    with pytest.raises(SettingError, match=r"field of the state is 'colour', but should be one of "):
        tool.set(colour="red")
    assert tool.state == before


def test_observers_hear_of_the_fields_they_name_and_of_no_others(kind: str, tool: Any) -> None:
    (field,) = KINDS[kind].change
    heard: list[Change] = []
    tool.observe(heard.append, field)
    tool.observe(heard.append, "result")
    old = getattr(tool.state, field)
    tool.set(**KINDS[kind].change)
    assert [(c.name, c.old, c.new, c.owner) for c in heard] == [(field, old, getattr(tool.state, field), tool)]
    tool.set(**KINDS[kind].change)  # no change, so nothing to hear
    assert len(heard) == 1


def test_an_observer_that_was_taken_away_hears_nothing(kind: str, tool: Any) -> None:
    heard: list[Change] = []
    tool.observe(heard.append)
    tool.unobserve(heard.append)
    tool.set(**KINDS[kind].change)
    assert heard == []


def test_an_observed_name_that_does_not_exist_is_refused(tool: Any) -> None:
    with pytest.raises(SettingError, match="observed name is 'colour'"):
        tool.observe(print, ["colour"])


def test_a_run_gives_the_result_and_tells_who_listens(kind: str, tool: Any) -> None:
    heard: list[Change] = []
    tool.observe(heard.append, "result")
    result = tool.run()
    assert result is tool.result
    if KINDS[kind].starts_work:
        assert heard[-1].new is result is not None


def test_the_repr_is_the_same_in_every_run_and_names_the_tool(kind: str, tool: Any, port: AskedSession) -> None:
    tool.run()
    again = KINDS[kind].make(port)
    again.run()
    assert repr(tool) == repr(again)
    assert repr(tool).startswith(f"{type(tool).__name__}(")
    assert "0x" not in repr(tool)


def test_data_is_a_table_and_the_chart_is_altairs(tool: Any) -> None:
    tool.run()
    assert isinstance(tool.data, pd.DataFrame)
    assert len(tool.data) > 0
    assert isinstance(tool.chart, alt.TopLevelMixin)
    alt.Chart.from_dict(tool.chart.to_dict())  # a specification that its own schema takes


def test_the_code_gives_the_same_data(tool: Any, port: AskedSession) -> None:
    tool.run()
    names: dict[str, Any] = {"session": port}
    exec(tool.code(), names)
    assert names["data"].equals(tool.data)


def test_the_code_opens_the_session_where_it_can(kind: str, port: AskedSession) -> None:
    port.code = "session = Session.open('tiny')"
    lines = KINDS[kind].make(port).code().split("\n")
    assert ("session = Session.open('tiny')" in lines) is KINDS[kind].opens
    assert ("Session" in lines[0].replace(",", " ").split()) is KINDS[kind].opens


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
    tool.set(**KINDS[kind].change)
    tool.run()
    tool.save(tmp_path / "tool.json")
    other_port = AskedSession()
    other = KINDS[kind].make(other_port)
    other.load(tmp_path / "tool.json")
    assert (other.state, other.result) == (tool.state, tool.result)
    other_port.close()


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


def test_there_is_no_picture_before_there_is_something_to_draw(port: AskedSession) -> None:
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


def test_close_frees_the_tool_its_job_and_every_widget(kind: str, port: AskedSession) -> None:
    gc.collect()
    before = set(OPEN_WIDGETS)
    tool = KINDS[kind].make(port)
    tool.run()
    tool._repr_mimebundle_()
    assert set(OPEN_WIDGETS) > before
    watched = [weakref.ref(one) for one in (tool, tool.view, tool.view.box, tool.job) if one is not None]
    tool.close()
    assert set(OPEN_WIDGETS) <= before
    del tool
    for quick in (False, True):
        port.submit(lambda _: None, quick=quick).result(30)  # what was cancelled has ended
    gc.collect()
    assert [reference() for reference in watched] == [None] * len(watched)


def test_no_thread_is_left_when_tool_and_session_are_closed(kind: str) -> None:
    before, port = set(threading.enumerate()), AskedSession()
    with KINDS[kind].make(port) as tool:
        tool._repr_mimebundle_()
        tool.run()
        tool.set(**KINDS[kind].change)
    port.close()
    wait_for(lambda: set(threading.enumerate()) <= before)


def test_a_closed_tool_can_be_shown_again(kind: str, tool: Any) -> None:
    tool._repr_mimebundle_()
    tool.close()
    tool.close()
    tool.set(**KINDS[kind].change)
    bundle, _ = tool._repr_mimebundle_()
    assert display.WIDGET_MIME in bundle


def test_shown_twice_it_is_one_view_that_follows(kind: str, tool: Any) -> None:
    first, _ = tool._repr_mimebundle_()
    tool.set(**KINDS[kind].change)
    chosen = tool.state
    second, _ = tool._repr_mimebundle_()
    assert second[display.WIDGET_MIME] == first[display.WIDGET_MIME]
    assert tool.state == chosen  # a second picture on the page says nothing, so it takes nothing away


HEADLESS = """
import sys
from pathlib import Path
from tests.widgets.asked_session import AskedSession
from tests.widgets.contract_tools import KINDS

for name in ("ipywidgets", "anywidget", "IPython"):
    sys.modules[name] = None  # an import of it raises
port = AskedSession()
for name, kind in KINDS.items():
    tool = kind.make(port)
    tool.set(**kind.change)
    tool.run()
    for suffix in (".csv", ".json", ".svg"):
        tool.save(Path(sys.argv[1]) / f"{name}{suffix}")
    repr(tool)
    names = {"session": port}
    exec(tool.code(), names)
    tool.close()
port.close()
print(*sorted({"torch", "transformers"} & set(sys.modules)))
"""


def test_everything_but_the_view_works_where_no_widget_library_is_installed(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", HEADLESS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    assert (done.stderr, done.stdout.split()) == ("", [])
    assert len([*tmp_path.iterdir()]) == 3 * len(KINDS)


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
