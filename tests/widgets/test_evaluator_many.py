"""Many skip sets at once: what is asked, the front of accuracy against FLOPs, and a point that becomes B."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skipit_nb.errors import CancelledError, LayerIndexError, SettingError
from skipit_nb.results import Sweep, SweepRow
from skipit_nb.skipset import SkipSet
from skipit_nb.studio import Studio
from skipit_nb.widgets import ABEvaluator
from skipit_nb.widgets.evaluator.pareto_plot import front
from skipit_nb.widgets.evaluator.state import MANY
from tests.waiting import wait_for
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def evaluator(port: FakeSession) -> Iterator[ABEvaluator]:
    with ABEvaluator(port, b="vision absent 0-3", limit=30) as made:
        yield made


def row(accuracy: float, cheaper: float, name: str = "whole 0") -> SweepRow:
    return SweepRow(SkipSet.parse(name, num_layers=12), accuracy, flops_ratio=cheaper)


def test_the_front_is_what_no_other_set_beats_in_both() -> None:
    rows = [row(0.9, 1.0), row(0.8, 2.0), row(0.85, 2.0), row(0.7, 1.5), row(0.85, 1.2), row(0.5, 3.0)]
    assert front(rows) == [rows[5], rows[2], rows[0]]
    assert front([]) == []
    assert front([rows[0]]) == [rows[0]]


def test_of_two_sets_that_are_the_same_in_both_one_is_on_the_front() -> None:
    twins = [row(0.9, 1.5, "whole 0"), row(0.9, 1.5, "whole 1")]
    assert front(twins) == [twins[0]]


@pytest.mark.parametrize("name", MANY)
def test_every_family_is_made_of_different_sets_for_any_number_of_layers(name: str) -> None:
    for num_layers in (2, 12):
        sets = MANY[name](num_layers)
        assert len(sets) in (num_layers - 1, num_layers)
        assert len({str(one) for one in sets}) == len(sets)
        assert all(one.is_bound and not one.is_empty for one in sets)


def test_a_sweep_asks_the_chosen_family_and_b(evaluator: ABEvaluator) -> None:
    evaluator.set(many="one whole layer")
    found = evaluator.sweep()
    assert found is evaluator.swept is not None
    assert [str(one.skipset) for one in found.rows] == [*(f"whole {layer}" for layer in range(12)), "vision absent 0-3"]
    assert len(found.provenance.samples) == 30
    evaluator.set(b="whole 3")
    assert len(evaluator.family()) == 12  # B is one of them already


def test_a_sweep_may_be_given_its_sets(evaluator: ABEvaluator) -> None:
    found = evaluator.sweep(["whole 1", SkipSet.early_exit(8)])
    assert found is not None
    assert [str(one.skipset) for one in found.rows] == ["whole 1", "vision absent 8-11"]
    with pytest.raises(LayerIndexError):
        evaluator.sweep(["whole 12"])
    assert evaluator.swept is found


def test_the_chart_shows_every_set_with_its_place_and_its_words(evaluator: ABEvaluator) -> None:
    view: Any = evaluator.view
    evaluator.sweep(["vision absent 6-", "vision absent 2-"])
    cheap, dear = view.pareto.points
    assert (cheap["name"], dear["name"]) == ("vision absent 2-11", "vision absent 6-11")
    assert cheap["flops"] < dear["flops"] < 1
    assert (cheap["accuracy"], dear["accuracy"]) == (pytest.approx(2 / 3, abs=1e-4), 1.0)
    assert cheap["front"]
    assert dear["front"]
    assert cheap["words"].startswith("accuracy 66.7 % (−33.3 points, −36.3 to −30.3)")
    assert view.pareto.title == "2 skip sets on 30 questions of shapes"
    assert "for all sets at once" in view.pareto.note


def test_a_point_is_taken_as_b_and_told_to_who_listens(evaluator: ABEvaluator) -> None:
    view: Any = evaluator.view
    evaluator.sweep(["vision absent 6-", "vision absent 2-"])
    heard: list[str] = []
    evaluator.observe(lambda change: heard.append(str(change.new)), "b")
    view.pareto._handle_custom_msg({"take": 1}, [])
    assert str(evaluator.b) == view.pareto.taken == "vision absent 6-11"
    assert heard == ["vision absent 6-11"]
    for nonsense in (2, -1, "1", None, True and [1]):
        view.pareto._handle_custom_msg({"take": nonsense}, [])
    assert heard == ["vision absent 6-11"]


def test_in_the_studio_a_point_goes_back_to_the_builder_and_can_be_undone(port: FakeSession) -> None:
    with Studio(port, limit=12, skipset="whole 3") as studio:  # type: ignore[arg-type]
        studio.evaluator.sweep(["vision absent 6-", "vision absent 2-"])
        studio.evaluator.view.pareto._handle_custom_msg({"take": 0}, [])  # type: ignore[attr-defined]
        assert str(studio.builder.skipset) == str(studio.explorer.state.skipset) == "vision absent 2-11"
        studio.builder.undo()
        assert str(studio.evaluator.b) == "whole 3"


def test_observers_hear_of_a_sweep(evaluator: ABEvaluator) -> None:
    heard: list[Any] = []
    evaluator.observe(lambda change: heard.append((change.name, change.new)), "swept")
    found = evaluator.sweep(["whole 1"])
    assert heard == [("swept", found)]


def test_where_only_a_sweep_was_run_data_chart_and_code_are_of_it(evaluator: ABEvaluator, tmp_path: Path) -> None:
    evaluator.sweep(["whole 1", "vision absent 6-"])
    assert list(evaluator.data.skipset) == ["whole 1", "vision absent 6-11"]
    names: dict[str, Any] = {"session": evaluator.port}
    exec(evaluator.code(), names)
    assert names["data"].equals(evaluator.data)
    assert evaluator.save(tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert "image/png" in evaluator._repr_mimebundle_()[0]
    evaluator.run()
    assert "session.compare(" in evaluator.code()


def test_a_sweep_from_the_page_shows_its_progress_and_can_be_cancelled(
    evaluator: ABEvaluator, port: FakeSession
) -> None:
    view: Any = evaluator.view
    port.gate.clear()
    view.many._handle_custom_msg({"press": "sweep"}, [])
    assert evaluator.job is not None
    view.job_bar._handle_custom_msg({"do": "cancel"}, [])
    with pytest.raises(CancelledError):
        evaluator.job.result(30)
    assert (evaluator.swept, view.message.text) == (None, "")
    port.gate.set()
    view.many._handle_custom_msg({"press": "sweep"}, [])
    evaluator.job.result(30)
    assert isinstance(evaluator.swept, Sweep)
    assert len(view.pareto.points) == 12


def test_while_something_runs_the_page_can_start_no_sweep(evaluator: ABEvaluator, port: FakeSession) -> None:
    view: Any = evaluator.view
    port.gate.clear()
    evaluator.run(block=False)
    assert view.many.fields[1]["disabled"]
    port.gate.set()
    assert evaluator.job is not None
    evaluator.job.result(30)
    wait_for(lambda: not view.many.fields[1]["disabled"])


def test_a_stored_comparison_cannot_sweep_and_says_why(evaluator: ABEvaluator) -> None:
    found = evaluator.run()
    assert found is not None
    with ABEvaluator.from_result(found) as stored:
        assert not stored.can_sweep
        with pytest.raises(SettingError, match="should be an open session, which can ask many skip sets"):
            stored.sweep()


def test_a_file_keeps_the_sweep(evaluator: ABEvaluator, port: FakeSession, tmp_path: Path) -> None:
    found = evaluator.sweep()
    with ABEvaluator(port) as other:
        other.load(evaluator.save(tmp_path / "evaluator.json"))
        assert (other.swept, other.result) == (found, None)
        assert other.data.equals(evaluator.data)
