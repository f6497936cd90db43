"""Rank correlation with an interval: scipy's numbers, ties, and intervals that hold the truth."""

import numpy as np
import pytest
from scipy import stats

from skipit_nb.backend.robustness.ranks import Resampling, midranks


def spearman(x, y):
    return float(stats.spearmanr(x, y).statistic)


def alone(count):
    return [f"image-{i}" for i in range(count)]


def test_midranks_count_half_of_those_that_tie():
    values = np.array([10.0, 30.0, 20.0, 20.0])
    weights = np.array([[1, 1, 1, 1], [2, 0, 1, 1], [0, 3, 1, 0]])
    assert (midranks(values, weights)[0] + 0.5).tolist() == stats.rankdata(values).tolist()
    assert midranks(values, weights)[1].tolist() == [1.0, 4.0, 3.0, 3.0]
    assert midranks(values, weights)[2, 1:].tolist() == [2.5, 0.5, 0.5]


def test_the_estimate_is_scipys_also_with_ties():
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=50), draw.integers(-1, 2, 50).astype(float)
    resampling = Resampling(alone(50), seed=0)
    found = resampling.correlation(resampling.scores(x), resampling.scores(y))
    assert found.rho == pytest.approx(spearman(x, y), abs=1e-12)
    assert found.low < found.rho < found.high


def test_every_draw_ranks_the_questions_anew():
    draw = np.random.default_rng(1)
    x, y = draw.normal(size=30), draw.integers(0, 2, 30).astype(float)
    resampling = Resampling([f"image-{i // 3}" for i in range(30)], seed=2)
    products = (resampling.scores(x) * resampling.scores(y)).sum(1)
    for number in (1, 2, 500):
        times = resampling.weights[number].astype(int)
        assert products[number] == pytest.approx(spearman(np.repeat(x, times), np.repeat(y, times)), abs=1e-9)


def test_questions_about_one_image_are_drawn_together():
    weights = Resampling(["a", "a", "b", "c", "c", "c"], seed=0).weights
    assert (weights[0] == 1).all()
    assert (weights[:, 0] == weights[:, 1]).all()
    assert (weights[:, 3] == weights[:, 5]).all()
    assert set(weights[:, [0, 2, 3]].sum(1)) == {3.0}, "as many images as there are"


def test_a_perfect_order_is_one_and_its_reverse_minus_one():
    x = np.arange(20.0)
    resampling = Resampling(alone(20), seed=0)
    for y, rho in ((x**3, 1), (-x, -1)):
        found = resampling.correlation(resampling.scores(x), resampling.scores(y))
        assert (found.rho, found.low, found.high) == pytest.approx((rho, rho, rho))


@pytest.mark.parametrize("values", [np.zeros(10), np.array([np.nan, *range(9)])], ids=["equal", "unknown"])
def test_nothing_is_said_of_values_that_do_not_vary_or_are_not_known(values):
    resampling = Resampling(alone(10), seed=0)
    found = resampling.correlation(resampling.scores(values), resampling.scores(np.arange(10.0)))
    assert (found.rho, found.low, found.high) == (None, None, None)


def test_one_image_has_no_interval():
    x = np.arange(10.0)
    resampling = Resampling(["image"] * 10, seed=0)
    found = resampling.correlation(resampling.scores(x), resampling.scores(x**2))
    assert (found.rho, found.low, found.high) == (pytest.approx(1), None, None)


def test_across_layers_the_means_are_ranked():
    draw = np.random.default_rng(0)
    x = np.array([0.1, 0.2, 0.3, 0.4]) + draw.normal(scale=0.001, size=(25, 4))
    y = np.array([1.0, 3.0, 2.0, 4.0]) + draw.normal(scale=0.001, size=(25, 4))
    found = Resampling(alone(25), seed=0).across_layers(x, y)
    assert (found.rho, found.low, found.high) == pytest.approx((0.8, 0.8, 0.8))


def questions_of(images, draw, each=4):
    """Two things that questions about one image share in part: a distance, and whether an answer is lost."""
    shared, own = draw.normal(size=(2, images, 1)), draw.normal(size=(2, images, each))
    x = shared[0] + own[0]
    lost = (0.6 * shared[0] + 0.9 * shared[1] + own[1]) > 1
    return x.ravel(), lost.ravel().astype(float)


@pytest.mark.parametrize("repeats", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_the_interval_holds_the_truth_in_nineteen_of_twenty_measurements(repeats):
    draw = np.random.default_rng(0)
    truth = spearman(*questions_of(50_000, draw))
    assert 0.1 < truth < 0.4
    clusters, hits, misses_alone = [i // 4 for i in range(240)], 0, 0
    for seed in range(repeats):
        x, y = questions_of(60, draw)
        for names in (clusters, range(240)):
            resampling = Resampling([str(name) for name in names], seed)
            found = resampling.correlation(resampling.scores(x), resampling.scores(y))
            is_hit = found.low <= truth <= found.high
            hits += is_hit and names is clusters
            misses_alone += not is_hit and names is not clusters
    assert 0.91 * repeats <= hits <= 0.99 * repeats
    assert misses_alone > repeats - hits, "an interval that forgets the images is too narrow"
