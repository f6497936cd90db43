"""Power: known numbers, inverses of each other, and what really happens in simulated runs."""

import numpy as np
import pytest

from skipit_nb.backend.evaluation.statistics import (
    Paired,
    mde,
    minimal_detectable_effect,
    noninferiority_power,
    power,
    questions_needed,
)
from skipit_nb.errors import SettingError
from tests.backend.evaluation import simulated


def test_a_point_at_five_percent_flips_needs_3917_questions():
    assert questions_needed(0.05, 1.0, 0.01) == 3917
    assert questions_needed(0.05, 1.3, 0.01) == pytest.approx(1.3 * 3917, abs=1)
    assert questions_needed(0.05, 1.0, -0.01) == 3917


@pytest.mark.parametrize(("psi", "n", "points"), [(0.05, 500, 2.8), (0.05, 3000, 1.1), (0.1, 1000, 2.8)])
def test_the_smallest_difference_found_is_known(psi, n, points):
    assert 100 * mde(psi, 1.0, n) == pytest.approx(points, abs=0.06)


@pytest.mark.parametrize("deff", [1.0, 1.6])
def test_power_mde_and_questions_are_inverses(deff):
    smallest = mde(0.05, deff, 1200)
    assert power(0.05, deff, 1200, smallest) == pytest.approx(0.8, abs=1e-4)
    assert questions_needed(0.05, deff, smallest) == pytest.approx(1200, abs=1)
    assert minimal_detectable_effect(35, 25, 1200, deff) == pytest.approx(smallest)


@pytest.mark.parametrize("deff", [1.0, 1.6])
@pytest.mark.parametrize("delta", [0.0, -0.004, 0.01])
def test_questions_for_not_worse_are_those_at_which_it_is_said_so_often(deff, delta):
    n = questions_needed(0.05, deff, delta, margin=0.02, power=0.9)
    assert noninferiority_power(0.05, deff, n, 0.02, delta) == pytest.approx(0.9, abs=5e-4)
    assert noninferiority_power(0.05, deff, n - 1, 0.02, delta) < 0.9


def test_no_difference_is_found_one_time_in_twenty():
    assert power(0.05, 1.0, 500, 0.0) == pytest.approx(0.05)
    assert noninferiority_power(0.05, 1.0, 500, 0.01, -0.01) == pytest.approx(0.025)


def test_predicted_power_is_what_simulated_runs_find():
    rng = np.random.default_rng(5)
    images, size, worse, better, fragile = 120, 5, 0.055, 0.02, 0.4
    found = [Paired.of(*simulated.scores(d), simulated.clusters(images, size)) for d in simulated.differences(
        rng, 1000, images, size, worse, better, fragile)]  # fmt: skip
    deff = float(np.mean([pair.mean.design_effect for pair in found]))
    hits = simulated.rate([pair.interval().high < 0 for pair in found])
    held = simulated.rate([pair.interval().low > -0.06 for pair in found])
    expected = power(worse + better, deff, images * size, better - worse)
    expected_held = noninferiority_power(worse + better, deff, images * size, 0.06, better - worse)
    simulated.tell(f"power {hits:.3f}, predicted {expected:.3f}; not worse {held:.3f}, predicted {expected_held:.3f}")
    assert hits == pytest.approx(expected, abs=0.05)
    assert held == pytest.approx(expected_held, abs=0.05)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: power(0.0, 1.0, 100, 0.0), "psi is 0.0"),
        (lambda: power(0.05, 0.0, 100, 0.01), "deff is 0.0"),
        (lambda: power(0.05, 1.0, 0, 0.01), "n is 0"),
        (lambda: power(0.05, 1.0, 100, -0.06), "delta is -0.06"),
        (lambda: questions_needed(0.05, 1.0, 0.0), "delta is 0.0"),
        (lambda: questions_needed(0.05, 1.0, -0.02, margin=0.02), "delta is -0.02, but should be above -margin, -0.02"),
        (lambda: questions_needed(0.05, 1.0, 0.01, power=1.0), "power is 1.0"),
    ],
)
def test_impossible_plans_are_refused(call, match):
    with pytest.raises(SettingError, match=match):
        call()
