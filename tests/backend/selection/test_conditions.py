"""The paper's rule on profiles made by hand."""

import pytest

from skipit_nb.backend.selection.conditions import of_model, recommend
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
    advice = recommend(a_profile([0.01, 0.01, 0.3, 0.3, 0.01, 0.01], [0.02, 0.02, 0.5, 0.5, 0.01, 0.01]), max_var=0.1)
    assert str(advice.skipset) == "vision absent 0-1+4-5"
    assert [reason.action for reason in advice.reasons] == ["absent"] * 2 + ["run"] * 2 + ["absent"] * 2


def test_redundancy_alone_is_not_enough():
    advice = recommend(a_profile([0.01] * 4 + [0.3] * 2, [0.5] * 6), max_distance=0.05, max_var=0.1)
    assert advice.skipset.is_empty
    assert advice.reasons[0].why == "redundant, but flow is high"


def test_low_flow_alone_is_not_enough():
    advice = recommend(a_profile([0.3] * 6, [0.0] * 6), max_distance=0.05)
    assert advice.skipset.is_empty
    assert "the vision tokens still move" in advice.reasons[0].why


def test_a_good_layer_between_bad_ones_is_not_proposed():
    advice = recommend(a_profile([0.3, 0.01, 0.3], [0.5, 0.0, 0.5]), max_distance=0.05, max_var=0.1)
    assert advice.skipset.is_empty
    assert advice.reasons[1].why == "meets both, but lies between layers that do not"


def test_nothing_is_proposed_where_flow_was_not_measured():
    advice = recommend(a_profile([0.01] * 4, []), max_distance=0.05)
    assert advice.skipset.is_empty
    assert {reason.var for reason in advice.reasons} == {None}
    assert "was not measured" in advice.reasons[0].why


def test_one_layer_at_least_keeps_its_vision_tokens():
    advice = recommend(a_profile([0.01] * 4, [0.0] * 4), max_distance=0.05)
    assert str(advice.skipset) == "vision absent 1-3"


def test_the_tail_alone_can_make_a_layer_redundant():
    advice = recommend(a_profile([0.3, 0.04], [0.5, 0.0]), max_distance=0.001, epsilon=0.05, max_tail=0.1, max_var=0.1)
    assert str(advice.skipset) == "vision absent 1"


def test_by_default_redundant_is_below_the_typical_layer_and_low_flow_below_the_flat_share():
    advice = recommend(a_profile([0.1, 0.001, 0.001], [0.9, 0.9, 0.7]))
    assert advice.max_distance == pytest.approx((0.1 * 0.001 * 0.001) ** (1 / 3))
    assert advice.max_var == pytest.approx(0.8)
    assert str(advice.skipset) == "vision absent 2"


def test_the_table_has_a_row_a_layer_and_reads_back():
    advice = recommend(a_profile([0.01, 0.3], [0.0, 0.5]))
    assert list(advice.frame.layer) == [0, 1]
    assert type(advice).from_json(advice.to_json()) == advice


@pytest.mark.parametrize("threshold", [{"max_var": -0.1}, {"max_var": 2}, {"max_tail": 1.5}, {"max_distance": 3},
                                       {"epsilon": 0}])  # fmt: skip
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(SettingError, match=f"{next(iter(threshold))} is"):
        recommend(a_profile([0.1, 0.2], [0.1, 0.2]), **threshold)


def test_a_profile_of_another_model_is_refused():
    with pytest.raises(LayerCountError, match="this profile was made for 2 layers, but 12"):
        of_model(a_profile([0.1, 0.2], [0.1, 0.2]), 12)
