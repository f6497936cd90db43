"""The paper's rule on profiles made by hand."""

import math
from dataclasses import replace

import pytest

from skipit_nb.backend.selection.conditions import of_model, priced, recommend
from skipit_nb.cost import ModelShape, cost
from skipit_nb.errors import LayerCountError, SettingError
from skipit_nb.results import EPSILONS, LayerDistance, LayerFlow, Provenance, RedundancyProfile


def a_profile(distances, flows):
    made = Provenance("hand", "", len(distances), "float32", "cpu", "sdpa")
    rows = tuple(
        LayerDistance(i, "vision", d, 0.0, tuple(float(d > e) for e in EPSILONS), 1.0, 0.0)
        for i, d in enumerate(distances)
    )
    return RedundancyProfile(made, rows, tuple(LayerFlow(i, v, 0.0, 0.8) for i, v in enumerate(flows)))


def test_both_ends_are_proposed_where_both_conditions_hold():
    profile = a_profile([0.01, 0.01, 0.3, 0.3, 0.01, 0.01], [0.02, 0.02, 0.5, 0.5, 0.01, 0.01])
    advice = recommend(profile, max_distance=0.05, max_var=0.1)
    assert str(advice.skipset) == "vision absent 0-1+4-5"
    assert [reason.action for reason in advice.reasons] == ["absent"] * 2 + ["run"] * 2 + ["absent"] * 2


def test_redundancy_alone_is_not_enough():
    advice = recommend(a_profile([0.01] * 4 + [0.3] * 2, [0.5] * 6), max_distance=0.05, max_var=0.1)
    assert advice.skipset.is_empty
    assert advice.reasons[0].why == "redundant (d 0.01 ≤ 0.05), but flow is high (VAR 0.5 > 0.1)"


def test_it_says_which_layer_is_in_the_way_of_each_end_and_by_how_much():
    profile = a_profile([0.3, 0.01, 0.3, 0.01], [0.5, 0.0, 0.5, 0.0])
    advice = recommend(profile, max_distance=0.05, epsilon=0.02, max_tail=0.5, max_var=0.1)
    words = "not redundant (d 0.3 > 0.05, P[d > 0.02] 1 > 0.5), and flow is high (VAR 0.5 > 0.1)"
    entry, leave = f"No late entry: layer 0 is {words}.", f"Early exit before layer 3, not earlier: layer 2 is {words}."
    assert advice.why == f"{entry} {leave}"
    assert ".why" not in repr(advice)
    lone = recommend(a_profile([0.01] * 4, [0.0] * 4), max_distance=0.05)
    assert lone.why.startswith("No late entry, and early exit before layer 1, not earlier: layer 0 is redundant")
    none = recommend(a_profile([0.3] * 3, [0.0] * 3), max_distance=0.05, epsilon=0.02, max_tail=0.5)
    assert none.why.startswith("No late entry: layer 0 is not redundant (d 0.3 > 0.05")
    assert "No early exit: layer 2 is not redundant" in none.why
    assert repr(none).endswith("; .why names the layers in the way)")


def test_a_layer_that_more_images_might_settle_is_told_from_one_that_they_would_not():
    """Distances vary by half, and 4 images are few: the last layer is below the typical one, but not clearly."""
    advice = recommend(many(a_profile([0.5, 0.03, 0.02, 0.045], [0.0] * 4), images=4))
    assert "below the typical layer's 0.0606, but not clearly from 4 images)" in advice.why
    assert "P[d > 0.061] 0 where 0 would not do" in advice.reasons[3].why, "of 4 images none beyond ε is likely"
    assert "typical" not in advice.reasons[0].why
    assert advice.skipset.is_empty
    assert not recommend(many(a_profile([0.5, 0.03, 0.02, 0.045], [0.0] * 4), images=400)).skipset.is_empty


def test_low_flow_alone_is_not_enough():
    advice = recommend(a_profile([0.3] * 6, [0.0] * 6), max_distance=0.05, epsilon=0.02, max_tail=0.5)
    assert advice.skipset.is_empty
    why = "not redundant (d 0.3 > 0.05, P[d > 0.02] 1 > 0.5), but flow is low (VAR 0 ≤ 0.8)"
    assert {reason.why for reason in advice.reasons} == {why}


def test_a_good_layer_between_bad_ones_is_not_proposed():
    advice = recommend(a_profile([0.3, 0.01, 0.3], [0.5, 0.0, 0.5]), max_distance=0.05, max_var=0.1)
    assert advice.skipset.is_empty
    assert advice.reasons[1].why.endswith("(VAR 0 ≤ 0.1); it lies between layers that do not meet both")


def test_nothing_is_proposed_where_flow_was_not_measured():
    advice = recommend(a_profile([0.01] * 4, []), max_distance=0.05)
    assert advice.skipset.is_empty
    assert {reason.var for reason in advice.reasons} == {None}
    assert "was not measured" in advice.reasons[0].why


def test_one_layer_at_least_keeps_its_vision_tokens():
    advice = recommend(a_profile([0.01] * 4, [0.0] * 4), max_distance=0.05)
    assert str(advice.skipset) == "vision absent 1-3"
    assert advice.reasons[0].why.endswith("; one layer at least keeps the vision tokens")
    assert advice.reasons[1].why == "redundant (d 0.01 ≤ 0.05), and flow is low (VAR 0 ≤ 0.8)"


def test_the_tail_alone_can_make_a_layer_redundant():
    advice = recommend(a_profile([0.3, 0.04], [0.5, 0.0]), max_distance=0.001, epsilon=0.05, max_tail=0.1, max_var=0.1)
    assert str(advice.skipset) == "vision absent 1"
    assert advice.reasons[1].why == "redundant (P[d > 0.05] 0 ≤ 0.1), and flow is low (VAR 0 ≤ 0.1)"


def many(profile, images=400):
    """The same profile, of many images, with distances that vary by half and chance at half of the weights."""
    flow = tuple(replace(row, chance=0.5, chance_spread=0.2) for row in profile.flow)
    layers = tuple(replace(row, relative_spread=0.5) for row in profile.layers)
    return replace(profile, images=images, flow=flow, layers=layers)


def test_by_default_redundant_is_below_the_typical_layer_and_low_flow_below_chance_each_beyond_chance():
    advice = recommend(many(a_profile([0.16, 0.014, 0.01, 0.01], [0.1, 0.7, 0.497, 0.4])))
    typical = (0.16 * 0.014 * 0.01 * 0.01) ** 0.25
    assert advice.max_distance == pytest.approx(typical * math.exp(-1.645 * 0.5 / 20), rel=1e-3)
    assert advice.epsilon == pytest.approx(typical)
    assert (advice.max_var, advice.level) == (None, 0.05)
    assert advice.max_vars == (pytest.approx(0.5 - 1.645 * 0.2 / 20, abs=1e-4),) * 4
    assert [reason.is_redundant for reason in advice.reasons] == [False, True, True, True]
    assert [reason.is_flow_low for reason in advice.reasons] == [True, False, False, True]
    assert str(advice.skipset) == "vision absent 3"


def test_few_images_prove_nothing_and_a_higher_level_asks_for_less_proof():
    profile = a_profile([0.10, 0.015, 0.013, 0.013], [0.4] * 4)
    tails = tuple(replace(row, tail=(0.5,) * len(EPSILONS)) for row in profile.layers)
    profile = replace(profile, layers=tails)
    assert recommend(many(profile, images=2)).skipset.is_empty
    strict, lax = (recommend(many(profile, images=8), level=level) for level in (0.01, 0.4))
    assert strict.max_distance < lax.max_distance
    assert strict.max_vars < lax.max_vars
    assert strict.skipset.is_empty
    assert str(lax.skipset) == "vision absent 1-3"


def test_where_all_layers_turn_alike_none_is_redundant_beyond_chance():
    rows = [0.1 + 1e-3 * (i % 2) for i in range(8)]
    profile = many(a_profile(rows, [0.1] * 8))
    layers = tuple(replace(row, tail=(0.5,) * len(EPSILONS)) for row in profile.layers)
    advice = recommend(replace(profile, layers=layers))
    assert not any(reason.is_redundant for reason in advice.reasons)


def test_a_flow_of_an_earlier_version_is_low_below_the_flat_share():
    advice = recommend(a_profile([0.1, 0.001, 0.001], [0.9, 0.9, 0.7]), max_distance=0.01)
    assert advice.max_vars == (0.8,) * 3
    assert str(advice.skipset) == "vision absent 2"


def test_a_price_is_that_of_the_set_by_arithmetic():
    shape = ModelShape(6, d_model=32, d_ff=64, num_heads=4, num_kv_heads=4, head_dim=8, vocab=50, num_vision=16)
    advice = recommend(a_profile([0.3] * 3 + [0.01] * 3, [0.0] * 6), max_distance=0.05)
    assert advice.flops_ratio is None
    found = priced(advice, shape)
    full, less = (cost(shape, s, num_vision=16, num_text=16).flops_prefill for s in ("none", "vision absent 3-"))
    assert found.flops_ratio == pytest.approx(full / less)
    saves = f"prefill FLOPs / {full / less:.2f} (predicted for a usual prompt)"
    assert repr(found) == f"Recommendation('vision absent 3-5', 6 layers, {saves})"
    assert replace(found, flops_ratio=None) == advice


def test_the_table_has_a_row_a_layer_and_reads_back():
    advice = recommend(a_profile([0.01, 0.3], [0.0, 0.5]))
    assert list(advice.frame.layer) == [0, 1]
    assert type(advice).from_json(advice.to_json()) == advice


@pytest.mark.parametrize("threshold", [{"max_var": -0.1}, {"max_var": 2}, {"max_tail": 1.5}, {"max_distance": 3},
                                       {"epsilon": 0}, {"level": 0}, {"level": 1}])  # fmt: skip
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(SettingError, match=f"{next(iter(threshold))} is"):
        recommend(a_profile([0.1, 0.2], [0.1, 0.2]), **threshold)


def test_a_profile_of_another_model_is_refused():
    with pytest.raises(LayerCountError, match="this profile was made for 2 layers, but 12"):
        of_model(a_profile([0.1, 0.2], [0.1, 0.2]), 12)
