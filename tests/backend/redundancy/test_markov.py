"""Is it a chain? Found where it is not, not where it is."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy.markov import chain_test, sign_flip_p


def states(count=300, seed=0):
    rng = np.random.default_rng(seed)
    answers = rng.integers(2, size=count)
    return rng, answers, rng.standard_normal((count, 4)), np.arange(count) // 2


def test_a_chain_is_not_rejected():
    rng, answers, after, clusters = states()
    after[:, 0] += 2.0 * answers
    before = after @ rng.standard_normal((4, 4)) + 2 * rng.standard_normal((300, 4))
    found = chain_test(before, after, answers, clusters)
    assert found.gain.value < 0.01
    assert found.p > 0.05


def test_what_a_layer_forgets_is_found():
    _, answers, after, clusters = states()
    before = after.copy()
    before[:, 1] += 2.0 * answers
    found = chain_test(before, after, answers, clusters)
    assert found.gain.low > 0.1
    assert found.p == pytest.approx(1 / 201)


def test_an_identity_layer_has_a_gain_of_exactly_nothing():
    _, answers, after, clusters = states()
    after[:, 0] += 2.0 * answers
    found = chain_test(after, after, answers, clusters)
    assert (found.gain.value, found.p) == (0, 1)


def test_p_is_uniform_where_gains_are_chance_and_images_agree_inside():
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(30), 4)
    ps = np.array([sign_flip_p(np.repeat(rng.standard_normal(30), 4), clusters, 99, seed) for seed in range(500)])
    for level in (0.05, 0.2, 0.5):
        assert np.mean(ps <= level) == pytest.approx(level, abs=0.05)
