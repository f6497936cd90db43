"""The checks on curves and accuracies made by hand: each passes, fails, and leaves undecided what it should."""

import math

import numpy as np
import pytest

from skipit_nb import SkipSet
from skipit_nb.backend.reproduction.checks import (
    Unable,
    distance_check,
    distance_contrast,
    flow_check,
    middle_check,
    parts,
    predicted_check,
    ranking_check,
)
from skipit_nb.backend.reproduction.curves import Curves
from skipit_nb.results import AgreementRow, BandAccuracy

DEPTH = 8
HUMP = [0.1, 0.1, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2]
MARGIN = 0.02


def curves(distance=HUMP, var=HUMP, noise=0.01, draws=400):
    rng = np.random.default_rng(0)
    distance, var = np.array(distance, float), np.array(var, float)
    shaken = (curve * np.exp(noise * rng.standard_normal((draws, len(curve)))) for curve in (distance, var))
    return Curves(distance, var, np.full(len(var), 0.8), *shaken)


def arm(delta, low, high):
    band = SkipSet.absent(range(2), num_layers=DEPTH)
    return BandAccuracy("predicted", band, 0.9 + delta, 0.8, 1.0, delta, low, high, 3, 1, None, 0.5)


def ranking(rho, low, high, p, sets=9):
    return AgreementRow("vision absent, 2 layers", "accuracy", "both", sets, rho, low, high, 0.6, p)


def test_the_outer_quarters_are_rounded_down_and_have_a_layer_at_least():
    assert [[range(depth)[part] for part in parts(depth)] for depth in (12, 3)] == [
        [range(3), range(3, 9), range(9, 12)],
        [range(1), range(1, 2), range(2, 3)],
    ]


def test_the_middle_is_held_against_the_larger_end():
    assert distance_contrast(np.array(HUMP)) == pytest.approx(2.0)
    assert distance_contrast(np.array([0.2, 0.2, *[0.4] * 4, 0.1, 0.1])) == pytest.approx(2.0)
    assert distance_contrast(np.array([0.1, 0.9, *[0.3] * 4, 0.01, 0.01])) == pytest.approx(1.0), "geometric means"


def test_a_hump_of_distance_passes_and_says_the_numbers():
    check = distance_check(curves())
    assert check.passed is True
    assert check.low < check.value < check.high
    assert (
        "middle half turns vision tokens by 0.4 (1 - cos), of the first quarter by 0.1, of the last by 0.2" in check.why
    )


@pytest.mark.parametrize("distance", [[0.4, 0.4, *[0.1] * 4, 0.4, 0.4], [0.1, 0.1, *[0.2] * 4, 0.4, 0.4]])
def test_a_distance_that_is_not_lowest_at_both_ends_fails(distance):
    assert distance_check(curves(distance)).passed is False


def test_layers_that_do_nothing_have_a_contrast_too():
    assert distance_check(curves([0.0, 0.0, *[0.1] * 4, 0.0, 0.0])).passed is True
    assert distance_check(curves([0.0] * DEPTH)).value == 1.0


def test_images_that_differ_widely_decide_nothing():
    assert distance_check(curves(noise=2.0)).passed is None
    assert flow_check(curves(var=[0.3, 0.3, 0.31, 0.3, 0.3, 0.3, 0.3, 0.3], noise=0.5), 0).passed is None


def test_too_few_images_or_layers_decide_nothing():
    check = distance_check(curves(draws=0))
    assert (check.passed, check.low, check.high) == (None, None, None)
    assert "too few images" in check.why
    assert (distance_check(curves([0.1, 0.2], [0.1, 0.2])).value, flow_check(curves([1, 2], [1, 2]), 0).value) == (
        None,
        None,
    )


def test_flow_that_peaks_in_the_middle_passes_and_one_that_falls_fails():
    passed = flow_check(curves(var=[0.1, 0.1, 0.2, 0.5, 0.2, 0.2, 0.1, 0.1]), 0)
    assert (passed.passed, passed.value) == (True, pytest.approx(0.4))
    assert "0.500 in the middle half (layer 3) and 0.100 in the outer quarters" in passed.why
    assert flow_check(curves(var=[0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]), 0).passed is False
    assert flow_check(curves(var=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]), 0).passed is False


def test_only_the_first_layers_that_are_excepted_may_be_higher():
    var = [0.9, 0.9, 0.2, 0.5, 0.2, 0.2, 0.1, 0.1]
    assert flow_check(curves(var=var), 2).passed is True
    assert "layers 0 to 1 are left out" in flow_check(curves(var=var), 2).why
    assert flow_check(curves(var=var), 1).passed is False


def test_layers_without_flow_are_no_peak():
    nan = math.nan
    assert flow_check(curves(var=[nan, 0.1, nan, 0.5, nan, 0.2, 0.1, nan]), 0).value == pytest.approx(0.4)
    assert flow_check(curves(var=[nan] * DEPTH), 0).passed is None


@pytest.mark.parametrize(
    ("delta", "low", "high", "kept", "hurts"),
    [
        (-0.005, -0.015, 0.005, True, False),
        (-0.3, -0.35, -0.25, False, True),
        (-0.02, -0.04, 0.01, None, None),
        (0.03, 0.01, 0.05, True, False),
    ],
)
def test_what_is_kept_does_not_hurt_by_one_and_the_same_margin(delta, low, high, kept, hurts):
    assert predicted_check(arm(delta, low, high), MARGIN).passed is kept
    assert middle_check(arm(delta, low, high), MARGIN).passed is hurts


def test_accuracy_is_told_in_points_and_a_loss_is_positive():
    check = middle_check(arm(-0.3, -0.35, -0.25), MARGIN, "Two are shared.")
    assert (check.value, check.low, check.high, check.threshold) == (0.3, 0.25, 0.35, MARGIN)
    assert "60.0% under 'vision absent 0-1', -30.0 points [-35.0, -25.0] against the full model" in check.why
    assert check.why.endswith("Two are shared.")


def test_where_nothing_was_predicted_the_check_fails_and_says_so():
    unable = Unable("Nothing is predicted (layer 0: it moves).", passed=False)
    for check in (predicted_check(unable, MARGIN), middle_check(unable, MARGIN)):
        assert (check.passed, check.value, check.why) == (False, None, unable.why)


@pytest.mark.parametrize(
    ("row", "passed"),
    [
        (ranking(0.8, 0.5, 0.9, 0.01), True),
        (ranking(0.8, 0.5, 0.9, 0.2), None),
        (ranking(-0.6, -0.8, -0.3, 0.95), False),
        (ranking(0.2, -0.3, 0.6, 0.01), None),
        (ranking(0.8, 0.5, 0.9, 0.01, sets=4), None),
        (ranking(None, None, None, None), None),
        (Unable("Too little to lose."), None),
    ],
)
def test_a_ranking_needs_an_interval_above_zero_and_a_small_p(row, passed):
    assert ranking_check(row).passed is passed
