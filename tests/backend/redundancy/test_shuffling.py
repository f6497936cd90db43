"""Shuffled answers: what has to stay stays, and images that agree inside make no discovery of nothing."""

import numpy as np
import pytest

from skipit_nb.backend.redundancy.information import measured
from skipit_nb.backend.redundancy.shuffling import shuffled


def test_a_shuffle_under_a_condition_keeps_what_each_of_its_codes_holds():
    rng = np.random.default_rng(4)
    given, z, clusters = rng.integers(3, size=50), rng.integers(4, size=50), rng.integers(9, size=50)
    for images in (None, clusters):
        mixed = shuffled(z, rng, given, images)
        assert (mixed != z).any()
        for code in range(3):
            assert sorted(mixed[given == code]) == sorted(z[given == code])


def test_answers_of_images_of_one_size_stay_together():
    rng = np.random.default_rng(0)
    clusters = np.repeat(np.arange(8), 3)
    z = clusters.copy()
    mixed = shuffled(z, rng, clusters=clusters)
    assert (np.ptp(mixed.reshape(8, 3), axis=1) == 0).all()
    assert sorted(mixed[::3]) == list(range(8))
    assert (mixed != z).any()


def test_every_question_by_itself_goes_anywhere():
    rng = np.random.default_rng(1)
    places = [int(np.argmax(shuffled(np.eye(6, dtype=int)[0], rng))) for _ in range(600)]
    assert np.bincount(places, minlength=6) == pytest.approx(100, abs=40)


@pytest.mark.parametrize("is_given", [False, True])
def test_images_that_agree_inside_are_no_discovery(is_given):
    """60 images, 4 or 5 questions each, half of which have their image's answer; the code is the image's own."""
    is_wrong = {"by image": [], "by question": []}
    for run in range(100):
        rng = np.random.default_rng(run)
        clusters = np.repeat(np.arange(60), rng.integers(4, 6, size=60))
        x, own, given = (rng.integers(4, size=60)[clusters] for _ in range(3))
        z = np.where(rng.random(len(x)) < 0.5, own, rng.integers(4, size=len(x)))
        for name, images in (("by image", clusters), ("by question", None)):
            found = measured(x, z, given // 2 if is_given else None, clusters=images, permutations=19, seed=run)
            is_wrong[name].append(found.p <= 0.05)
    assert np.mean(is_wrong["by image"]) < 0.12
    assert np.mean(is_wrong["by question"]) > 0.3
