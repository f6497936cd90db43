"""Distances, tails and norms: known turns, and the same numbers as the slow way."""

import math
import weakref

import pytest
import torch

from skipit_nb import Session, SkipSet
from skipit_nb.backend.live.anatomy import anatomy_of
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.redundancy.geometric import DistanceRecorder, layer_distance, per_token_distances, token_kinds
from skipit_nb.errors import SettingError
from skipit_nb.results import EPSILONS, RedundancyProfile
from tests.backend.live.tiny_llava import NUM_LAYERS, prompts, tiny_llava
from tests.backend.redundancy.planted import identity, planted, rescaling, turning


def turned_by(degrees):
    angle = math.radians(degrees)
    return torch.tensor([math.cos(angle), math.sin(angle), 0.0])


@pytest.mark.parametrize(("degrees", "expected"), [(0, 0), (90, 1), (180, 2), (60, 0.5), (0.1, 1.523e-6)])
def test_distance_is_zero_for_no_turn_one_for_a_right_angle_two_for_a_reversal(degrees, expected):
    distance = layer_distance(turned_by(0), 7 * turned_by(degrees))
    assert float(distance) == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_distance_does_not_see_length_and_is_exactly_zero_for_the_same_state():
    state = torch.randn(5, 4096)
    assert layer_distance(state, state).eq(0).all()
    assert layer_distance(state, 3 * state).max() < 1e-12


def test_distance_of_half_precision_states_is_measured_in_float32():
    state = torch.randn(3, 64, dtype=torch.bfloat16)
    moved = state + 0.01 * torch.randn(3, 64, dtype=torch.bfloat16)
    assert layer_distance(state, moved).dtype == torch.float32
    assert layer_distance(state, moved).max() < 0.01


def recorded(model, inputs, skipset="none"):
    anatomy = anatomy_of(model)
    recorder = DistanceRecorder(anatomy)
    with torch.no_grad(), skipping(model, anatomy, SkipSet.parse(skipset, num_layers=NUM_LAYERS)):
        with recorder.recording(inputs):
            model(**inputs)
    return recorder.rows()


def test_an_identity_layer_has_distance_zero_and_no_tail():
    rows = recorded(tiny_llava(), prompts(padded=True), "whole 2")
    for row in rows:
        assert (row.distance == 0) == (row.layer == 2)
        if row.layer == 2:
            assert (row.spread, row.update, set(row.tail)) == (0, 0, {0})


def test_planted_layers_have_the_distance_tail_norm_and_update_they_were_planted_with():
    model = planted(layer_0=identity, layer_1=turning(60), layer_2=rescaling(1000), layer_3=turning(180))
    rows = recorded(model, prompts(padded=True))
    for kind in ("vision", "text", "first"):
        nothing, turned, longer, back = (row for row in rows if row.tokens == kind)
        assert (nothing.distance, nothing.update, set(nothing.tail)) == (0, 0, {0})
        assert turned.distance == pytest.approx(0.5, abs=1e-6)
        assert turned.normalised == pytest.approx(0.25, abs=1e-6)
        assert (turned.tail_at(0.45), turned.tail_at(0.55)) == pytest.approx((1, 0))
        assert turned.update == pytest.approx(1, abs=1e-5), "the chord of 60 degrees"
        assert longer.distance == pytest.approx(0, abs=1e-9), "cosine is scale-blind"
        assert longer.update == pytest.approx(999, rel=1e-5), "and this is not"
        assert back.norm == pytest.approx(1000 * longer.norm, rel=1e-5)
        assert (back.distance, back.normalised, back.update) == pytest.approx((2, 1, 2), abs=1e-5)


def test_single_tokens_are_kept_on_request_and_average_to_the_rows():
    with Session(tiny_llava()) as session:
        found = session.profile(prompts(padded=True), rows={"audio": lambda i: i["input_ids"] == 7}, per_token=True)
        plain = session.profile(prompts(padded=True))
    table = found.token_frame
    assert list(table.columns) == ["layer", "sample", "position", "tokens", "distance"]
    assert len(table) == NUM_LAYERS * int(prompts(padded=True)["attention_mask"].sum()), "padding is left out"
    means = table.groupby(["layer", "tokens", "sample"]).distance.mean().groupby(["layer", "tokens"]).mean()
    for row in found.layers:
        assert means[row.layer, row.tokens] == pytest.approx(row.distance, abs=1e-6)
    assert [one.sample for one in found.per_token] == list(found.provenance.samples)
    assert RedundancyProfile.from_json(found.to_json()) == found
    assert found.normalised() == pytest.approx([d / 2 for d in found.distances()])
    with pytest.raises(SettingError, match=r"one measured by session.profile\(..., per_token=True\)"):
        plain.token_frame  # noqa: B018


def test_no_states_are_kept_however_many_layers_there_are():
    model = tiny_llava()
    anatomy, alive, most = anatomy_of(model), [], []

    def watch(_, __, out):
        alive.append(weakref.ref(out))
        most.append(sum(made() is not None for made in alive))

    with torch.inference_mode(), DistanceRecorder(anatomy).recording(prompts(padded=True)):
        hooks = [layer.register_forward_hook(watch) for layer in anatomy.layers]
        model(**prompts(padded=True))
    for hook in hooks:
        hook.remove()
    assert max(most) <= 2, "a layer's input and its output, and no earlier ones"


def test_rows_equal_those_computed_from_all_hidden_states_token_by_token():
    model, inputs = tiny_llava(), prompts(padded=True)
    rows = {(row.layer, row.tokens): row for row in recorded(model, inputs)}
    with torch.no_grad():
        states = model(**inputs, output_hidden_states=True).hidden_states
    kinds = token_kinds(inputs, anatomy_of(model))
    for layer in range(NUM_LAYERS - 1):  # the last entry of hidden_states is after the final norm
        distance = 1 - torch.cosine_similarity(states[layer].double(), states[layer + 1].double(), dim=-1)
        for kind, name in enumerate(("vision", "text", "first")):
            per_sample = [distance[b][kinds[kind, b]] for b in range(2)]
            row = rows[layer, name]
            means = torch.stack([d.mean() for d in per_sample])
            assert row.distance == pytest.approx(float(means.mean()), abs=1e-6)
            assert row.spread == pytest.approx(float(means.std()), abs=1e-6)
            for index in (100, 200, 250):
                share = sum(float((d > EPSILONS[index]).double().mean()) for d in per_sample) / 2
                assert row.tail[index] == pytest.approx(share, abs=1e-6)


def test_the_tail_falls_from_one_to_zero_and_obeys_markov():
    for row in recorded(tiny_llava(), prompts(padded=True)):
        assert list(row.tail) == sorted(row.tail, reverse=True)
        assert row.tail[-1] == 0
        for epsilon, tail in zip(EPSILONS, row.tail, strict=True):
            assert tail <= row.distance / epsilon + 1e-6
            assert row.distance <= epsilon + 2 * tail + 1e-6


def test_samples_weigh_the_same_whatever_their_length_and_their_batch():
    model = tiny_llava()
    both = prompts(padded=True)
    together = recorded(model, both)
    recorder = DistanceRecorder(anatomy_of(model))
    for index in range(2):
        one = {name: value[index : index + 1] for name, value in both.items()}
        with torch.no_grad(), recorder.recording(one):
            model(**one)
    for a, b in zip(together, recorder.rows(), strict=True):
        assert (a.layer, a.tokens) == (b.layer, b.tokens)
        assert a.distance == pytest.approx(b.distance, abs=1e-5)


def test_every_token_has_one_kind_and_padding_none():
    inputs = prompts(padded=True)
    kinds = token_kinds(inputs, anatomy_of(tiny_llava()))
    assert torch.equal(kinds.sum(0), inputs["attention_mask"])
    assert kinds[0].sum(1).tolist() == [16, 16]
    assert kinds[2].sum(1).tolist() == [1, 1]


def test_no_hook_stays_and_nothing_counts_when_the_pass_raises():
    model, inputs = tiny_llava(), prompts(padded=False)
    recorder = DistanceRecorder(anatomy_of(model))
    with pytest.raises(RuntimeError), recorder.recording(inputs):
        model(**inputs)
        raise RuntimeError
    assert recorder.rows() == ()
    assert all(not layer._forward_hooks for layer in model.model.language_model.layers)


def test_the_relative_spread_is_that_of_log_distances_less_the_samples_own_mean():
    model, inputs = tiny_llava(), prompts(padded=True)
    anatomy = anatomy_of(model)
    with torch.no_grad(), per_token_distances(anatomy) as found:
        model(**inputs)
    vision = token_kinds(inputs, anatomy)[0]
    logs = torch.stack([(layer * vision).sum(1) / 16 for layer in found]).double().log()  # [layer, sample]
    expected = (logs - logs.mean(0)).std(1)
    rows = [row for row in recorded(model, inputs) if row.tokens == "vision"]
    assert [row.relative_spread for row in rows] == pytest.approx(expected.tolist(), rel=1e-3)
    one = {name: value[:1] for name, value in inputs.items()}
    assert {row.relative_spread for row in recorded(model, one)} == {0}
