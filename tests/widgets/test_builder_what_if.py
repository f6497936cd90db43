"""The builder's what-if and its methods: the latest edit wins, and nothing is left behind."""

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest

from skipit_nb.cost import ModelShape
from skipit_nb.errors import (
    CancelledError,
    LayerCountError,
    ResultFormatError,
    SettingError,
    UnknownTaskError,
    UnsupportedSkipError,
)
from skipit_nb.studio import Studio
from skipit_nb.widgets import SkipSetBuilder
from skipit_nb.widgets.builder.what_if_line import difference
from tests.waiting import wait_for
from tests.widgets.asked_session import UNSUPPORTED, AskedSession
from tests.widgets.open_widgets import OPEN_WIDGETS

SHAPE = ModelShape(num_layers=4, d_model=8, d_ff=16, num_heads=2, num_kv_heads=2, head_dim=4, vocab=100, num_vision=9)


@pytest.fixture
def port() -> Iterator[AskedSession]:
    fake = AskedSession()
    yield fake
    fake.close()


@pytest.fixture
def builder(port: AskedSession) -> Iterator[SkipSetBuilder]:
    with SkipSetBuilder(port) as made:
        yield made


def shown(builder: SkipSetBuilder) -> Any:
    return builder.view.question.line  # type: ignore[attr-defined]


# -- without a page --------------------------------------------------------------------------------------------------


def test_it_asks_the_first_question_of_the_first_task_and_gives_both_answers(builder: SkipSetBuilder) -> None:
    builder.set(skipset="vision absent 2-3")
    found = builder.what_if()
    assert (found.answer, found.probability, found.full_answer, found.kl) == ("purple", 0.6, "red", 2.0)
    assert found.question == "what color is in image 0?"
    assert found is builder.answer
    assert found.skipset == builder.skipset


def test_without_a_page_nothing_is_asked_by_itself(builder: SkipSetBuilder, port: AskedSession) -> None:
    builder.set(skipset="vision absent 2-3")
    builder.clear()
    time.sleep(0.15)
    assert port.asked == []


def test_a_question_is_chosen_by_its_key_and_the_code_asks_it(builder: SkipSetBuilder, port: AskedSession) -> None:
    builder.set(task="counts", question="counts/03/shape", skipset="vision absent 2")
    assert builder.what_if().question == "what shape is in image 3?"
    names: dict[str, Any] = {"session": port}
    exec(builder.code(), names)
    assert names["answer"] == builder.answer
    assert names["data"].equals(builder.data)


def test_another_task_starts_with_its_first_question(builder: SkipSetBuilder) -> None:
    builder.set(question="shapes/03/shape")
    builder.set(task="counts")
    assert (builder.state.task, builder.state.question) == ("counts", "")


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"task": "vqa"}, UnknownTaskError, "there is no task 'vqa'"),
        ({"question": "shapes/99/shape"}, SettingError, "key is 'shapes/99/shape'"),
    ],
)
def test_a_question_that_does_not_exist_is_refused(
    builder: SkipSetBuilder, changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    before = builder.state
    with pytest.raises(error, match=words):
        builder.set(**changes)
    assert builder.state == before


def test_without_a_session_there_is_nothing_to_ask() -> None:
    with SkipSetBuilder(SHAPE, task="shapes") as builder:
        assert (builder.state.task, builder.can_ask, builder.can_propose) == ("", False, False)
        with pytest.raises(SettingError, match="an open session, which answers questions"):
            builder.what_if()
        with pytest.raises(SettingError, match="an open session, which a method measures"):
            builder.propose("shortgpt")
        assert (builder.view.question, builder.view.methods) == (None, None)  # type: ignore[attr-defined]


# -- in the page -----------------------------------------------------------------------------------------------------


def test_the_page_asks_after_each_edit_and_shows_what_differs(builder: SkipSetBuilder) -> None:
    line = shown(builder)
    wait_for(lambda: line.phase == "answered")
    assert line.message == "Nothing is skipped: this is the full model."
    builder.set(skipset="vision absent 2-3")
    assert line.phase == "asking"
    wait_for(lambda: line.phase == "answered")
    assert line.message == "Another answer. KL(full ‖ skip set) of the next token: 2 nats."
    assert [(said["head"], said["text"], said["note"]) for said in line.answers] == [
        ("full model", "red", "90.0%"),
        ("this skip set", "purple", "60.0%"),
    ]
    assert line.image.startswith("data:image/png;base64,")


@pytest.mark.parametrize("skipset", ["none", f"vision absent {UNSUPPORTED}"])
def test_an_answer_that_comes_while_the_page_is_being_made_is_shown(
    builder: SkipSetBuilder, monkeypatch: pytest.MonkeyPatch, skipset: str
) -> None:
    builder.set(skipset=skipset)
    coming = threading.Event()
    hear, code = builder._asker._tell, builder.code  # type: ignore[union-attr]

    def heard(found: object) -> None:
        coming.set()
        hear(found)  # type: ignore[arg-type]

    def slow_code() -> str:  # the last thing that is drawn, after the model was asked
        coming.wait(30)
        time.sleep(0.05)
        return code()

    monkeypatch.setattr(builder._asker, "_tell", heard)
    monkeypatch.setattr(builder, "code", slow_code)
    line = shown(builder)
    wait_for(lambda: line.phase == ("answered" if skipset == "none" else "failed"))


def test_a_burst_of_edits_asks_once_under_the_last_one(builder: SkipSetBuilder, port: AskedSession) -> None:
    line = shown(builder)
    wait_for(lambda: line.phase == "answered")
    port.asked.clear()
    for layer in range(8):
        builder.set(skipset=f"vision absent {layer}")
    wait_for(lambda: line.phase == "answered")
    assert port.asked == ["vision absent 7"]
    assert builder.answer is not None
    assert str(builder.answer.skipset) == "vision absent 7"


def test_a_later_edit_cancels_the_question_that_runs(builder: SkipSetBuilder, port: AskedSession) -> None:
    line = shown(builder)
    wait_for(lambda: line.phase == "answered")
    port.answered.clear()
    port.ask_gate.clear()
    builder.set(skipset="vision absent 2")
    wait_for(lambda: port.asked[-1] == "vision absent 2")
    builder.set(skipset="vision absent 3")
    wait_for(lambda: port.asked[-1] == "vision absent 3")  # the gate is still shut: only a cancelled job leaves it
    port.ask_gate.set()
    wait_for(lambda: line.phase == "answered")
    assert port.answered == ["vision absent 3"]
    assert str(builder.answer.skipset) == "vision absent 3"  # type: ignore[union-attr]


def test_a_what_if_is_answered_while_long_work_runs(builder: SkipSetBuilder, port: AskedSession) -> None:
    line = shown(builder)
    wait_for(lambda: line.phase == "answered")
    port.gate.clear()
    builder.propose("shortgpt", layers=2, block=False)
    builder.set(skipset="vision absent 2")
    wait_for(lambda: line.phase == "answered")
    assert builder.job is not None
    assert not builder.job.has_ended
    port.gate.set()
    assert str(builder.job.result(30).skipset) == "whole 10-11"


def test_what_the_model_cannot_run_is_said_in_its_place_and_the_builder_goes_on(builder: SkipSetBuilder) -> None:
    line = shown(builder)
    wait_for(lambda: line.phase == "answered")
    builder.set(skipset=f"vision absent {UNSUPPORTED}")
    wait_for(lambda: line.phase == "failed")
    assert line.message.startswith(f"UnsupportedSkipError: 'vision absent {UNSUPPORTED}' cannot run on this model")
    assert builder.view.message.text == ""
    with pytest.raises(UnsupportedSkipError):
        builder.what_if()
    builder.set(skipset="vision absent 2")
    wait_for(lambda: line.phase == "answered")


def test_a_closed_session_is_explained_in_its_place(builder: SkipSetBuilder, port: AskedSession) -> None:
    line = shown(builder)
    wait_for(lambda: line.phase == "answered")
    port.close()
    builder.set(skipset="vision absent 2")
    wait_for(lambda: line.phase == "failed")
    assert line.message.startswith("SessionClosedError: this session is closed")


def test_closing_cancels_what_was_asked_and_frees_everything(port: AskedSession) -> None:
    gc.collect()
    before, threads = set(OPEN_WIDGETS), threading.active_count()
    builder = SkipSetBuilder(port, profile=port.profile("shapes"))
    port.ask_gate.clear()
    builder._repr_mimebundle_()
    wait_for(lambda: len(port.asked) == 1)
    builder.set(skipset="vision absent 2")  # and one that is not even begun
    watched = [weakref.ref(builder), weakref.ref(builder.view), weakref.ref(shown(builder))]
    builder.close()
    assert set(OPEN_WIDGETS) <= before
    del builder
    port.submit(lambda _: None, quick=True).result(30)  # ends only if what ran before was cancelled
    port.submit(lambda _: None).result(30)
    wait_for(lambda: threading.active_count() <= threads + 2)  # the workers
    gc.collect()
    assert [reference() for reference in watched] == [None, None, None]
    assert port.answered == []


def test_a_closed_builder_asks_again_when_it_is_shown_again(builder: SkipSetBuilder, port: AskedSession) -> None:
    wait_for(lambda: shown(builder).phase == "answered")
    builder.close()
    assert builder.answer is None
    wait_for(lambda: shown(builder).phase == "answered")


def test_in_the_studio_the_question_is_of_the_task_that_all_tools_have(port: AskedSession) -> None:
    with Studio(port, task="counts") as studio:  # type: ignore[arg-type]
        assert studio.builder.state.task == "counts"
        studio.explorer.set(task="shapes")
        assert studio.builder.state.task == "shapes"
        studio.builder.set(task="counts")
        assert (studio.explorer.state.task, studio.evaluator.state.task) == ("counts", "counts")


# -- methods ---------------------------------------------------------------------------------------------------------


def test_a_method_proposes_and_what_is_drawn_stays(builder: SkipSetBuilder) -> None:
    builder.set(skipset="vision absent 0")
    proposal = builder.propose("shortgpt", layers=3, limit=12)
    assert proposal is builder.proposal is not None
    assert (str(proposal.skipset), len(proposal.provenance.samples)) == ("whole 9-11", 12)
    assert str(builder.skipset) == "vision absent 0"
    assert builder.result is None
    builder.take(proposal.skipset, join=True)
    assert str(builder.skipset) == "vision absent 0; whole 9-11"


def test_each_method_offers_its_knob_and_an_unknown_one_runs_as_it_comes(builder: SkipSetBuilder) -> None:
    controls = builder.view.methods.controls  # type: ignore[attr-defined]
    assert (controls.values, controls.fields[1]["label"]) == ({"method": "shortgpt", "knob": 2}, "layers")
    controls._handle_custom_msg({"enter": "method", "value": "novel"}, [])
    assert controls.fields[1]["hidden"]
    builder.view.job_bar._handle_custom_msg({"do": "run"}, [])
    assert builder.job is not None
    assert str(builder.job.result(30).skipset) == "whole 11"


def test_half_a_layer_is_refused(builder: SkipSetBuilder) -> None:
    view: Any = builder.view
    view.methods.controls._handle_custom_msg({"enter": "knob", "value": 2.5}, [])
    view.job_bar._handle_custom_msg({"do": "run"}, [])
    assert view.message.text == "SettingError: layers is 2.5, but should be a whole number."
    assert builder.job is None


def test_a_proposal_that_was_cancelled_changes_nothing(builder: SkipSetBuilder, port: AskedSession) -> None:
    port.gate.clear()
    view: Any = builder.view
    view.job_bar._handle_custom_msg({"do": "run"}, [])
    view.job_bar._handle_custom_msg({"do": "cancel"}, [])
    port.gate.set()
    assert builder.job is not None
    with pytest.raises(CancelledError):
        builder.job.result(30)
    assert builder.proposal is None


# -- files -----------------------------------------------------------------------------------------------------------


def test_conditions_of_another_model_are_not_loaded_and_nothing_changes(port: AskedSession, tmp_path: Any) -> None:
    other = AskedSession()
    other.name = "other"  # type: ignore[misc]
    file = SkipSetBuilder(port, profile=port.profile("shapes"), skipset="whole 1").save(tmp_path / "builder.json")
    with SkipSetBuilder(other) as builder:
        with pytest.raises(SettingError, match="the model of the Recommendation is 'fake', but should be 'other'"):
            builder.load(file)
        assert (builder.result, builder.skipset.is_empty) == (None, True)
    other.close()


def test_a_file_of_another_number_of_layers_changes_nothing(port: AskedSession, tmp_path: Any) -> None:
    other = AskedSession(5)
    for profile in (None, port.profile("shapes")):
        file = SkipSetBuilder(port, profile=profile, skipset="whole 1").save(tmp_path / "builder.json")
        with SkipSetBuilder(other) as builder:
            with pytest.raises(LayerCountError, match="made for 12 layers, but 5 are expected"):
                builder.load(file)
            assert (builder.result, builder.skipset.is_empty) == (None, True)
    other.close()


def test_a_file_about_a_task_that_is_not_there_changes_nothing(port: AskedSession, tmp_path: Any) -> None:
    file = SkipSetBuilder(port, profile=port.profile("shapes"), skipset="whole 1").save(tmp_path / "builder.json")
    file.write_text(file.read_text().replace('"task": "shapes", "question"', '"task": "vqa", "question"'))
    with SkipSetBuilder(port) as builder:
        with pytest.raises(UnknownTaskError, match="there is no task 'vqa'"):
            builder.load(file)
        assert (builder.result, builder.skipset.is_empty) == (None, True)


def test_a_file_of_a_version_without_questions_is_still_read(builder: SkipSetBuilder, tmp_path: Any) -> None:
    builder.set(skipset="whole 1")
    file = builder.save(tmp_path / "builder.json")
    text = file.read_text()
    file.write_text(text.replace(', "task": "shapes", "question": ""', ""))
    assert file.read_text() != text
    builder.clear()
    builder.load(file)
    assert (str(builder.skipset), builder.state.task) == ("whole 1", "shapes")
    file.write_text(text.replace('"skipit": "BuilderState"', '"skipit": "ExplorerState"'))
    with pytest.raises(ResultFormatError, match="it holds a ExplorerState"):
        builder.load(file)


def test_the_difference_is_said_in_words(builder: SkipSetBuilder) -> None:
    builder.set(skipset="vision absent 5")
    assert difference(builder.what_if()) == "The same answer. KL(full ‖ skip set) of the next token: 0 nats."
