"""The studio: three tools, one shared state."""

from collections.abc import Iterator
from typing import Any

import pytest

from skipit_nb.errors import SettingError, SkipSetSyntaxError, UnknownTaskError
from skipit_nb.studio import Studio
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


def test_an_unknown_task_is_refused_at_the_start(port: FakeSession) -> None:
    with pytest.raises(UnknownTaskError, match="vqa-v2"):
        Studio(port, task="vqa-v2")  # type: ignore[arg-type]


def test_the_card_names_model_layers_tokens_and_device(studio: Studio) -> None:
    assert studio.card == "fake · 12 layers · 16 vision tokens an image · float32 on cpu · eager"


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
    assert port.submit(lambda _: 7).result(5) == 7


def descendants(box: Any) -> Iterator[Any]:
    for child in getattr(box, "children", ()):
        yield child
        yield from descendants(child)
