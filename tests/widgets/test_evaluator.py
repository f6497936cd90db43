"""The evaluator: what it asks, what it shows of the answer, and stored answers."""

import base64
import io
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image

from skipit_nb.errors import LimitError, SettingError, SkipSetConflictError, UnknownTaskError
from skipit_nb.results import Comparison, Metric
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets import ABEvaluator
from skipit_nb.widgets.evaluator.words import facts, kind_rows, metric_rows, points, value
from tests.charts import sample_results as sample
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def evaluator(port: FakeSession) -> Iterator[ABEvaluator]:
    with ABEvaluator(port, b="vision absent 0-3", limit=45) as made:
        yield made


def test_a_run_asks_what_is_chosen(evaluator: ABEvaluator) -> None:
    evaluator.set(task="counts", limit=10, seed=3, margin=0.05, a="mlp 0")
    found = evaluator.run()
    assert found is not None
    assert (str(found.a), str(found.b)) == ("mlp 0", "vision absent 0-3")
    assert (found.provenance.task, found.num_questions, found.provenance.seed) == ("counts", 12, 3)
    assert found.verdict.margin == 0.05


def test_the_first_task_of_the_session_is_the_default(port: FakeSession) -> None:
    assert ABEvaluator(port).state.task == "shapes"


def test_a_and_b_can_be_set_like_values(evaluator: ABEvaluator) -> None:
    evaluator.a = "whole 1"  # type: ignore[assignment]
    evaluator.b = SkipSet.early_exit(8)
    assert (str(evaluator.a), str(evaluator.b)) == ("whole 1", "vision absent 8-11")
    assert evaluator.view.arms.values == {"a": "whole 1", "b": "vision absent 8-11"}  # type: ignore[attr-defined]


def test_the_verdict_is_the_sentence_of_the_comparison(evaluator: ABEvaluator) -> None:
    view: Any = evaluator.view
    assert (view.verdict.text, view.metrics.rows, view.flips.counts) == ("", [], {})
    evaluator.run()
    assert (view.verdict.text, view.verdict.tone) == ("B is worse than A: -33.3 points.", "verdict-bad")
    evaluator.b = "none"  # type: ignore[assignment]
    evaluator.run()
    assert view.verdict.tone == "verdict-good"


def test_the_tables_say_number_unit_interval_and_how(evaluator: ABEvaluator) -> None:
    found = evaluator.run()
    assert found is not None
    assert metric_rows(found)[0] == ["accuracy", "100.0 %", "66.7 %", "−33.3 points", "−35.3 to −31.3", "by image"]
    assert metric_rows(found)[1] == ["prefill time", "12 ms", "8 ms", "1.50×", "1.40× to 1.60×", "median of 5"]
    assert metric_rows(found)[2][-2:] == ["", "arithmetic"]  # no interval where nothing was measured
    assert kind_rows(found) == [
        ["color", "15", "100.0 %", "0.0 %", "−100.0", "−110.0 to −90.0", "15", "0"],
        ["presence", "15", "100.0 %", "100.0 %", "0.0", "−10.0 to +10.0", "0", "0"],
        ["shape", "15", "100.0 %", "100.0 %", "0.0", "−10.0 to +10.0", "0", "0"],
    ]
    view: Any = evaluator.view
    assert view.metrics.rows == metric_rows(found)
    assert view.kinds.rows == kind_rows(found)


@pytest.mark.parametrize(
    "number, unit, words",
    [
        (0.9547, "share", "95.5 %"),
        (1.2345, "ms", "1.23 ms"),
        (0.448, "GFLOPs", "448 MFLOPs"),
        (9000.0, "GFLOPs", "9.00 TFLOPs"),
        (96.0, "kB", "96.0 kB"),
        (512, "tokens/s", "512 tokens/s"),
    ],
)
def test_numbers_are_written_with_unit_and_few_digits(number: float, unit: str, words: str) -> None:
    assert value(number, unit) == words


def test_there_is_no_minus_before_zero_points() -> None:
    assert [points(share) for share in (-0.0001, 0.0, 0.0123, -0.5)] == [
        "0.0 points",
        "0.0 points",
        "+1.2 points",
        "−50.0 points",
    ]


def test_the_facts_name_sample_margin_and_power(evaluator: ABEvaluator) -> None:
    found = evaluator.run()
    assert found is not None
    assert facts(found) == (
        "45 questions on 15 images of shapes · seed 0 · margin 1 point · smallest difference found 4 times in 5: "
        "5 points · McNemar p = 0.5 · fake, float32 on cpu"
    )


def test_old_numbers_are_marked_when_the_settings_change(evaluator: ABEvaluator) -> None:
    view: Any = evaluator.view
    evaluator.run()
    assert (evaluator.is_stale, view.stale.text) == (False, "")
    evaluator.set(b="vision absent 0-2")
    assert evaluator.is_stale
    assert view.stale.text.startswith("You have changed the settings")
    evaluator.set(b="vision absent 0-3")
    assert view.stale.text == ""


# -- flips -----------------------------------------------------------------------------------------------------------


def test_flips_are_shown_with_their_images_and_words(evaluator: ABEvaluator) -> None:
    evaluator.run()
    flips = evaluator.view.flips  # type: ignore[attr-defined]
    assert flips.counts == {"any": 15, "worse": 15, "better": 0, "changed": 15}
    first = flips.items[0]
    assert {name: first[name] for name in ("question", "target", "a", "b", "kind", "change")} == {
        "question": "what color is in image 0?",
        "target": "red",
        "a": "red",
        "b": "purple",
        "kind": "color",
        "change": "worse",
    }
    image = Image.open(io.BytesIO(base64.b64decode(first["image"].removeprefix("data:image/png;base64,"))))
    assert max(image.size) <= 96


def test_the_page_chooses_which_flips_are_shown(evaluator: ABEvaluator) -> None:
    evaluator.run()
    flips = evaluator.view.flips  # type: ignore[attr-defined]
    flips._handle_custom_msg({"flips": "better"}, [])
    assert (evaluator.state.flips, flips.chosen, flips.items) == ("better", "better", [])
    flips._handle_custom_msg({"flips": "funny"}, [])
    assert evaluator.view.message.text.startswith("SettingError: flips is 'funny', but should be one of any, worse")
    assert evaluator.state.flips == "better"


def test_a_gallery_shows_the_flips_that_a_filter_lets_through(port: FakeSession) -> None:
    with ABEvaluator(port, a="vision absent 2-3", b="none", limit=None) as evaluator:
        evaluator.run()
        flips = evaluator.view.flips  # type: ignore[attr-defined]
        assert flips.counts["better"] == 20
        assert len(flips.items) == 20
        assert {item["change"] for item in flips.items} == {"better"}


def test_a_flip_whose_image_is_gone_keeps_its_words(evaluator: ABEvaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise SettingError("key", "x", "the key of a question")

    monkeypatch.setattr(evaluator.port, "example", gone)
    evaluator.run()
    items = evaluator.view.flips.items  # type: ignore[attr-defined]
    assert [item["image"] for item in items] == [""] * 15


# -- stored results --------------------------------------------------------------------------------------------------


def test_a_stored_comparison_is_shown_without_a_session(evaluator: ABEvaluator) -> None:
    found = evaluator.run()
    assert found is not None
    with ABEvaluator.from_result(Comparison.from_json(found.to_json())) as stored:
        assert stored.result == found
        assert stored.data.equals(evaluator.data)
        assert stored.run() is stored.result
        view: Any = stored.view
        assert view.verdict.text == found.verdict.sentence
        assert [item["image"] for item in view.flips.items] == [""] * 15
        shown = [type(child).__name__ for child in view.box.children]
        assert "JobBar" not in shown
        names: dict[str, Any] = {"session": evaluator.port}
        exec(stored.code(), names)
        assert names["data"].equals(stored.data)


def test_there_is_no_chart_before_a_run(evaluator: ABEvaluator) -> None:
    assert evaluator.data.empty
    with pytest.raises(SettingError, match="Run the evaluator first"):
        evaluator.chart  # noqa: B018


# -- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"task": "vqa-v2"}, UnknownTaskError, "there is no task 'vqa-v2'. Known tasks: shapes, counts"),
        ({"limit": 0}, LimitError, "limit is 0, but at least 1 question is needed"),
        ({"limit": 1.5}, SettingError, r"limit is 1\.5"),
        ({"margin": 0}, SettingError, "margin is 0, but should be a share above 0 and below 1"),
        ({"margin": "1 %"}, SettingError, "margin is '1 %'"),
        ({"seed": None}, SettingError, "seed is None, but should be a whole number"),
        ({"b": "whole 3; vision absent 3"}, SkipSetConflictError, "contradicts itself at layer 3"),
        ({"flips": "funny"}, SettingError, "flips is 'funny'"),
    ],
)
def test_bad_settings_are_refused_and_nothing_changes(
    evaluator: ABEvaluator, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    before = evaluator.state
    with pytest.raises(error, match=words):
        evaluator.set(**changes)
    assert evaluator.state == before


def test_bad_settings_are_refused_at_the_start_too(port: FakeSession) -> None:
    with pytest.raises(UnknownTaskError, match="vqa-v2"):
        ABEvaluator(port, task="vqa-v2")


# -- stopping early ---------------------------------------------------------------------------------------------------


def test_stopping_early_is_asked_for_and_part_of_the_code(evaluator: ABEvaluator, port: FakeSession) -> None:
    assert "stop_early" not in evaluator.code()
    evaluator.set(stop_early=True)
    evaluator.run()
    assert port.stops == [True]
    assert ", stop_early=True)" in evaluator.code()
    assert evaluator.is_stale is False
    evaluator.set(stop_early=False)
    assert evaluator.is_stale is True


def test_the_box_in_the_page_is_ticked_as_the_state_is(evaluator: ABEvaluator) -> None:
    settings: Any = evaluator.view.settings  # type: ignore[attr-defined]
    assert settings.values["stop_early"] is False
    settings._handle_custom_msg({"enter": "stop_early", "value": True}, [])
    assert evaluator.state.stop_early is True
    settings._handle_custom_msg({"enter": "stop_early", "value": "yes"}, [])
    assert evaluator.state.stop_early is True
    assert "should be True or False" in evaluator.view.message.text


def test_a_stored_comparison_that_stopped_early_says_so(port: FakeSession) -> None:
    found = port.compare("shapes", "none", "whole 3", limit=45, stop_early=True)
    with ABEvaluator.from_result(found) as stored:
        assert stored.state.stop_early is True
        assert stored.state.limit == found.planned == found.num_questions


def test_an_interval_does_not_say_its_unit_again() -> None:
    nats = Metric("KL(A ‖ B)", "nats", 0.0, 0.25, "B - A", 0.25, 0.125, 0.5, "clustered t")
    (row,) = (row for row in metric_rows(replace(sample.comparison(), metrics=(nats,))))
    assert row[3:5] == ["+0.25 nats", "+0.125 to +0.5"]
