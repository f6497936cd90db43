"""A run of the evaluator while it is under way: how it stands, pause, cancel, ledger, and what a session answers."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skipit_nb.errors import CancelledError
from skipit_nb.results import Comparison, Standing
from skipit_nb.widgets import ABEvaluator
from skipit_nb.widgets.evaluator.asking import MOST_LOOKS
from skipit_nb.widgets.evaluator.standing_plot import MOST_DRAWN, StandingPlot
from tests.waiting import wait_for
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.gate.set()
    fake.worker.close()


@pytest.fixture
def evaluator(port: FakeSession) -> Iterator[ABEvaluator]:
    with ABEvaluator(port, b="vision absent 0-3", limit=45) as made:
        yield made


def held_at(port: FakeSession, questions: int) -> Callable[[int, int], None]:
    """What holds a run back once so many questions are answered: it is put before the real tick."""

    def hold(done: int, _: int) -> None:
        if done >= 2 * questions:
            port.gate.clear()

    return hold


@pytest.fixture
def held(evaluator: ABEvaluator, port: FakeSession, monkeypatch: pytest.MonkeyPatch) -> ABEvaluator:
    """A run that has answered 18 of 45 questions and goes no further."""
    compare, hold = port.compare, held_at(port, 18)

    def comparing(*args: Any, progress: Any, **named: Any) -> Comparison:
        def tick(done: int, total: int, /) -> None:
            hold(done, total)
            progress(done, total)

        return compare(*args, progress=tick, **named)

    monkeypatch.setattr(port, "compare", comparing)
    evaluator.view  # noqa: B018 - it follows from the start
    evaluator.run(block=False)
    wait_for(lambda: evaluator.job is not None and evaluator.job.done >= 36)
    return evaluator


def click(evaluator: ABEvaluator, wish: str) -> None:
    evaluator.view.job_bar._handle_custom_msg({"do": wish}, [])


# -- while it streams ------------------------------------------------------------------------------------------------


def test_a_run_under_way_says_how_it_stands_and_that_one_may_look(held: ABEvaluator) -> None:
    view: Any = held.view
    wait_for(lambda: bool(held.looks))
    last = held.looks[-1]
    assert isinstance(last, Standing)
    assert last.num_questions <= 18 < last.planned == 45
    begins = f"So far, {last.num_questions} of 45 questions: B − A is −33.3 points"
    wait_for(lambda: view.so_far.text.startswith(begins))
    assert "anytime-valid 95 % interval" in view.so_far.text
    assert view.so_far.text.endswith("It holds however often you look.")
    assert view.standing.looks[-1][:2] == [last.num_questions, pytest.approx(-33.333)]
    assert (view.standing.planned, view.standing.final, view.verdict.text) == (45, [], "")


def test_at_the_end_the_verdict_takes_the_place_of_how_it_stood(evaluator: ABEvaluator) -> None:
    view: Any = evaluator.view
    evaluator.run()
    assert len(evaluator.looks) > 2
    assert view.so_far.text == ""
    assert view.standing.final == [45, pytest.approx(-33.333), pytest.approx(-35.333), pytest.approx(-31.333)]


def test_the_interval_of_every_look_is_kept_until_the_next_run(evaluator: ABEvaluator) -> None:
    evaluator.run()
    before = evaluator.looks
    assert [look.num_questions for look in before] == sorted(look.num_questions for look in before)
    evaluator.set(b="none")
    evaluator.run()
    assert {look.worse for look in evaluator.looks} == {0}


def test_a_long_run_keeps_and_draws_only_so_many_looks(evaluator: ABEvaluator) -> None:
    def look(n: int) -> Standing:
        return Standing(n, 5000, 1.0, 0.9, -0.1, -0.2, 0.0, n, 0, "anytime-valid")

    for n in range(1, 1001):
        evaluator._see((*evaluator.looks, look(n)))
    assert len(evaluator.looks) <= MOST_LOOKS
    assert evaluator.looks[-1] == look(1000)
    assert evaluator.looks[0].num_questions < 20  # the beginning is still there
    plot = StandingPlot()
    plot.follow(evaluator.looks, 0.01, "words")
    assert 2 < len(plot.looks) <= MOST_DRAWN
    assert plot.looks[-1][0] == 1000
    plot.close()


def test_all_questions_are_asked_by_their_number_so_that_images_come_in_random_order(
    evaluator: ABEvaluator, port: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    compare = port.compare
    monkeypatch.setattr(port, "compare", lambda *a, **named: (asked.append(named["limit"]), compare(*a, **named))[1])
    evaluator.set(limit=None)
    evaluator.run()
    assert asked == [60]
    assert "limit=len(session.examples('shapes'))" in evaluator.code()


# -- pause and cancel ------------------------------------------------------------------------------------------------


def test_pause_and_resume_work_from_the_page_and_lose_nothing(held: ABEvaluator, port: FakeSession) -> None:
    bar = held.view.job_bar
    assert bar.can_pause
    click(held, "pause")
    wait_for(lambda: bar.state == "paused")
    assert bar.message.startswith("paused after 3")
    port.gate.set()
    time.sleep(0.05)
    assert (bar.state, held.result) == ("paused", None)
    click(held, "resume")
    port.gate.set()
    assert held.job is not None
    wait_for(lambda: port.gate.set() or held.job.has_ended)  # type: ignore[func-returns-value, union-attr]
    assert held.job.result(30) == held.result
    assert held.result is not None
    assert held.result.num_questions == 45


def test_a_cancelled_run_hands_over_what_it_has_and_says_that_it_is_not_all(held: ABEvaluator) -> None:
    view: Any = held.view
    click(held, "cancel")
    assert held.job is not None
    with pytest.raises(CancelledError):
        held.job.result(30)
    wait_for(lambda: view.job_bar.state == "cancelled")
    assert held.result is not None
    assert (held.result.num_questions, held.result.is_complete) == (18, False)
    assert view.verdict.text.startswith("Incomplete, interrupted after 18 of 45 questions.")
    assert view.facts.text.endswith("stopped before the last question")
    assert len(held.data) == 18
    assert held.code().count("# what is shown was stopped after 18 questions; this asks all of them") == 1
    assert view.message.text == ""  # a cancelled run is no error


def test_what_a_replaced_run_hands_over_does_not_become_the_result(held: ABEvaluator, port: FakeSession) -> None:
    first = held.job
    held.set(b="none")
    held.run(block=False)
    port.gate.set()
    assert first is not None
    with pytest.raises(CancelledError):
        first.result(30)
    assert held.job is not None
    wait_for(lambda: port.gate.set() or held.job.has_ended)  # type: ignore[func-returns-value, union-attr]
    assert held.result is not None
    assert held.result.b.is_empty
    assert held.result.is_complete


def test_a_model_that_raises_in_the_middle_is_explained_and_the_tool_goes_on(
    evaluator: ABEvaluator, port: FakeSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    view: Any = evaluator.view
    with monkeypatch.context() as patched:
        patched.setattr(port, "_paired", lambda *_: 1 / 0)
        evaluator.run(block=False)
        wait_for(lambda: view.message.text == "ZeroDivisionError: division by zero")
    evaluator.run()
    wait_for(lambda: view.message.text == "")
    assert evaluator.result is not None


def test_progress_is_told_four_times_a_second_at_most(evaluator: ABEvaluator) -> None:
    bar, told = evaluator.view.job_bar, []
    bar.observe(lambda change: told.append(change.new), "done")
    start = time.monotonic()
    evaluator.run()
    assert evaluator.job is not None
    wait_for(lambda: bar.state == "done")
    assert bar.done == 90
    assert len(told) <= 2 + 4 * (time.monotonic() - start)


# -- ledger ----------------------------------------------------------------------------------------------------------


def test_the_ledger_goes_to_the_session_and_into_the_code(port: FakeSession, tmp_path: Path) -> None:
    with ABEvaluator(port, b="whole 1", limit=12, ledger=tmp_path / "answers") as evaluator:
        evaluator.run()
        assert port.ledgers == [str(tmp_path / "answers")]
        assert f"ledger={str(tmp_path / 'answers')!r}" in evaluator.code()
        evaluator.view.settings._handle_custom_msg({"enter": "ledger", "value": ""}, [])  # type: ignore[attr-defined]
        assert evaluator.state.ledger is None
        evaluator.run()
        assert port.ledgers[-1] is None
        assert "ledger" not in evaluator.code()
