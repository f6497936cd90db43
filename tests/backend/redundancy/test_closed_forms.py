"""Gaussians, of which information is known: counted from codes, read by a reader, split into parts."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy import pid
from skipit_nb.backend.redundancy.information import conditional_information, mutual_information
from skipit_nb.backend.redundancy.probes import cross_validated

N = 200_000


def codes(values, k):
    return np.digitize(values, np.quantile(values, np.arange(1, k) / k))


def test_codes_tell_ever_more_of_what_two_gaussians_share_and_never_more_than_all():
    rng = np.random.default_rng(0)
    z = rng.standard_normal(N)
    x = z + 0.5 * rng.standard_normal(N)
    truth = 0.5 * np.log(1 + 1 / 0.25)
    found = [mutual_information(codes(x, k), codes(z, k), corrected=True) for k in (2, 4, 8, 16, 32)]
    assert found == sorted(found)
    assert 0.95 * truth < found[-1] < truth


def test_beside_a_known_code_a_gaussian_adds_what_the_closed_form_says():
    """Z = X + Y + noise: I(X; Z | Y) = log(1 + 1 / noise²) / 2, more than I(X; Z)."""
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, N))
    z = x + y + 0.7 * rng.standard_normal(N)
    found = [conditional_information(codes(x, k), codes(z, k), codes(y, k), corrected=True) for k in (4, 8, 16)]
    assert found == sorted(found)
    assert 0.85 * 0.5 * np.log(1 + 1 / 0.49) < found[-1] < 0.5 * np.log(1 + 1 / 0.49)
    alone = mutual_information(codes(x, 16), codes(z, 16), corrected=True)
    assert alone == pytest.approx(0.5 * np.log(1 + 1 / 1.49), rel=0.1)


def test_a_reader_of_two_gaussian_heaps_has_the_predictive_information_of_the_closed_form():
    """Heaps at ±1 of one number in three: log 2 - E log(1 + exp(-2 - 2 noise)), which a logistic reader can reach."""
    rng = np.random.default_rng(2)
    answers = rng.integers(2, size=4000)
    states = rng.standard_normal((4000, 3))
    states[:, 0] += 2 * answers - 1
    noise = np.random.default_rng(3).standard_normal(N)
    truth = np.log(2) - np.log1p(np.exp(-2 - 2 * noise)).mean()
    blind, seen = (cross_validated(each, answers, np.arange(4000)).log_loss.mean() for each in (None, states))
    assert blind - seen == pytest.approx(truth, abs=0.02)


def test_the_parts_of_two_gaussian_sources_come_nearer_to_the_closed_form_with_every_code():
    """Of one number read through two noises the weaker tells nothing of its own (Barrett 2015, arXiv:1411.2832)."""
    rng = np.random.default_rng(4)
    z = rng.standard_normal(N)
    noises = 0.5, 1.5
    first, second = (z + noise * rng.standard_normal(N) for noise in noises)
    told, weaker = (0.5 * np.log(1 + 1 / noise**2) for noise in noises)
    both = 0.5 * np.log(1 + sum(1 / noise**2 for noise in noises))
    truth = np.array([weaker, told - weaker, 0, both - told])
    errors = []
    for k in (2, 4, 8):
        parts = pid.of_codes(codes(first, k), codes(second, k), codes(z, k))
        found = parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic
        errors.append(np.array(found) - truth)
        assert parts.unique_second == pytest.approx(0, abs=0.005)
    assert np.abs(errors).sum(1).tolist() == sorted(np.abs(errors).sum(1), reverse=True)
    assert errors[-1][:2] == pytest.approx((-0.02, -0.107), abs=0.01), "a ninth and a sixth of it lie inside codes"
    assert errors[-1][3] == pytest.approx(0, abs=0.01)
