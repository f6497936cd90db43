"""The studio: three tools, one shared state."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from skipit_nb.errors import (
    LayerCountError,
    ResultFormatError,
    SettingError,
    SkipSetSyntaxError,
    UnknownTaskError,
)
from skipit_nb.studio import Studio
from tests.waiting import wait_for
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def studio(port: FakeSession) -> Iterator[Studio]:
    with Studio(port, limit=12) as made:  # type: ignore[arg-type]
        yield made


def skipsets(studio: Studio) -> list[str]:
    return [str(s) for s in (studio.explorer.state.skipset, studio.builder.skipset, studio.evaluator.b)]


def test_the_skip_set_is_the_same_wherever_it_is_changed(studio: Studio) -> None:
    studio.builder.early_exit(8)
    assert skipsets(studio) == ["vision absent 8-11"] * 3
    studio.evaluator.set(b="whole 3")
    assert skipsets(studio) == ["whole 3"] * 3
    studio.skipset = "vision frozen 2"  # type: ignore[assignment]
    assert skipsets(studio) == ["vision frozen 2"] * 3
    studio.builder.undo()
    assert skipsets(studio) == ["whole 3"] * 3


def test_the_task_is_the_same_in_explorer_and_evaluator(studio: Studio) -> None:
    studio.explorer.set(task="counts")
    assert studio.evaluator.state.task == "counts"
    studio.evaluator.set(task="shapes")
    assert studio.explorer.state.task == "shapes"


def test_a_measured_profile_tells_the_builder_the_conditions(studio: Studio) -> None:
    assert studio.builder.result is None
    studio.explorer.run()
    assert studio.builder.profile == studio.explorer.result
    assert studio.builder.result is not None
    studio.builder.recommended()
    assert studio.evaluator.b == studio.builder.result.skipset


def test_one_run_goes_from_profile_to_verdict(studio: Studio) -> None:
    result = studio.run()
    assert result is not None
    assert (result.profile, result.recommendation, result.comparison) == (
        studio.explorer.result,
        studio.builder.result,
        studio.evaluator.result,
    )
    assert None not in (result.profile, result.recommendation, result.comparison)


def test_data_chart_and_code_follow_the_story(studio: Studio) -> None:
    assert studio.furthest is studio.builder
    studio.explorer.run()
    assert studio.furthest is studio.explorer
    assert studio.data.equals(studio.explorer.data)
    studio.evaluator.run()
    assert studio.furthest is studio.evaluator
    assert studio.data.equals(studio.evaluator.data)
    assert "skipset = SkipSet.parse('none')" in studio.code().split("\n")


def test_the_state_holds_all_three_and_can_be_set_in_part_or_whole(studio: Studio) -> None:
    before = studio.state
    studio.set(builder={"skipset": "whole 3", "num_text": 20}, evaluator={"margin": 0.02})
    assert (studio.state.builder.num_text, studio.state.evaluator.margin) == (20, 0.02)
    assert studio.state.evaluator.b == studio.state.builder.skipset
    studio.set(builder=before.builder, evaluator=before.evaluator, explorer=before.explorer)
    assert studio.state == before


def test_observers_of_the_studio_hear_which_tool_has_changed(studio: Studio) -> None:
    heard: list[str] = []
    studio.observe(lambda change: heard.append(change.name))
    studio.builder.set(num_text=20)
    assert heard == ["builder"]
    studio.builder.early_exit(8)
    assert sorted(heard[1:]) == ["builder", "evaluator", "explorer"]


def test_bad_parts_of_the_state_are_refused(studio: Studio) -> None:
    with pytest.raises(SettingError, match="should be one of explorer, builder, evaluator"):
        studio.set(skipset="none")
    with pytest.raises(SettingError, match="'colour', but should be one of skipset, num_vision, num_text"):
        studio.set(builder={"colour": 1})
    with pytest.raises(SkipSetSyntaxError):
        studio.set(builder={"skipset": "vision gone 1"})
    assert skipsets(studio) == ["none"] * 3


def test_one_bad_part_of_the_state_changes_none(studio: Studio) -> None:
    before = studio.state
    with pytest.raises(SettingError, match="margin"):
        studio.set(explorer={"layer": 3}, builder={"skipset": "whole 3"}, evaluator={"margin": 2})
    assert studio.state == before


def test_an_unknown_task_is_refused_at_the_start(port: FakeSession) -> None:
    with pytest.raises(UnknownTaskError, match="vqa-v2"):
        Studio(port, task="vqa-v2")  # type: ignore[arg-type]


def test_the_card_names_model_layers_tokens_and_device(studio: Studio) -> None:
    assert studio.card == "fake · 12 layers · 16 vision tokens an image · float32 on cpu · 2.50 MB of weights · eager"


def test_the_view_holds_the_three_tools_in_the_order_of_the_story(studio: Studio) -> None:
    inner = [tool.view.box for tool in studio.tools.values()]
    found = [box for box in descendants(studio.view.box) if box in inner]
    assert found == inner


def test_after_close_it_can_be_shown_again_and_the_tools_still_hear_of_each_other(studio: Studio) -> None:
    studio._repr_mimebundle_()
    studio.close()
    studio._repr_mimebundle_()
    studio.builder.early_exit(8)
    assert skipsets(studio) == ["vision absent 8-11"] * 3


def test_a_session_that_was_given_stays_open(port: FakeSession) -> None:
    studio = Studio(port)  # type: ignore[arg-type]
    studio.close()
    assert port.submit(lambda _: 7).result(30) == 7


# -- who has the model -----------------------------------------------------------------------------------------------


def test_the_card_says_who_has_the_model_and_who_waits(studio: Studio, port: FakeSession) -> None:
    at_work: Any = studio.view.at_work  # type: ignore[attr-defined]
    wait_for(lambda: at_work.text == "The model is free.")  # the explorer's first look is over
    port.gate.clear()
    studio.evaluator.run(block=False)
    wait_for(lambda: at_work.text == "At work: ABEvaluator")
    studio.explorer.run(block=False)
    wait_for(lambda: at_work.text == "At work: ABEvaluator · 1 more waiting")
    assert studio.evaluator.job is not None
    studio.evaluator.job.pause()
    wait_for(lambda: at_work.text == "Paused: ABEvaluator · 1 more waiting")
    studio.evaluator.job.resume()
    port.gate.set()
    wait_for(lambda: at_work.text == "The model is free.")


def test_a_closed_studio_hears_of_no_job(studio: Studio, port: FakeSession) -> None:
    at_work: Any = studio.view.at_work  # type: ignore[attr-defined]
    wait_for(lambda: at_work.text == "The model is free.")  # the explorer's first look is over
    studio.close()
    port.submit(lambda _: None, "mine").result(30)
    assert at_work.text == "The model is free."
    assert port.worker._watchers == []


# -- saved and restored ----------------------------------------------------------------------------------------------


def test_one_call_saves_it_and_one_call_has_it_back(studio: Studio, port: FakeSession, tmp_path: Path) -> None:
    studio.skipset = "vision absent 6-"  # type: ignore[assignment]
    studio.set(explorer={"epsilon": 0.3}, evaluator={"margin": 0.05})
    studio.run()
    studio.evaluator.sweep(["whole 1", "vision absent 2-"])
    file = studio.save(tmp_path / "studio.json")
    with Studio(port, state=file) as again:  # type: ignore[arg-type]
        assert (again.state, again.result) == (studio.state, studio.result)
        assert again.evaluator.swept == studio.evaluator.swept
        assert again.data.equals(studio.data)
        view: Any = again.evaluator.view
        assert len(view.pareto.points) == 2
        assert view.verdict.text == studio.evaluator.result.verdict.sentence  # type: ignore[union-attr]


def test_a_file_of_another_version_is_refused_at_the_start(studio: Studio, port: FakeSession, tmp_path: Path) -> None:
    file = studio.save(tmp_path / "studio.json")
    file.write_text(file.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(ResultFormatError, match="it has format 2, this version reads 1"):
        Studio(port, state=file)  # type: ignore[arg-type]


def press(studio: Studio, wish: str, path: Path) -> None:
    """What the page sends when a file is named and a button pressed."""
    controls: Any = studio.view.file  # type: ignore[attr-defined]
    controls._handle_custom_msg({"enter": "file", "value": str(path)}, [])
    controls._handle_custom_msg({"press": wish}, [])


def test_the_page_saves_and_restores(studio: Studio, tmp_path: Path) -> None:
    view: Any = studio.view
    studio.skipset = "whole 3"  # type: ignore[assignment]
    press(studio, "save", tmp_path / "mine.json")
    assert view.kept.text == f"Saved as {tmp_path / 'mine.json'}."
    studio.skipset = "none"  # type: ignore[assignment]
    press(studio, "restore", tmp_path / "mine.json")
    assert skipsets(studio) == ["whole 3"] * 3
    assert view.kept.text.startswith("Restored from")


def test_a_file_that_does_not_fit_is_explained_in_the_studio_and_it_stays_usable(
    studio: Studio, tmp_path: Path
) -> None:
    message = studio.view.message
    press(studio, "restore", tmp_path / "nowhere.json")
    assert message.text.startswith("FileNotFoundError")
    (tmp_path / "other.json").write_text('{"skipit": "Sweep"}')
    press(studio, "restore", tmp_path / "other.json")
    assert message.text.startswith("ResultFormatError: this is not a stored Studio: it holds a Sweep")
    press(studio, "save", tmp_path / "picture.jpeg")
    assert message.text.startswith("SettingError: file name is 'picture.jpeg'")
    press(studio, "save", tmp_path / "good.json")
    assert (message.text, studio.view.kept.text) == ("", f"Saved as {tmp_path / 'good.json'}.")  # type: ignore[attr-defined]


def test_a_file_of_a_model_with_other_layers_changes_nothing(studio: Studio, tmp_path: Path) -> None:
    other_port = FakeSession(num_layers=16)
    with Studio(other_port, skipset="whole 15", limit=12) as other:  # type: ignore[arg-type]
        other.run()
        file = other.save(tmp_path / "sixteen.json")
    other_port.worker.close()
    before = studio.state
    with pytest.raises(LayerCountError, match="16 layers"):
        studio.load(file)
    assert (studio.state, studio.result) == (before, None)


def descendants(box: Any) -> Iterator[Any]:
    for child in getattr(box, "children", ()):
        yield child
        yield from descendants(child)
