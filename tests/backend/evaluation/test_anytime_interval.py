"""The interval of a run under way: exact for single questions, honest for images, and it stops where it should."""

import math

import numpy as np
import pytest

from skipit_nb.backend.evaluation.statistics import Paired, anytime_interval, log_evidence_above, log_evidence_below
from skipit_nb.backend.evaluation.statistics.anytime_interval import log_wealth, questions_as_one
from tests.backend.evaluation import simulated

LOOK = 128


def test_for_single_questions_it_is_where_the_e_process_has_evidence_enough():
    d = np.random.default_rng(1).choice([-1.0, 0, 1], 400, p=[0.05, 0.9, 0.05])
    found = anytime_interval(*simulated.scores(d), simulated.clusters(400, 1))
    assert found.value == pytest.approx(d.mean())
    assert log_evidence_above(d, np.ones(400), found.low, 1)[-1] == pytest.approx(math.log(40), abs=1e-4)
    assert log_evidence_below(d, np.ones(400), found.high, 1)[-1] == pytest.approx(math.log(40), abs=1e-4)
    assert "anytime" in found.method


@pytest.mark.parametrize("d", [[0.0], [-1.0], [1.0], [0.0] * 5, [-1.0] * 400, [1.0] * 400, [0.5, -0.25]])
def test_it_stays_on_the_scale_at_the_edges(d):
    for clusters in (simulated.clusters(len(d), 1), ["one"] * len(d)):
        found = anytime_interval(*np.clip([np.negative(d), d], 0, 1), clusters)
        assert -1 <= found.low <= found.value <= found.high <= 1
        assert found.low < found.high


def test_without_flips_images_count_and_not_their_questions():
    def low(images, size):
        zeros = np.zeros(images * size)
        return anytime_interval(zeros, zeros, simulated.clusters(images, size)).low

    assert low(300, 1) == pytest.approx(low(300, 10))
    assert low(100, 1) < low(1000, 1) < 0
    assert low(1000, 1) > -0.01
    assert questions_as_one(np.zeros(12), ["a"] * 9 + ["b"] * 3) == pytest.approx((81 + 9) / 12)


def test_it_is_wider_than_an_interval_at_a_fixed_number_but_not_by_far():
    d = simulated.differences(np.random.default_rng(2), 20, 300, 6, 0.05, 0.05, 0.5)
    images = simulated.clusters(300, 6)
    found = [(anytime_interval(*simulated.scores(run), images), Paired.of(*simulated.scores(run), images).interval())
             for run in d]  # fmt: skip
    ratios = [(any_.high - any_.low) / (fixed.high - fixed.low) for any_, fixed in found]
    simulated.tell(f"anytime / fixed width: {np.mean(ratios):.2f}")
    assert 1.3 < np.mean(ratios) < 2


def is_missed(d, clusters, truth):
    """Whether the truth is outside: the bettor on one side of it has won enough."""
    each = questions_as_one(d, clusters)
    worse, rest, better = ((d == value).sum() / each for value in (-1, 0, 1))
    above, below = log_wealth(worse, rest, better, truth), log_wealth(better, rest, worse, -truth)
    return max(above, below) >= math.log(40)


def missed(repeats, images, size, worse, better, fragile, seed):
    """Share of runs whose interval is without the truth at some look."""
    rng, clusters, truth = np.random.default_rng(seed), simulated.clusters(images, size), better - worse
    looks = range(math.ceil(LOOK / size) * size, images * size + 1, math.ceil(LOOK / size) * size)
    runs = simulated.differences(rng, repeats, images, size, worse, better, fragile)
    bad = simulated.rate([any(is_missed(run[:n], clusters[:n], truth) for n in looks) for run in runs])
    simulated.tell(f"{images} images of {size}, flips {worse} and {better} on {fragile:.0%} of them: misses {bad:.4f}")
    return bad


def test_an_interval_is_without_the_truth_where_the_bettor_has_won_enough():
    images = simulated.clusters(100, 5)
    for run in simulated.differences(np.random.default_rng(6), 50, 100, 5, 0.06, 0.03, 0.3):
        found = anytime_interval(*simulated.scores(run), images)
        for truth in (-0.08, -0.03, 0.01, 0.04):
            assert is_missed(run, images, truth) == (not found.low <= truth <= found.high)


def test_it_misses_the_truth_at_some_look_less_than_one_time_in_twenty():
    assert missed(2000, 100, 5, 0.06, 0.03, 0.3, seed=3) <= 0.05


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "size", "worse", "better", "fragile"),
    [
        (1000, 1, 0.025, 0.025, 1),
        (200, 10, 0.15, 0.15, 0.5),
        (400, 10, 0.03, 0.01, 0.1),
        (400, 10, 0.02, 0.0, 0.05),
        (100, 50, 0.05, 0.05, 0.3),
        (400, 10, 0.03, 0.01, 0.05),
        (400, 10, 0.3, 0.2, 0.6),
    ],
)
def test_it_misses_rarely_however_images_hang_together(images, size, worse, better, fragile):
    assert missed(2000, images, size, worse, better, fragile, seed=4) <= 0.05
