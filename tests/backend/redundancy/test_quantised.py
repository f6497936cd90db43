"""Codebooks: directions, halves, and what they refuse."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy.quantised import codebook, halves
from skipit_nb.errors import SettingError, TooFewSamplesError


def bundles(per_bundle=20, noise=0.05):
    """Directions around the three axes, of any length."""
    rng = np.random.default_rng(0)
    axes = np.repeat(np.eye(3), per_bundle, axis=0)
    return (axes + noise * rng.standard_normal(axes.shape)) * rng.uniform(0.1, 9, (len(axes), 1))


def test_codes_find_bundles_of_directions_whatever_their_length():
    codes = codebook(bundles(), 3).codes(bundles())
    assert [len(set(codes[i * 20 : (i + 1) * 20])) for i in range(3)] == [1, 1, 1]
    assert len(set(codes)) == 3


def test_distortion_is_what_the_codes_do_not_see():
    book = codebook(bundles(noise=0.0), 3)
    assert book.distortion(bundles(noise=0.0)) == pytest.approx(0, abs=1e-12)
    assert book.distortion(-np.eye(3)) > 0.9
    assert codebook(bundles(), 2).distortion(bundles()) > codebook(bundles(), 3).distortion(bundles()) > 0


def test_the_nearest_centroid_is_the_one_that_scikit_learn_would_name():
    states = np.random.default_rng(1).standard_normal((60, 5))
    book = codebook(states, 4)
    directions = states / np.linalg.norm(states, axis=1, keepdims=True)
    assert (book.codes(states) == ((directions[:, None] - book.centroids) ** 2).sum(2).argmin(1)).all()


def test_fewer_different_states_than_centroids_give_one_centroid_each():
    book = codebook(np.repeat(np.eye(3), 10, axis=0) * (1 + 1e-7), 8)
    assert book.k == 3
    assert set(book.codes(np.eye(3))) == {0, 1, 2}


def test_no_image_is_in_both_halves():
    clusters = np.repeat(np.arange(11), 3)
    fitted, counted = halves(clusters, seed=5)
    assert (fitted ^ counted).all()
    assert not set(clusters[fitted]) & set(clusters[counted])
    assert (fitted == halves(clusters, seed=5)[0]).all()


def test_too_few_states_are_refused_with_the_number_it_takes():
    with pytest.raises(TooFewSamplesError, match=r"k = 8 centroids: there are 5, but at least 8 are needed"):
        codebook(np.eye(5), 8)
    with pytest.raises(SettingError, match=r"k is 1, but should be a whole number of at least 2"):
        codebook(np.eye(5), 1)
    with pytest.raises(TooFewSamplesError, match=r"images for two halves: there are 1"):
        halves(np.zeros(4, dtype=int))
