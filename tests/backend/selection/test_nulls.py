"""The nulls: against draws made the slow way, and how often chance passes."""

import math

import numpy as np
import pytest
from scipy import stats

from skipit_nb.backend.selection.nulls import distance_threshold, flow_threshold, tail_threshold, typical_distance
from skipit_nb.results import EPSILONS, LayerDistance, LayerFlow

MEANS = (0.4, 0.04, 0.02, 0.01)
TYPICAL = (0.4 * 0.04 * 0.02 * 0.01) ** 0.25


def rows(means=MEANS, relative=0.3, spread=0.0):
    return [
        LayerDistance(i, "vision", d, spread, tuple(float(d > e) for e in EPSILONS), 1.0, 0.1, relative)
        for i, d in enumerate(means)
    ]


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5])
@pytest.mark.parametrize("images", [5, 60])
def test_a_distance_threshold_is_the_quantile_of_a_typical_layers_mean(images, level):
    random = np.random.default_rng(7)
    slow = TYPICAL * np.exp(random.normal(0, 0.3, size=(20_000, images)).mean(1))
    assert distance_threshold(rows(), images=images, level=level) == pytest.approx(np.quantile(slow, level), rel=0.01)


def test_it_rises_with_the_images_to_the_typical_distance_and_no_further():
    near = [distance_threshold(rows(), images=n, level=0.05) for n in (2, 10, 100, 100_000)]
    assert near == sorted(near)
    assert near[-1] < TYPICAL
    assert near[-1] == pytest.approx(TYPICAL, rel=0.01)
    assert typical_distance(rows()) == pytest.approx(TYPICAL)


def test_one_layer_that_rewrites_everything_does_not_make_the_others_redundant():
    usual, huge = ([first, 0.012, 0.01, 0.011, 0.009, 0.01] for first in (0.01, 1.0))
    for means in (usual, huge):
        assert distance_threshold(rows(means), images=1000, level=0.05) < 2.5 * 0.01


def test_chords_which_are_roots_of_distances_give_the_same_verdict():
    chords = rows([math.sqrt(2 * mean) for mean in MEANS], relative=0.15)
    limits = [distance_threshold(made, images=20, level=0.05) for made in (rows(), chords)]
    assert math.sqrt(2 * limits[0]) == pytest.approx(limits[1])


def test_a_layer_like_any_other_passes_about_as_often_as_the_level_says():
    random = np.random.default_rng(3)
    passed = []
    for _ in range(400):
        images = random.lognormal(0, 0.4, size=30)  # some images move every layer more
        found = images * random.lognormal(-3, 0.4, size=(12, 30))  # 12 layers alike
        logs = np.log(found) - np.log(found).mean(0)
        made = [
            LayerDistance(i, "vision", found[i].mean(), 0.1, (0.0,) * len(EPSILONS), 1.0, 0.1, logs[i].std(ddof=1))
            for i in range(12)
        ]
        passed.append(found[0].mean() <= distance_threshold(made, images=30, level=0.05))
    assert 0.02 < np.mean(passed) < 0.08


def test_a_result_of_an_earlier_version_knows_only_the_spread_of_the_distance():
    early = rows([0.01] * 3, relative=None, spread=0.005)
    reach = 1.644854 * math.sqrt(math.log1p(0.25) / 16)
    assert distance_threshold(early, images=16, level=0.05) == pytest.approx(0.01 * math.exp(-reach))


def test_a_tail_threshold_is_a_quantile_of_the_binomial():
    # P[d > 0.03] is 1, 1, 0, 0 by layer: one half on average
    assert tail_threshold(rows(), epsilon=0.03, images=100, level=0.05) == pytest.approx(0.41)  # P[X ≤ 41] = 0.044
    assert tail_threshold(rows(), epsilon=0.03, images=1, level=0.5) == 0  # P[X ≤ 0] is the level exactly


@pytest.mark.parametrize("images", [1, 2, 4, 9, 30])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_typical_layer_passes_by_its_tail_no_oftener_than_the_level_says(images, share):
    tails = tuple(1.0 if e < 0.05 else share for e in EPSILONS)
    made = [LayerDistance(i, "vision", 0.1, 0.1, tails, 1.0, 0.1) for i in range(3)]
    limit = tail_threshold(made, epsilon=0.06, images=images, level=0.05)
    passes = stats.binom.cdf(math.floor(limit * images + 1e-9), images, share)
    assert passes <= 0.05


def test_a_flow_threshold_is_a_quantile_of_the_mean_of_draws():
    row = LayerFlow(0, 0.3, 0.1, 0.8, chance=0.6, chance_spread=0.2)
    assert flow_threshold(row, images=16, level=0.5) == pytest.approx(0.6)
    assert flow_threshold(row, images=16, level=0.0227501) == pytest.approx(0.6 - 2 * 0.2 / math.sqrt(16), abs=1e-6)
    assert flow_threshold(row, images=1, level=1e-6) == 0


def test_a_flow_without_spread_or_of_an_earlier_version_has_one_threshold():
    assert flow_threshold(LayerFlow(0, 0.3, 0.1, 0.8, chance=0.6), images=16, level=0.01) == 0.6
    assert flow_threshold(LayerFlow(0, 0.3, 0.1, 0.8), images=16, level=0.01) == 0.8
