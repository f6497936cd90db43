"""From what was measured to numbers: costs by hand, planted correlations, and silence where little happened."""

import numpy as np
import pytest

from skipit_nb import SkipSet
from skipit_nb.backend.robustness.conditions import Perturbation
from skipit_nb.backend.robustness.report import Measured, lone_layer, report
from skipit_nb.results import Provenance, Robustness

DEPTH, QUESTIONS = 4, 40
FULL = SkipSet.none(num_layers=DEPTH)
ARMS = [FULL, *(SkipSet.absent(layer, num_layers=DEPTH) for layer in range(DEPTH))]
MADE = Provenance("planted", "", DEPTH, "float32", "cpu", "sdpa", task="own", samples=("a", "b"), seed=0)
CLUSTERS = [f"image-{i // 2}" for i in range(QUESTIONS)]
NOISE = Perturbation("noise", 0.1)


def planted(lost=20):
    """Clean: all right. Noise: the full model loses the `lost` questions that layer 1 turns the furthest, and layer 2
    the least; skipping layer l loses l more of the others. Distances double.
    """
    order = np.arange(QUESTIONS) / QUESTIONS
    far = 0.1 * np.arange(DEPTH)[None] + np.zeros((QUESTIONS, 1))
    far[:, 1] += 0.01 * order
    far[:, 2] -= 0.01 * order
    clean = Measured(Perturbation(), np.ones((QUESTIONS, 5)), np.zeros((QUESTIONS, 5)), far)
    right = np.ones((QUESTIONS, 5))
    right[QUESTIONS - lost :] = 0
    for layer in range(DEPTH):
        right[:layer, 1 + layer] = 0
    return clean, Measured(NOISE, right, np.log(0.5 + 0.5 * right), 2 * far)


@pytest.fixture(scope="module")
def found():
    return report(MADE, ARMS, CLUSTERS, planted())


def test_costs_are_counted_against_the_same_arm_on_clean_images(found):
    clean, *_ = found.rows
    full, *others = [row for row in found.rows if row.perturbation == "noise"]
    assert (clean.perturbation, clean.severity, clean.accuracy, clean.delta) == ("clean", 0.0, 1.0, 0.0)
    assert (full.accuracy, full.delta, full.worse, full.better, full.extra) == (0.5, -0.5, 20, 0, 0.0)
    assert full.low < -0.5 < full.high < 0
    assert [row.extra for row in others] == pytest.approx([0, 1 / 40, 2 / 40, 3 / 40])
    assert [row.worse for row in others] == [20, 21, 22, 23]
    assert full.log_likelihood == pytest.approx(np.log(0.5) / 2)
    assert all(row.delta == row.low == row.high == 0 for row in found.rows if row.perturbation == "clean")


def test_a_layer_that_turns_lost_questions_further_has_a_positive_correlation(found):
    rows = {row.layer: row for row in found.by_layer if row.skipset.is_empty and row.outcome == "accuracy"}
    perfect = 3**0.5 / 2  # half lost, half kept, the distances all different: the most that ties allow
    assert rows[1].rho == pytest.approx(perfect, abs=1e-3)
    assert 0.5 < rows[1].low < rows[1].rho < rows[1].high <= 1
    assert rows[2].rho == pytest.approx(-perfect, abs=1e-3)
    assert rows[1].changed == 20
    assert (rows[0].rho, rows[0].low, rows[0].high) == (None, None, None), "all questions are turned as far"


def test_every_layer_is_correlated_with_the_full_model_and_with_its_own_set_for_both_outcomes(found):
    table = found.correlations
    assert len(table) == DEPTH * 2 * 2
    assert set(table.skipset) == {"none", *(f"vision absent {layer}" for layer in range(DEPTH))}
    assert all(row.skipset.is_empty or row.skipset.layers("absent") == (row.layer,) for row in found.by_layer)
    own = [row for row in found.by_layer if row.layer == 1 and row.outcome == "accuracy"]
    assert own[1].changed == 21
    assert own[1].rho < own[0].rho


def test_a_perturbation_that_changes_few_answers_gets_no_interval():
    rows = report(MADE, ARMS, CLUSTERS, planted(lost=9)).by_layer
    row = next(row for row in rows if row.layer == 1 and row.outcome == "accuracy" and row.skipset.is_empty)
    assert row.rho > 0
    assert (row.low, row.high, row.changed) == (None, None, 9)


def test_across_layers_the_order_is_kept_and_the_extra_cost_foretold(found):
    (order,) = found.orders
    assert (order.perturbation, order.severity, order.family) == ("noise", 0.1, "vision absent")
    assert (order.kept, order.kept_low, order.kept_high) == pytest.approx((1, 1, 1))
    assert order.rho == pytest.approx(1.0)
    assert (order.low, order.high) == (None, None), "three questions cost more: too few to say"


def test_across_layers_there_is_an_interval_where_many_questions_cost_more():
    clean, noisy = planted()
    for layer in range(DEPTH):
        noisy.right[: 5 * layer, 1 + layer] = 0
    (order,) = report(MADE, ARMS, CLUSTERS, [clean, noisy]).orders
    assert order.rho == pytest.approx(1.0)
    assert -1 <= order.low <= order.rho <= order.high + 1e-12


def test_distances_that_come_in_reverse_order_are_reported_as_such():
    clean, noisy = planted()
    reverse = Measured(NOISE, noisy.right, noisy.likely, clean.distance[:, ::-1])
    result = report(MADE, ARMS, CLUSTERS, [clean, reverse])
    assert result.orders[0].kept == pytest.approx(-1)
    assert result.distances("noise", 0.1) == pytest.approx(result.distances()[::-1])
    assert result.layers[1].spread == pytest.approx(clean.distance[:, 1].std(ddof=1))


def test_sets_of_several_layers_are_in_no_family():
    arms = [FULL, SkipSet.early_exit(2, num_layers=DEPTH), SkipSet.whole(1, num_layers=DEPTH)]
    clean, noisy = planted()
    few = [Measured(one.condition, one.right[:, :3], one.likely[:, :3], one.distance) for one in (clean, noisy)]
    result = report(MADE, arms, CLUSTERS, few)
    assert [(order.family, order.rho) for order in result.orders] == [("", None)]
    assert {str(row.skipset) for row in result.by_layer} == {"none", "whole 1"}


@pytest.mark.parametrize(
    ("text", "found"),
    [("vision absent 3", ("vision absent", 3)), ("whole 0", ("whole", 0)), ("none", None), ("whole 1-2", None),
     ("vision absent 2; text frozen 2", ("whole", 2)), ("vision frozen 1; whole 2", None)],
)  # fmt: skip
def test_a_set_that_does_one_thing_at_one_layer_is_known(text, found):
    assert lone_layer(SkipSet.parse(text, num_layers=DEPTH)) == found


def test_a_set_that_does_two_things_at_one_layer_is_in_no_family():
    both = SkipSet.absent(2, num_layers=DEPTH) | SkipSet.attn(2, num_layers=DEPTH)
    assert ";" in str(both)
    assert lone_layer(both) is None


def test_a_log_likelihood_that_cannot_be_had_is_none():
    clean, noisy = planted()
    noisy.likely[3, 0] = np.nan
    result = report(MADE, ARMS, CLUSTERS, [clean, noisy])
    assert result.rows[5].log_likelihood is None
    assert {row.rho for row in result.by_layer if row.outcome == "log_likelihood" and row.skipset.is_empty} == {None}
    assert Robustness.from_json(result.to_json()) == result


def test_it_reads_back_equal_and_says_what_was_tried(found):
    assert Robustness.from_json(found.to_json()) == found
    assert found.perturbations == {"noise": (0.1,)}
    assert found.skipsets == tuple(ARMS)
    assert found.attack == ""
    assert repr(found) == "Robustness(planted, own, 2 questions, noise, 4 skip sets, clean accuracy 1.000)"
    assert len(found.frame) == 2 * 5
    assert len(found.distance_frame) == 2 * DEPTH
    assert found.order_frame.kept.tolist() == [1.0]
