"""Further modalities: rows named by hand are measured as vision and text are, and count as neither."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from skipit_nb import Session
from skipit_nb.backend.live.anatomy import _image_token_ids, anatomy_of
from skipit_nb.backend.redundancy.flow import FlowRecorder
from skipit_nb.backend.redundancy.geometric import DistanceRecorder, layer_distance, token_kinds
from skipit_nb.errors import NoExamplesError, SettingError
from skipit_nb.results import RedundancyProfile
from tests.backend.live.tiny_llava import IMAGE, NUM_LAYERS, prompts, tiny_llava

AUDIO = 7
"""A word of the text that stands for sound: twice in the first prompt, never in the second."""


def is_audio(inputs):
    return inputs["input_ids"] == AUDIO


def test_rows_by_hand_are_a_kind_of_their_own_and_no_longer_text():
    inputs, anatomy = prompts(padded=True), anatomy_of(tiny_llava())
    vision, text, first = token_kinds(inputs, anatomy)
    by_hand = token_kinds(inputs, anatomy, {"audio": is_audio})
    assert torch.equal(by_hand[3], inputs["input_ids"] == AUDIO)
    assert torch.equal(by_hand[0], vision)
    assert torch.equal(by_hand[1], text & ~by_hand[3])
    assert torch.equal(by_hand[2], first)
    assert torch.equal(by_hand.sum(0), inputs["attention_mask"])


def test_the_first_token_may_be_another_modality():
    inputs = prompts(padded=False)
    mask = torch.zeros_like(inputs["input_ids"], dtype=torch.bool)
    mask[0, 0] = True
    kinds = token_kinds(inputs, anatomy_of(tiny_llava()), {"audio": mask})
    assert kinds[:, 0, 0].tolist() == [False, False, False, True]


@torch.no_grad()
def test_their_distances_are_those_of_their_tokens_alone():
    model, inputs = tiny_llava(), prompts(padded=True)
    anatomy = anatomy_of(model)
    recorder = DistanceRecorder(anatomy, {"audio": is_audio})
    with recorder.recording(inputs):
        model(**inputs)
    states = model(**inputs, output_hidden_states=True).hidden_states
    rows = {(row.layer, row.tokens): row for row in recorder.rows()}
    assert len(rows) == 4 * NUM_LAYERS
    for layer in range(NUM_LAYERS - 1):
        distance = layer_distance(states[layer], states[layer + 1])
        assert rows[layer, "audio"].distance == pytest.approx(float(distance[is_audio(inputs)].mean()), abs=1e-6)
    plain = DistanceRecorder(anatomy)
    with plain.recording(inputs):
        model(**inputs)
    assert [row for row in plain.rows() if row.tokens == "vision"] == [
        row for row in recorder.rows() if row.tokens == "vision"
    ]


@torch.no_grad()
def test_sound_does_not_ask_for_the_image_as_text_does():
    model, inputs = tiny_llava(), prompts(padded=False)
    asked = []
    for rows in (None, {"audio": is_audio}):
        recorder = FlowRecorder(anatomy_of(model), query="text", rows=rows)
        with recorder.recording(inputs):
            model(**inputs)
        asked.append([row.var for row in recorder.rows()])
    assert all(abs(a - b) > 1e-6 for a, b in zip(*asked, strict=True))


def test_video_positions_are_vision_where_a_model_has_them():
    config = SimpleNamespace(image_token_id=IMAGE, video_token_id=AUDIO, vision_config=None)
    anatomy = replace(anatomy_of(tiny_llava()), image_token_ids=_image_token_ids(config))
    inputs = prompts(padded=True)
    kinds = token_kinds(inputs, anatomy)
    assert torch.equal(kinds[0], (inputs["input_ids"] == IMAGE) | (inputs["input_ids"] == AUDIO))


def test_a_session_measures_ready_inputs_with_rows_by_hand():
    with Session(tiny_llava()) as session:
        found = session.profile([prompts(padded=True), prompts(padded=False)], rows={"audio": is_audio})
        one = session.profile(prompts(padded=False), rows={"audio": is_audio(prompts(padded=False))})
    assert {row.tokens for row in found.layers} == {"vision", "text", "first", "audio"}
    assert found.provenance.samples == ("inputs/0/0", "inputs/0/1", "inputs/1/0")
    assert found.images == 3
    assert len(found.distances("audio")) == NUM_LAYERS
    # both prompts with such a token are the same one, and the padded one too
    assert found.distances("audio") == pytest.approx(one.distances("audio"), abs=1e-5)
    assert RedundancyProfile.from_json(found.to_json()) == found


def padding(inputs):
    return inputs["attention_mask"] == 0


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        (
            lambda i: i["input_ids"][:, 1:] == AUDIO,
            r"the shape of rows\['audio'\] is \(2, 22\), but should be \(2, 23\)",
        ),
        (lambda i: is_audio(i).float(), r"rows\['audio'\] is torch.float32, but should be a tensor of bools"),
        (lambda i: is_audio(i).tolist(), r"rows\['audio'\] is 'list'"),
        (lambda i: i["input_ids"] == IMAGE, r"True at sample 0, position 2.*no vision tokens"),
        (padding, r"True at sample 1, position 0.*no padding"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused_and_nothing_counts(mask, message):
    model = tiny_llava()
    recorder = DistanceRecorder(anatomy_of(model), {"audio": mask})
    with pytest.raises(SettingError, match=message), recorder.recording(prompts(padded=True)):
        model(**prompts(padded=True))
    assert recorder.rows() == ()
    assert all(not layer._forward_hooks for layer in model.model.language_model.layers)


def test_two_masks_for_one_row_are_refused():
    with pytest.raises(SettingError, match=r"rows\['noise'\] is 'True at sample 0, position 1'"):
        token_kinds(prompts(padded=False), anatomy_of(tiny_llava()), {"audio": is_audio, "noise": is_audio})


@pytest.mark.parametrize("name", ["vision", "text", "last", "all", ""])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(SettingError, match=f"a name in rows is '{name}'"):
        DistanceRecorder(anatomy_of(tiny_llava()), {name: is_audio})


def test_ready_inputs_without_ids_and_none_at_all_are_refused():
    with Session(tiny_llava()) as session:
        with pytest.raises(SettingError, match="input_ids of ready inputs is None"):
            session.profile([{"pixel_values": torch.zeros(1, 3, 16, 16)}])
        with pytest.raises(SettingError, match=r"is \(5,\)"):
            session.profile({"input_ids": torch.arange(5)})
        with pytest.raises(NoExamplesError):
            session.profile([])
