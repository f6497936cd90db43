"""The builder: every way to draw a skip set, what it says about it, and what it refuses."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from skipit_nb.cost import ModelShape, cost
from skipit_nb.errors import LayerCountError, LayerIndexError, SettingError, SkipSetSyntaxError
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets import SkipSetBuilder
from tests.widgets.fake_session import NEEDED, FakeSession

SHAPE = ModelShape(num_layers=4, d_model=8, d_ff=16, num_heads=2, num_kv_heads=2, head_dim=4, vocab=100, num_vision=9)


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def builder(port: FakeSession) -> Iterator[SkipSetBuilder]:
    with SkipSetBuilder(port, profile=port.profile("shapes", limit=9)) as made:
        yield made


def press(builder: SkipSetBuilder, name: str) -> None:
    view: Any = builder.view
    controls = view.presets.controls if name in ("replace", "join") else view.edit
    controls._handle_custom_msg({"press": name}, [])


def enter(controls: Any, **values: object) -> None:
    for name, value in values.items():
        controls._handle_custom_msg({"enter": name, "value": value}, [])


# -- drawing ---------------------------------------------------------------------------------------------------------


def test_it_starts_with_the_skip_set_it_is_given_bound_to_the_model(port: FakeSession) -> None:
    assert SkipSetBuilder(port).skipset == SkipSet.none(num_layers=12)
    assert SkipSetBuilder(port, skipset="vision absent 8-").skipset == SkipSet.early_exit(8, num_layers=12)


def test_a_drag_on_the_strip_changes_the_skip_set_once(builder: SkipSetBuilder) -> None:
    heard: list[object] = []
    builder.observe(heard.append, "skipset")
    strip = builder.view.strip  # type: ignore[attr-defined]
    strip._handle_custom_msg({"row": "vision", "layers": [3, 4, 5], "action": "absent"}, [])
    assert str(builder.skipset) == "vision absent 3-5"
    assert len(heard) == 1
    assert strip.cells["vision"] == ["absent" if 3 <= layer <= 5 else "run" for layer in range(12)]


def test_a_gesture_that_is_refused_is_explained_and_painted_back(builder: SkipSetBuilder) -> None:
    strip = builder.view.strip  # type: ignore[attr-defined]
    strip._handle_custom_msg({"row": "vision", "layers": [12], "action": "absent", "id": "view-7"}, [])
    assert builder.skipset.is_empty
    assert builder.view.message.text.startswith("SettingError: layers is [12], but should be a list of layers")
    assert strip.answered == "view-7"


def test_presets_join_what_is_there() -> None:
    builder = SkipSetBuilder(SHAPE)
    builder.late_entry(1)
    builder.early_exit(3)
    builder.freeze(1, modality="text")
    builder.whole([3])
    assert str(builder.skipset) == "vision absent 0; text frozen 1; whole 3"


@pytest.mark.parametrize(
    "preset, values, expected",
    [
        ("late entry of vision", {"k": 3}, "vision absent 0-2"),
        ("early exit of vision", {"k": 12}, "none"),
        ("early exit of vision", {"k": 8}, "vision absent 8-11"),
        ("freeze vision", {"first": 4, "last": 6}, "vision frozen 4-6"),
        ("skip whole layers", {"first": 4, "last": 4}, "whole 4"),
        ("skip attention", {"first": 0, "last": 1}, "attn 0-1"),
        ("skip MLPs", {"first": 10, "last": 11}, "mlp 10-11"),
    ],
)
def test_each_preset_of_the_page_writes_what_it_says(
    builder: SkipSetBuilder, preset: str, values: dict[str, int], expected: str
) -> None:
    controls = builder.view.presets.controls  # type: ignore[attr-defined]
    enter(controls, preset=preset, **values)
    shown = {field["name"] for field in controls.fields if not field.get("hidden")}
    assert shown == {"preset", "replace", "join", *values}
    press(builder, "replace")
    assert str(builder.skipset) == expected


def test_a_preset_replaces_what_is_drawn_or_joins_it_as_the_button_says(builder: SkipSetBuilder) -> None:
    builder.set(skipset="whole 11")
    enter(builder.view.presets.controls, preset="late entry of vision", k=2)  # type: ignore[attr-defined]
    press(builder, "join")
    assert str(builder.skipset) == "vision absent 0-1; whole 11"
    press(builder, "replace")
    assert str(builder.skipset) == "vision absent 0-1"
    builder.undo()
    assert str(builder.skipset) == "vision absent 0-1; whole 11"


def test_a_span_that_runs_backwards_is_refused(builder: SkipSetBuilder) -> None:
    enter(builder.view.presets.controls, preset="freeze vision", first=6, last=4)  # type: ignore[attr-defined]
    press(builder, "replace")
    assert builder.view.message.text == "SettingError: last layer is 4, but should be at least the first layer, 6."
    assert builder.skipset.is_empty


def test_undo_and_redo_walk_through_the_skip_sets(builder: SkipSetBuilder) -> None:
    builder.late_entry(2)
    builder.early_exit(8)
    press(builder, "undo")
    assert str(builder.skipset) == "vision absent 0-1"
    press(builder, "undo")
    press(builder, "undo")  # nothing left to take back
    assert (builder.skipset.is_empty, builder.can_undo, builder.can_redo) == (True, False, True)
    press(builder, "redo")
    press(builder, "redo")
    assert str(builder.skipset) == "vision absent 0-1+8-11"
    builder.undo()
    builder.clear()
    assert not builder.can_redo


def test_undo_and_redo_are_only_offered_when_there_is_something_to_do(builder: SkipSetBuilder) -> None:
    def offered() -> list[bool]:
        fields = {field["name"]: field for field in builder.view.edit.fields}  # type: ignore[attr-defined]
        return [not fields[name].get("disabled") for name in ("undo", "redo")]

    assert offered() == [False, False]
    builder.late_entry(1)
    assert offered() == [True, False]
    builder.undo()
    assert offered() == [False, True]


def test_the_written_form_can_be_edited(builder: SkipSetBuilder) -> None:
    edit = builder.view.edit  # type: ignore[attr-defined]
    enter(edit, skipset="whole 3; vision absent 9-")
    assert str(builder.skipset) == "vision absent 9-11; whole 3"
    assert edit.values["skipset"] == "vision absent 9-11; whole 3"
    enter(edit, skipset="vision absent 9-; whole 9")
    assert builder.view.message.text.startswith("SkipSetConflictError: 'vision absent 9-; whole 9' contradicts itself")


# -- what it says ----------------------------------------------------------------------------------------------------


def test_the_cost_is_that_of_the_arithmetic_and_is_called_predicted(builder: SkipSetBuilder, port: FakeSession) -> None:
    builder.set(skipset="vision absent 6-", num_vision=64, num_text=32)
    expected = cost(port.shape, "vision absent 6-", num_vision=64, num_text=32)
    assert builder.cost == expected
    table = builder.view.table  # type: ignore[attr-defined]
    assert table.columns == ["predicted for this prompt", "full model", "this skip set", "ratio"]
    full = cost(port.shape, None, num_vision=64, num_text=32)
    assert [row[0] for row in table.rows] == [
        "prefill",
        "each generated token",
        "KV cache of the prompt",
        "active parameters",
    ]
    ratio = full.flops_prefill / expected.flops_prefill
    assert table.caption == f"Predicted prefill speed-up {ratio:.2f}×: arithmetic, not a measured time."
    assert table.rows[0][3] == f"{full.flops_prefill / expected.flops_prefill:.2f}×"


def test_the_data_has_a_row_for_each_layer(builder: SkipSetBuilder) -> None:
    builder.set(skipset="vision absent 10; whole 11")
    assert list(builder.data.columns) == ["layer", "vision", "text", "flops", "flops_full"]
    assert list(builder.data.vision[-3:]) == ["run", "absent", "whole"]
    assert builder.data.flops.sum() < builder.data.flops_full.sum()


def test_the_conditions_name_the_layers_that_break_them(builder: SkipSetBuilder) -> None:
    verdict = builder.view.verdict  # type: ignore[attr-defined]
    assert verdict.text == "No vision tokens are skipped."
    builder.set(skipset=f"vision absent {NEEDED[0]}-{NEEDED[1]}")
    assert verdict.tone == "bad"
    assert "condition 1 at layers 2-3" in verdict.text
    assert "condition 2 at layers 2-3: the text still reads the image there" in verdict.text
    builder.set(skipset="vision absent 6-")
    assert (verdict.tone, verdict.text) == (
        "plain",
        "Both conditions hold at layers 6-11, where vision tokens are skipped.",
    )


def test_each_layer_carries_its_reason_and_a_sign(builder: SkipSetBuilder) -> None:
    strip = builder.view.strip  # type: ignore[attr-defined]
    builder.set(skipset="vision absent 2+9")
    assert strip.notes == [reason.why for reason in builder.result.reasons]  # type: ignore[union-attr]
    assert [(strip.marks[layer]["sign"], strip.marks[layer]["tone"]) for layer in (0, 2, 9, 10)] == [
        ("1", "quiet"),
        ("1 2", "bad"),
        ("✓", "good"),
        ("✓", "good"),
    ]


def test_bars_stand_behind_the_cells_against_their_thresholds(builder: SkipSetBuilder) -> None:
    behind = builder.view.strip.behind  # type: ignore[attr-defined]
    reasons = builder.result.reasons  # type: ignore[union-attr]
    assert list(behind) == ["vision", "text"]
    assert behind["vision"]["line"] == behind["text"]["line"] == 0.5
    below = [height <= 0.5 for height in behind["vision"]["heights"]]
    assert below == [reason.distance <= 0.1 for reason in reasons]
    assert behind["vision"]["heights"][0] == 1.0  # 0.42 is more than twice the threshold
    assert behind["text"]["texts"][:3] == ["0.02 (threshold 0.1)", "0.02 (threshold 0.1)", "0.5 (threshold 0.1)"]


def test_without_thresholds_bars_stand_against_the_highest(port: FakeSession) -> None:
    with SkipSetBuilder(port.profile("shapes")) as builder:
        behind = builder.view.strip.behind  # type: ignore[attr-defined]
        assert (behind["vision"]["line"], max(behind["vision"]["heights"])) == (None, 1.0)
        assert behind["text"]["heights"][2] == 1.0


def test_the_recommendation_can_be_taken(builder: SkipSetBuilder) -> None:
    builder.whole([0])
    press(builder, "recommended")
    assert builder.result is not None
    assert builder.skipset == builder.result.skipset


def test_without_a_profile_nothing_is_recommended_and_the_page_does_not_offer_it(port: FakeSession) -> None:
    with SkipSetBuilder(port, skipset="vision absent 8-") as builder:
        with pytest.raises(SettingError, match=r"profile is None, but should be a measured profile"):
            builder.recommended()
        fields = {field["name"]: field for field in builder.view.edit.fields}  # type: ignore[attr-defined]
        assert fields["recommended"]["hidden"]
        verdict = builder.view.verdict  # type: ignore[attr-defined]
        assert verdict.text == "The paper's conditions are not known here: give the builder a profile."


def test_a_profile_that_comes_later_is_taken_in(port: FakeSession) -> None:
    with SkipSetBuilder(port, skipset="vision absent 8-") as builder:
        strip = builder.view.strip  # type: ignore[attr-defined]
        assert (strip.behind, strip.marks) == ({}, [])
        builder.inform(port.profile("shapes"))
        assert len(strip.behind) == 2
        assert len(strip.marks) == 12
        assert builder.run() == builder.result


def test_the_code_names_the_skip_set_open_so_that_it_fits_other_models(builder: SkipSetBuilder) -> None:
    builder.set(skipset="vision absent 8-11")
    assert "skipset = SkipSet.parse('vision absent 8-')" in builder.code().split("\n")
    assert builder.view.code.code == builder.code()  # type: ignore[attr-defined]


# -- without a session -----------------------------------------------------------------------------------------------


def test_it_works_on_a_shape_alone_and_its_code_runs_without_a_session() -> None:
    builder = SkipSetBuilder(SHAPE, skipset="vision frozen 2-")
    names: dict[str, Any] = {}
    exec(builder.code(), names)
    assert names["data"].equals(builder.data)
    assert builder.state.num_vision == 9


def test_it_works_on_a_stored_profile_alone_without_costs(port: FakeSession) -> None:
    profile = port.profile("shapes")
    with SkipSetBuilder(profile, skipset="vision absent 2-") as builder:
        assert (builder.cost, builder.result) == (None, None)
        assert list(builder.data.columns) == ["layer", "vision", "text"]
        labels = [bars["label"] for bars in builder.view.strip.behind.values()]  # type: ignore[attr-defined]
        assert labels == ["vision distance", "VAR"]
    names: dict[str, Any] = {}
    exec(builder.code(), names)
    assert names["skipset"] == builder.skipset


def test_it_works_on_a_stored_recommendation_alone(port: FakeSession) -> None:
    recommendation = port.recommend(port.profile("shapes"))
    with SkipSetBuilder(recommendation) as builder:
        builder.recommended()
        assert builder.skipset == recommendation.skipset


# -- refusals --------------------------------------------------------------------------------------------------------


def test_what_it_cannot_build_on_is_refused() -> None:
    with pytest.raises(SettingError, match="source is 12, but should be an open session, a ModelShape, a profile"):
        SkipSetBuilder(12)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes, error, words",
    [
        ({"skipset": "vision gone 1"}, SkipSetSyntaxError, "has no action that is known"),
        ({"skipset": "whole 4"}, LayerIndexError, r"layer 4 is outside 0\.\.3"),
        ({"skipset": SkipSet.whole(1, num_layers=5)}, LayerCountError, "made for 5 layers, but 4 are expected"),
        ({"skipset": 3}, SkipSetSyntaxError, "it is a int"),
        ({"num_text": -1}, SettingError, "num_text is -1, but should be a number of tokens, at least 0"),
        ({"num_vision": 1.5}, SettingError, r"num_vision is 1\.5"),
        ({"num_vision": 0, "num_text": 0}, SettingError, "at least 1 if there are no vision tokens"),
    ],
)
def test_bad_values_are_refused_and_nothing_changes(
    changes: dict[str, Any], error: type[Exception], words: str
) -> None:
    builder = SkipSetBuilder(SHAPE, skipset="whole 1")
    before = builder.state
    with pytest.raises(error, match=words):
        builder.set(**changes)
    assert builder.state == before


def test_a_profile_of_another_model_is_refused(port: FakeSession) -> None:
    with pytest.raises(LayerCountError, match="RedundancyProfile was made for 12 layers, but 4 are expected here"):
        SkipSetBuilder(SHAPE, profile=port.profile("shapes"))


@pytest.mark.parametrize("num_layers", [12, 80])
def test_a_click_costs_python_far_less_than_a_person_notices(num_layers: int) -> None:
    port = FakeSession(num_layers)
    with SkipSetBuilder(port, profile=port.profile("shapes")) as builder:
        strip = builder.view.strip  # type: ignore[attr-defined]
        start = time.process_time()
        for layer in range(10):
            strip._handle_custom_msg({"row": "vision", "layers": [layer], "action": "absent"}, [])
        assert (time.process_time() - start) / 10 < 0.05
    port.worker.close()
