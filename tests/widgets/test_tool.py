"""Errors and jobs in a tool's view, with the evaluator as the example; what every tool offers is in test_contract."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from skipit_nb.errors import SkipSetSyntaxError
from skipit_nb.widgets import ABEvaluator
from tests.waiting import wait_for
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


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
        evaluator.job.result(30)
    wait_for(lambda: bar.state == "cancelled")
    assert evaluator.result is None
    assert evaluator.view.message.text == ""
    bar._handle_custom_msg({"do": "run"}, [])
    evaluator.job.result(30)
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
        first.result(30)
    assert evaluator.job is not None
    assert evaluator.job.result(30) is evaluator.result


def test_a_run_that_does_not_hear_it_was_cancelled_does_not_overwrite_the_newer_one(
    evaluator: ABEvaluator, port: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [port.compare("shapes", None, b, limit=12) for b in ("none", "whole 1")]
    answers, begun, go_on = iter(found), threading.Event(), threading.Event()
    monkeypatch.setattr(port, "compare", lambda *_, **__: (begun.set(), go_on.wait(30), next(answers))[2])
    heard: list[object] = []
    evaluator.observe(lambda change: heard.append(change.new), "result")
    evaluator.run(block=False)
    assert begun.wait(30)
    evaluator.run(block=False)
    go_on.set()
    assert evaluator.job is not None
    evaluator.job.result(30)
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
        evaluator.job.result(30)
        assert other.result is not None


def test_an_observer_may_wait_for_a_run(evaluator: ABEvaluator) -> None:
    found: list[object] = []
    evaluator.observe(lambda _: found.append(evaluator.run()), "b")
    evaluator.set(b="none")
    assert found == [evaluator.result]
