"""Bands of layers: planted turns of known angle, and the same numbers as from all hidden states."""

import math

import pytest
import torch

from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.redundancy.bands import BandRecorder, band_kinds, turn, unit
from skipit_nb.errors import SettingError
from skipit_nb.results import BAND_TOKENS, BandDistances, Provenance
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava
from tests.backend.redundancy.planted import identity, planted, rescaling, turning


@torch.no_grad()
def recorded(model, inputs=None):
    recorder = BandRecorder(anatomy_of(model))
    with recorder.recording(inputs or prompts(padded=True)):
        model(**(inputs or prompts(padded=True)))
    return BandDistances(Provenance("tiny", "", NUM_LAYERS, "float32", "cpu", "sdpa"), recorder.bands())


@pytest.mark.parametrize("degrees", [0, 0.1, 30, 90, 180])
def test_a_known_angle_comes_out_and_stays_a_number(degrees):
    angle = math.radians(degrees)
    found = turn(torch.tensor([1.0, 0.0]), unit(5 * torch.tensor([math.cos(angle), math.sin(angle)])))
    assert found.tolist() == pytest.approx([degrees / 180, 1 - math.cos(angle)], rel=1e-3, abs=1e-9)


def test_an_unmoved_state_has_angle_zero_where_an_arccos_has_none():
    state = unit(torch.randn(500, 4096, generator=torch.Generator().manual_seed(0)))
    assert turn(state, state).eq(0).all()


def test_planted_layers_turn_every_kind_of_token_by_what_they_were_planted_with():
    found = recorded(planted(layer_0=turning(30), layer_1=identity, layer_2=rescaling(3), layer_3=turning(60)))
    for tokens in BAND_TOKENS:
        assert found.block_influence(tokens) == pytest.approx((1 - math.cos(math.pi / 6), 0, 0, 0.5), abs=1e-6)
        matrix = found.matrix(tokens)
        assert matrix.loc[0, 4] == pytest.approx(0.5, abs=1e-6), "30 and 60 degrees are a right angle"
        assert matrix.loc[1, 2] == 0, "exactly"
        assert found.best(2, tokens).start == 1


def test_bands_equal_those_computed_from_all_hidden_states():
    model, inputs = tiny_llava(), prompts(padded=True)
    found = recorded(model, inputs)
    with torch.no_grad():
        states = model(**inputs, output_hidden_states=True).hidden_states[:-1]  # the last is after the final norm
    kinds = band_kinds(inputs, anatomy_of(model))
    for kind, tokens in enumerate(BAND_TOKENS):
        for metric, of in (("angle", lambda c: c.clamp(-1, 1).acos() / math.pi), ("distance", lambda c: 1 - c)):
            matrix = found.matrix(tokens, metric)
            for start in range(NUM_LAYERS):
                for stop in range(start + 1, NUM_LAYERS):
                    cos = torch.cosine_similarity(states[start].double(), states[stop].double(), dim=-1)
                    slow = torch.stack([of(cos[b])[kinds[kind, b]].mean() for b in range(2)]).mean()
                    assert matrix.loc[start, stop] == pytest.approx(float(slow), abs=1e-6)


def test_the_last_token_is_the_last_that_is_no_padding():
    inputs = prompts(padded=True)
    on_the_right = {name: value.flip(1) if value.dim() == 2 else value for name, value in inputs.items()}
    kinds = dict(zip(BAND_TOKENS, band_kinds(on_the_right, anatomy_of(tiny_llava())), strict=True))
    lengths = on_the_right["attention_mask"].sum(1)
    assert [row.nonzero().flatten().tolist() for row in kinds["last"]] == [[n - 1] for n in lengths.tolist()]
    assert torch.equal(kinds["all"], on_the_right["attention_mask"].bool())


def test_no_hook_stays_and_nothing_counts_when_the_pass_raises():
    model = tiny_llava()
    recorder = BandRecorder(anatomy_of(model))
    with pytest.raises(RuntimeError), recorder.recording(prompts(padded=False)):
        raise RuntimeError
    assert recorder.bands() == ()
    assert all(not layer._forward_hooks for layer in model.model.language_model.layers)


def test_the_table_has_a_row_per_band_and_reads_back():
    found = recorded(tiny_llava())
    assert len(found.frame) == len(BAND_TOKENS) * NUM_LAYERS * (NUM_LAYERS + 1) / 2
    assert BandDistances.from_json(found.to_json()) == found
    assert repr(found) == "BandDistances(tiny, 4 layers, 0 questions)"
    with pytest.raises(SettingError, match="1 to 4"):
        found.best(5)
    with pytest.raises(SettingError, match="vision, text, first, last, all"):
        found.matrix("sound")
    with pytest.raises(SettingError, match="'angle' or 'distance'"):
        found.matrix("last", "sine")


def test_on_the_model_in_the_box_single_layers_are_the_distances_of_a_profile(session):
    found = session.bands("digits-vqa", limit=8, batch_size=3)
    measured = session.profile("digits-vqa", limit=8, flow=False)
    assert found.block_influence("vision") == pytest.approx(measured.distances("vision"), abs=1e-6)
