"""Evidence that may be looked at after every image: closed forms, validity under peeking, and what it costs."""

import math

import numpy as np
import pytest
from scipy import stats

from skipit_nb.backend.evaluation.statistics import (
    by_cluster,
    log_evidence_above,
    log_evidence_below,
    log_evidence_of_difference,
    log_evidence_of_flips,
)
from tests.backend.evaluation import simulated


def test_bets_of_every_size_on_single_flips_are_the_beta_binomial():
    d = np.array([1, -1, 1, 1, 0, 1, -1, 1.0])
    grid = (np.arange(2000) + 0.5) / 2000
    above = log_evidence_above(d, np.ones(8), 0.0, 1, grid)[-1]
    below = log_evidence_above(-d, np.ones(8), 0.0, 1, grid)[-1]
    both = np.logaddexp(above, below) - math.log(2)
    assert both == pytest.approx(log_evidence_of_flips(2, 5), abs=1e-5)
    assert log_evidence_of_flips(0, 0) == 0
    assert log_evidence_of_flips(30, 0) > math.log(1e6)


def test_evidence_for_a_higher_difference_falls_with_what_it_should_be_higher_than():
    rng = np.random.default_rng(0)
    sums, sizes = rng.integers(-2, 4, 50), rng.integers(3, 9, 50)
    grid = np.linspace(-0.9, 0.9, 37)
    found = [log_evidence_above(sums, sizes, delta, 9)[-1] for delta in grid]
    assert np.all(np.diff(found) < 0)
    mirrored = [log_evidence_below(-sums, sizes, -delta, 9)[-1] for delta in grid]
    assert mirrored == pytest.approx(found)


def paths(rng, repeats, images, size, worse, better, fragile):
    """[repeat, image] sums of differences."""
    d = simulated.differences(rng, repeats, images, size, worse, better, fragile)
    return d.reshape(repeats, images, size).sum(axis=2)


def naive_alarms(sums, size):
    """Runs in which a clustered t, looked at after every tenth image, ever says "differs"."""
    looks = np.arange(10, sums.shape[1] + 1, 10)
    n, total, squares = looks * size, sums.cumsum(1)[:, looks - 1], (sums**2).cumsum(1)[:, looks - 1]
    error = np.sqrt(np.maximum(squares - total**2 / looks, 1e-9) * looks / (looks - 1)) / n
    return (np.abs(total / n) > stats.t.ppf(0.975, looks - 1) * error).any(axis=1)


def flips_evidence(sums):
    """After each image, of its running counts."""
    pairs = zip(np.cumsum(sums < 0), np.cumsum(sums > 0), strict=True)
    return np.array([log_evidence_of_flips(int(worse), int(better)) for worse, better in pairs])


def test_peeking_after_every_image_raises_a_false_alarm_less_than_one_time_in_twenty():
    rng, size, images = np.random.default_rng(2), 4, 250
    sums = paths(rng, 2000, images, size, 0.03, 0.03, 0.3)
    sizes = np.full(images, float(size))
    alarms = [log_evidence_of_difference(run, sizes, size).max() >= math.log(20) for run in sums]
    found, naive = simulated.rate(alarms), simulated.rate(naive_alarms(sums, size))
    by_flips = [flips_evidence(run).max() >= math.log(20) for run in sums]
    simulated.tell(
        f"false alarms, {images} looks: bets on sums {found:.4f}, clustered t at every tenth image {naive:.3f}"
    )
    simulated.tell(f"bets on images that flip {simulated.rate(by_flips):.4f}")
    assert found <= 0.05
    assert 0.005 <= simulated.rate(by_flips) <= 0.05
    assert naive > 0.12


def test_a_loss_of_the_margin_is_called_harmless_less_than_one_time_in_twenty():
    rng, size, images, margin = np.random.default_rng(3), 4, 250, 0.02
    sums = paths(rng, 2000, images, size, 0.05, 0.03, 0.3)
    sizes = np.full(images, float(size))
    alarms = [log_evidence_above(run, sizes, -margin, size).max() >= math.log(20) for run in sums]
    simulated.tell(f"wrongly not worse, {images} looks: {simulated.rate(alarms):.4f}")
    assert simulated.rate(alarms) <= 0.05


def test_a_clear_loss_is_found_early():
    rng, size, images = np.random.default_rng(5), 4, 500
    sums = paths(rng, 200, images, size, 0.16, 0.03, 0.5)
    sizes = np.full(images, float(size))
    stops = [int(np.argmax(log_evidence_of_difference(run, sizes, size) >= math.log(20))) for run in sums]
    sooner = [int(np.argmax(flips_evidence(run) >= math.log(20))) for run in sums]
    simulated.tell(
        f"a loss of 13 points is found after {np.mean(stops):.0f} images; by images that flip, {np.mean(sooner):.0f}"
    )
    assert min(stops + sooner) > 0, "every run ends with a finding"
    assert np.mean(sooner) < np.mean(stops) < images / 3


@pytest.mark.slow
def test_false_alarms_stay_rare_over_thousands_of_images_and_questions():
    rng = np.random.default_rng(6)
    for size, fragile in [(1, 1.0), (2, 0.5), (10, 0.2)]:
        images = 3000 // size
        sums = paths(rng, 2000, images, size, 0.03, 0.03, fragile)
        sizes = np.full(images, float(size))
        alarms = [log_evidence_of_difference(run, sizes, size).max() >= math.log(20) for run in sums]
        assert simulated.rate(alarms) <= 0.05


def test_unequal_images_are_stepped_in_their_order():
    sums, sizes = by_cluster(np.array([1.0, -1, 0, 1, 1]), ["z", "a", "a", "z", "b"])
    assert (list(sums), list(sizes)) == ([2, -1, 1], [2, 2, 1])
