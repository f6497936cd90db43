"""The explorer without a browser: what it measures, what it shows, and what it refuses."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from skipit_nb.errors import (
    CancelledError,
    LayerCountError,
    LayerIndexError,
    LimitError,
    SettingError,
    UnknownTaskError,
)
from skipit_nb.results import RedundancyProfile
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.explorer import LayerDistanceExplorer
from tests.charts import sample_results as sample
from tests.waiting import wait_for
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def session() -> Iterator[FakeSession]:
    fake = FakeSession(num_layers=12)
    yield fake
    fake.gate.set()
    fake.worker.close()


@pytest.fixture
def explorer(session: FakeSession) -> Iterator[LayerDistanceExplorer]:
    with LayerDistanceExplorer(session, limit=6) as made:
        yield made


@pytest.fixture
def shown(explorer: LayerDistanceExplorer) -> LayerDistanceExplorer:
    """An explorer on the screen that has looked at its first question."""
    explorer.view  # noqa: B018 - showing it is what is wanted
    wait_for(lambda: explorer.seen is not None and explorer.view.asked.overlay.values != [])
    return explorer


# -- measuring ----------------------------------------------------------------------------------------------------


def test_nothing_is_measured_before_it_is_asked_for(explorer: LayerDistanceExplorer) -> None:
    assert explorer.profile is None
    assert list(explorer.data) == [
        "layer", "tokens", "distance", "spread", "norm", "update", "var", "var_uniform", "epsilon", "tail",
    ]  # fmt: skip
    assert len(explorer.data) == 0
    with pytest.raises(SettingError, match=r"explorer\.run\(\)"):
        explorer.chart  # noqa: B018 - the access is what is tested


def test_a_run_profiles_whole_images_of_the_task(explorer: LayerDistanceExplorer) -> None:
    profile = explorer.run()
    assert profile is explorer.profile is explorer.result
    assert profile is not None
    assert profile.num_samples == 6
    assert profile.provenance.task == "shapes"


def test_the_data_holds_the_profile_and_its_tail_at_epsilon(explorer: LayerDistanceExplorer) -> None:
    profile = explorer.run()
    assert profile is not None
    vision = explorer.data[explorer.data.tokens == "vision"]
    assert tuple(vision.distance) == profile.distances("vision")
    assert tuple(vision["tail"]) == profile.tails(0.02)
    explorer.epsilon = 0.5
    vision = explorer.data[explorer.data.tokens == "vision"]
    assert tuple(vision["tail"]) == profile.tails(0.5)
    assert set(vision.epsilon) == {0.5}


def test_the_code_gives_the_same_data(explorer: LayerDistanceExplorer, session: FakeSession) -> None:
    explorer.run()
    explorer.set(epsilon=0.1, limit=60, task="counts")  # chosen since, but not measured
    names: dict[str, object] = {"session": session}
    exec(explorer.code(), names)
    pd.testing.assert_frame_equal(names["data"], explorer.data)  # type: ignore[arg-type]


def test_the_code_of_a_first_look_gives_the_same_data(explorer: LayerDistanceExplorer, session: FakeSession) -> None:
    explorer.set(question=4)
    explorer.look()
    names: dict[str, object] = {"session": session}
    exec(explorer.code(), names)
    pd.testing.assert_frame_equal(names["data"], explorer.data)  # type: ignore[arg-type]
    assert len(explorer.data) == 36


def test_a_look_gives_one_question_token_by_token(explorer: LayerDistanceExplorer) -> None:
    distances = explorer.look()
    assert distances is not None
    assert distances.grid == (4, 4)
    assert explorer.seen is not None
    assert explorer.seen.example.key == "shapes/00/color"
    assert explorer.seen.answer.text == "red"
    assert explorer.profile is not None
    assert explorer.profile.num_samples == 1


def test_a_measured_profile_takes_the_place_of_the_first_look(explorer: LayerDistanceExplorer) -> None:
    explorer.look()
    measured = explorer.run()
    explorer.look()
    assert explorer.profile is measured


def test_a_running_measurement_can_be_cancelled(explorer: LayerDistanceExplorer, session: FakeSession) -> None:
    session.gate.clear()
    explorer.run(block=False)
    job = explorer.job
    assert job is not None
    wait_for(lambda: job.state == "running")
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(30)
    assert explorer.result is None


def test_a_question_beyond_the_sample_is_refused_when_looked_at(explorer: LayerDistanceExplorer) -> None:
    explorer.set(question=6)
    with pytest.raises(SettingError, match="one of the 6 of this sample"):
        explorer.look()


def test_observers_hear_of_layers_and_results(explorer: LayerDistanceExplorer) -> None:
    heard: list[tuple[str, object]] = []
    explorer.observe(lambda change: heard.append((change.name, change.new)), ["layer", "result"])
    explorer.layer = 5
    explorer.epsilon = 0.3
    result = explorer.run()
    assert heard == [("layer", 5), ("result", result)]


# -- a stored profile ---------------------------------------------------------------------------------------------


def test_a_stored_profile_is_explored_without_a_session() -> None:
    with LayerDistanceExplorer(sample.profile(), epsilon=0.02, layer=4) as explorer:
        assert explorer.run() == sample.profile()
        assert explorer.look() is None
        assert len(explorer.data) == 36
        assert "session: an open session of 'tiny'" in explorer.code()
        assert "session.profile('easy-vqa', limit=64, seed=0)" in explorer.code()
        view = explorer.view
        assert "no questions" in view.question.text
        assert [one["name"] for one in view.distance.series] == ["vision", "text", "first token"]


def test_no_torch_is_loaded_by_an_explorer_of_a_stored_profile(tmp_path: Path) -> None:
    stored = tmp_path / "profile.json"
    stored.write_text(sample.profile().to_json())
    program = f"""
import sys
from skipit_nb.results import RedundancyProfile
from skipit_nb.widgets.explorer import LayerDistanceExplorer
explorer = LayerDistanceExplorer(RedundancyProfile.from_json(open({str(stored)!r}).read()))
explorer.view, explorer.data
print(sorted({{"torch", "transformers", "altair", "skipit_nb.session"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- what it refuses ----------------------------------------------------------------------------------------------


def test_a_setting_out_of_range_is_refused_and_changes_nothing(explorer: LayerDistanceExplorer) -> None:
    before = explorer.state
    for error, changes in (
        (UnknownTaskError, {"task": "poems"}),
        (LimitError, {"limit": 0}),
        (LayerIndexError, {"layer": 12}),
        (LayerIndexError, {"layer": -1}),
        (SettingError, {"epsilon": 0.0}),
        (SettingError, {"epsilon": "small"}),
        (SettingError, {"seed": 1.5}),
        (SettingError, {"question": -1}),
        (SettingError, {"scale": "cubic"}),
        (SettingError, {"colors": "pretty"}),
        (SettingError, {"over": "the moon"}),
        (SettingError, {"shows": "tell"}),
        (SettingError, {"band_tokens": "words"}),
        (SettingError, {"band": (3, 2)}),
        (SettingError, {"band": (0, 12)}),
        (SettingError, {"band": "3-7"}),
        (SettingError, {"pinned": "that one"}),
        (SettingError, {"size": 3}),
        (LayerIndexError, {"skipset": SkipSet.whole(12)}),
        (LayerCountError, {"skipset": SkipSet.none(num_layers=3)}),
    ):
        with pytest.raises(error):
            explorer.set(**changes)
    assert explorer.state == before


def test_state_and_result_come_back_from_a_file(explorer: LayerDistanceExplorer, tmp_path: Path) -> None:
    explorer.set(layer=7, scale="log", skipset="vision absent 9-")
    explorer.run()
    explorer.save(tmp_path / "seen.json")
    with LayerDistanceExplorer(explorer.port) as other:
        other.load(tmp_path / "seen.json")
        assert other.state == explorer.state
        assert other.profile == explorer.profile
        assert repr(other) == repr(explorer)


def test_pictures_and_tables_are_saved(explorer: LayerDistanceExplorer, tmp_path: Path) -> None:
    explorer.run()
    assert explorer.save(tmp_path / "a.svg").read_text().startswith("<svg")
    assert len(pd.read_csv(explorer.save(tmp_path / "a.csv"))) == 36
    assert explorer.chart.to_dict()["title"]["text"] == "Where the model is redundant"
    assert json.loads(explorer.save(tmp_path / "a.json").read_text())["state"]["value"]["limit"] == 6


def test_the_repr_is_the_same_each_time(explorer: LayerDistanceExplorer) -> None:
    assert repr(explorer) == "LayerDistanceExplorer(12 layers, not measured, layer 0, ε = 0.02)"


# -- the view -----------------------------------------------------------------------------------------------------


def test_showing_it_looks_at_the_first_question(shown: LayerDistanceExplorer) -> None:
    asked = shown.view.asked
    (stage,) = asked.overlay.stages
    assert (len(stage["boxes"]), stage["caption"]) == (16, "4 × 4 tokens")
    assert asked.overlay.images[0].startswith("data:image/png;base64,")
    assert asked.overlay.tokens == ["<s>", "what", "color", "is", "in", "image", "0?"]
    assert "right answer: red · model: red (90%)" in asked.note.text
    assert "first look" in shown.view.status.text
    assert asked.pick.values["pick"] == "1. what color is in image 0?"


def test_bands_are_drawn_only_over_several_questions(shown: LayerDistanceExplorer) -> None:
    assert "low" not in shown.view.distance.series[0]
    shown.run()
    assert len(shown.view.distance.series[0]["low"]) == 12
    assert "6 questions of shapes" in shown.view.status.text


def test_a_click_on_one_plot_chooses_the_layer_everywhere(shown: LayerDistanceExplorer) -> None:
    shown.view.tail.set_state({"layer": 3})  # as a message from the page does
    assert shown.layer == 3
    assert [plot.layer for plot in shown.view.plots] == [3] * 5
    overlay = shown.view.asked.overlay
    assert overlay.title == "distance of vision tokens at layer 3"
    assert shown.seen is not None
    assert overlay.values == pytest.approx(shown.seen.distances.vision(3), rel=1e-3)


def test_the_page_knows_every_layer_before_it_is_chosen(shown: LayerDistanceExplorer) -> None:
    overlay = shown.view.asked.overlay
    assert len(overlay.frames) == 12
    frame = overlay.frames[5]
    shown.layer = 5
    assert {name: getattr(overlay, name) for name in frame} == frame


def test_the_color_scale_is_of_this_layer_or_of_all(shown: LayerDistanceExplorer) -> None:
    assert shown.view.asked.overlay.span == [0.0, 0.0]
    shown.set(colors="all layers")
    assert shown.seen is not None
    largest = max(max(shown.seen.distances.vision(layer)) for layer in range(12))
    assert shown.view.asked.overlay.span == [0.0, largest]


def test_next_and_previous_walk_around_the_sample(shown: LayerDistanceExplorer) -> None:
    press = shown.view.asked.pick._handle_custom_msg
    press({"press": "previous"}, [])
    assert shown.state.question == 5
    press({"press": "next"}, [])
    press({"press": "next"}, [])
    assert shown.state.question == 1
    wait_for(lambda: shown.view.asked.pick.values["pick"] == "2. what shape is in image 0?")
    assert shown.seen is not None
    assert shown.seen.example.kind == "shape"


def test_a_picked_question_is_looked_at(shown: LayerDistanceExplorer) -> None:
    shown.view.asked.pick._handle_custom_msg({"enter": "pick", "value": "4. what color is in image 1?"}, [])
    wait_for(lambda: shown.view.asked.overlay.alt == "image shapes/01")
    assert shown.state.question == 3


def test_a_bad_entry_is_said_in_the_widget_which_stays_usable(shown: LayerDistanceExplorer) -> None:
    view = shown.view
    view.reading._handle_custom_msg({"enter": "epsilon", "value": 0}, [])
    assert "SettingError: epsilon is 0" in view.message.text
    view.measure._handle_custom_msg({"enter": "limit", "value": 0}, [])
    assert "questions is 0, but should be a whole number from 1" in view.message.text
    view.distance.set_state({"layer": 99})
    assert "LayerIndexError: layer 99 is outside 0..11" in view.message.text
    assert view.message.tone == "error"
    view.distance.set_state({"layer": 2})
    assert view.message.text == ""
    assert (shown.layer, shown.epsilon, shown.state.limit) == (2, 0.02, 6)


def test_a_question_beyond_the_sample_is_said_in_the_widget(shown: LayerDistanceExplorer) -> None:
    shown.set(question=50)
    wait_for(lambda: shown.view.message.tone == "error")
    assert "question is 50" in shown.view.message.text


def test_skipped_layers_are_shaded_in_every_plot(shown: LayerDistanceExplorer) -> None:
    shown.set(skipset="vision absent 0-2+9-")
    bands = [{"start": 0, "stop": 3, "label": "vision absent"}, {"start": 9, "stop": 12, "label": "vision absent"}]
    assert [plot.skipped for plot in shown.view.plots] == [bands] * 5


def test_measure_in_the_view_runs_and_reports(shown: LayerDistanceExplorer) -> None:
    shown.view.job_bar._handle_custom_msg({"do": "run"}, [])
    wait_for(lambda: shown.result is not None and shown.view.job_bar.state == "done")
    assert shown.view.message.text == ""


def test_a_stale_look_does_not_take_the_place_of_a_newer_one(
    explorer: LayerDistanceExplorer, session: FakeSession
) -> None:
    session.gate.clear()
    explorer.set(question=1)
    explorer.look(block=False)
    explorer.set(question=2)
    explorer.look(block=False)
    session.gate.set()
    wait_for(lambda: explorer.seen is not None)
    time.sleep(0.05)
    assert explorer.seen is not None
    assert explorer.seen.example.kind == "presence"


def test_closing_frees_the_image_and_cancels(shown: LayerDistanceExplorer, session: FakeSession) -> None:
    session.gate.clear()
    shown.run(block=False)
    job = shown.job
    shown.close()
    assert job is not None
    with pytest.raises(CancelledError):
        job.result(30)
    assert shown.seen is None


def test_a_profile_without_flow_or_text_is_drawn() -> None:
    whole = sample.profile(with_flow=False)
    vision_only = RedundancyProfile(whole.provenance, whole.of("vision"), ())
    with LayerDistanceExplorer(vision_only) as explorer:
        assert [one["name"] for one in explorer.view.distance.series] == ["vision"]
        assert explorer.view.flow.series == []


# -- refining, and what a cancel keeps -------------------------------------------------------------------------------


class Stopping(FakeSession):
    """Holds back, once, when so many questions are in."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after, self.has_held = after, False

    def profile(self, examples: Any, *, so_far: Any = None, **named: Any) -> RedundancyProfile:
        def tell(profile: RedundancyProfile) -> None:
            so_far(profile)
            if profile.num_samples == self.after and not self.has_held:
                self.has_held = True
                self.gate.clear()

        return super().profile(examples, so_far=tell if so_far else None, **named)


@pytest.fixture
def stopping() -> Iterator[Stopping]:
    fake = Stopping(after=4)
    yield fake
    fake.gate.set()
    fake.worker.close()


def test_the_plots_follow_while_questions_come_in(stopping: Stopping) -> None:
    with LayerDistanceExplorer(stopping, limit=6) as explorer:
        explorer.view  # noqa: B018 - showing it is what is wanted
        explorer.run(block=False)
        wait_for(lambda: not stopping.gate.is_set())
        assert explorer.profile is not None
        assert explorer.profile.num_samples == 4
        assert explorer.is_refining
        # At most four times a second, so a slow machine has seen more of the four.
        assert re.search(r"So far [1-4] question", explorer.view.status.text)
        stopping.gate.set()
        wait_for(lambda: explorer.result is not None)
        assert explorer.result is not None
        assert explorer.result.num_samples == 6
        assert not explorer.is_refining


def test_a_cancel_keeps_the_questions_that_were_in(stopping: Stopping) -> None:
    with LayerDistanceExplorer(stopping, limit=6) as explorer:
        explorer.run(block=False)
        wait_for(lambda: not stopping.gate.is_set())
        assert explorer.job is not None
        explorer.job.cancel()
        stopping.gate.set()
        with pytest.raises(CancelledError):
            explorer.job.result(30)
        assert explorer.result is not None
        assert explorer.result.num_samples == 4
        assert not explorer.is_refining
        names: dict[str, object] = {"session": FakeSession()}
        exec(explorer.code(), names)
        assert "[:4]" in explorer.code()
        pd.testing.assert_frame_equal(names["data"], explorer.data)  # type: ignore[arg-type]


def test_a_run_over_all_tasks_asks_each_of_them(explorer: LayerDistanceExplorer, session: FakeSession) -> None:
    explorer.set(over="all tasks", limit=3)
    profile = explorer.run()
    assert profile is not None
    assert profile.provenance.samples[::3] == ("shapes/00/color", "counts/00/color")
    names: dict[str, object] = {"session": session}
    exec(explorer.code(), names)
    pd.testing.assert_frame_equal(names["data"], explorer.data)  # type: ignore[arg-type]


def test_the_plots_can_be_of_the_one_question_without_losing_the_measurement(explorer: LayerDistanceExplorer) -> None:
    measured = explorer.run()
    explorer.set(over="question")
    explorer.run()
    assert explorer.seen is not None
    assert explorer.profile is explorer.seen.profile
    explorer.set(over="task")
    assert explorer.profile is measured


# -- comparing -------------------------------------------------------------------------------------------------------


def test_two_prompts_are_compared_by_a_pin(shown: LayerDistanceExplorer, session: FakeSession) -> None:
    shown.set(over="question")
    shown.view.compare._handle_custom_msg({"press": "pin"}, [])
    shown.set(question=4)
    shown.look()
    wait_for(lambda: shown.view.asked.overlay.alt == "image shapes/01")
    view = shown.view
    assert view.beside_note.text == "Beside, in hollow points: what color is in image 0?"
    assert [one["name"] for one in view.distance.series if one.get("is_beside")] == [
        "vision beside", "text beside", "first token beside",
    ]  # fmt: skip
    assert view.asked.beside.alt == "image shapes/00"
    assert view.asked.beside.span == view.asked.overlay.span != [0.0, 0.0]
    assert list(shown.data.shown.unique()) == ["this", "beside"]
    assert len(shown.data) == 72
    names: dict[str, object] = {"session": session}
    exec(shown.code(), names)
    pd.testing.assert_frame_equal(names["data"], shown.data)  # type: ignore[arg-type]
    view.compare._handle_custom_msg({"press": "unpin"}, [])
    assert view.beside_note.text == ""
    assert view.asked.beside.images == []
    assert "shown" not in shown.data


def test_what_was_pinned_comes_back_from_a_file(explorer: LayerDistanceExplorer, tmp_path: Path) -> None:
    explorer.run()
    explorer.pin()
    explorer.save(tmp_path / "pinned.json")
    with LayerDistanceExplorer(explorer.port) as other:
        other.load(tmp_path / "pinned.json")
        assert other.state.pinned == explorer.state.pinned
        assert other.data.equals(explorer.data)


def test_nothing_can_be_pinned_before_it_was_measured(explorer: LayerDistanceExplorer) -> None:
    with pytest.raises(SettingError, match=r"explorer\.look\(\)"):
        explorer.pin()


def test_two_models_of_different_depth_are_compared(session: FakeSession) -> None:
    deep = FakeSession(num_layers=24)
    with LayerDistanceExplorer(session, against=deep, limit=6) as explorer:
        explorer.view  # noqa: B018 - showing it is what is wanted
        explorer.look()
        wait_for(lambda: explorer.view.asked.beside.values != [])
        explorer.layer = 11
        assert explorer.view.asked.beside.title == "distance of vision tokens at layer 23"
        explorer.run()
        assert explorer.beside is not None
        assert explorer.beside.profile.num_layers == 24
        assert explorer.beside.profile.num_samples == 6
        assert len(explorer.data) == 3 * (12 + 24)
        names: dict[str, object] = {"session": session, "other": deep}
        exec(explorer.code(), names)
        pd.testing.assert_frame_equal(names["data"], explorer.data)  # type: ignore[arg-type]
    deep.worker.close()


def test_a_stored_profile_of_another_model_lies_beside() -> None:
    with LayerDistanceExplorer(sample.profile(), against=sample.profile(model="large")) as explorer:
        assert explorer.view.beside_note.text == "Beside, in hollow points: large"
        assert "# other: an open session of 'large'" in explorer.code()
        assert repr(explorer).endswith("beside 'large')")


# -- bands, lengths and sinks -----------------------------------------------------------------------------------------


def test_a_stored_map_of_bands_is_shown_and_a_band_chosen_in_it() -> None:
    with LayerDistanceExplorer(sample.profile(), bands=sample.band_distances()) as explorer:
        explorer.set(band_tokens="last")
        view = explorer.view
        assert len(view.map.values) == 12 * 13 // 2
        view.map.set_state({"band": [3, 7]})
        assert explorer.state.band == (3, 7)
        assert view.distance.skipped == [{"start": 3, "stop": 8, "label": "band 3-7", "is_chosen": True}]
        view.map.set_state({"band": [7, 3]})
        assert "SettingError: band is (7, 3)" in view.message.text
        assert view.values.tables[-1]["rows"][0][0] == "1"
        assert len(view.values.tables[-1]["rows"]) == 12


def test_a_port_without_bands_says_that_none_are_measured(shown: LayerDistanceExplorer) -> None:
    assert shown.map_bands() is None
    assert shown.view.map.values == []
    assert shown.view.map.empty == "not measured"


def test_every_number_of_the_plots_is_in_a_table(shown: LayerDistanceExplorer) -> None:
    shown.run()
    (table,) = shown.view.values.tables
    assert len(table["rows"]) == 12
    assert table["columns"][:4] == ["layer", "d vision", "± s.d.", "P[d > 0.02]"]
    assert table["rows"][3][1] == f"{shown.data.distance[9]:.4g}"
    assert {len(row) for row in table["rows"]} == {len(table["columns"])}


def test_a_file_keeps_the_map_of_bands(tmp_path: Path) -> None:
    with LayerDistanceExplorer(sample.profile(), bands=sample.band_distances()) as explorer:
        path = explorer.save(tmp_path / "explorer.json")
    with LayerDistanceExplorer(sample.profile()) as other:
        other.load(path)
        assert other.bands == sample.band_distances()
