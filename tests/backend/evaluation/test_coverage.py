"""How often each interval and test is right, over runs whose truth is known: at the level it claims."""

import numpy as np
import pytest

from skipit_nb.backend.evaluation.statistics import (
    Paired,
    cluster_sign_flip,
    equivalence_p,
    exact_mcnemar,
    mid_p_mcnemar,
    noninferiority_p,
)
from tests.backend.evaluation import simulated


def found(repeats, images, size, worse, better, fragile, seed):
    """Rates over runs: interval covers, tests of no difference reject, "not worse by the true loss" rejects."""
    rng, clusters, truth = np.random.default_rng(seed), simulated.clusters(images, size), better - worse
    hits = {name: [] for name in ("covers", "plain t", "sign-flip", "exact", "mid", "not worse", "equivalent")}
    for d in simulated.differences(rng, repeats, images, size, worse, better, fragile):
        a, b = simulated.scores(d)
        paired, losses, gains = Paired.of(a, b, clusters), int(a.sum()), int(b.sum())
        interval = paired.interval()
        hits["covers"].append(interval.low <= truth <= interval.high)
        hits["plain t"].append(abs(d.mean() - truth) <= 1.965 * d.std(ddof=1) / np.sqrt(len(d)))
        hits["sign-flip"].append(cluster_sign_flip(a, b, clusters) <= 0.05)
        hits["exact"].append(exact_mcnemar(losses, gains) <= 0.05)
        hits["mid"].append(mid_p_mcnemar(losses, gains) <= 0.05)
        hits["not worse"].append(truth < 0 and noninferiority_p(paired, -truth) <= 0.05)
        hits["equivalent"].append(truth < 0 and equivalence_p(paired, -truth) <= 0.05)
    rates = {name: simulated.rate(of_one) for name, of_one in hits.items()}
    simulated.tell(f"{images} images of {size}, flips {worse} / {better} on {fragile:.0%}: {rates}")
    return rates


def test_single_questions_cover_and_reject_at_their_level():
    rates = found(2000, 300, 1, 0.03, 0.03, 1.0, seed=1)
    assert 0.94 <= rates["covers"] <= 0.98
    assert rates["exact"] <= rates["mid"] <= 0.055
    assert rates["sign-flip"] <= 0.055


def test_questions_that_share_images_do_too_and_mcnemar_does_not():
    rates = found(2000, 100, 5, 0.04, 0.04, 0.15, seed=2)
    assert 0.935 <= rates["covers"] <= 0.97
    assert 0.03 <= rates["sign-flip"] <= 0.065
    assert rates["exact"] > 0.08, "McNemar takes questions for independent; it decides nothing"
    assert rates["mid"] > 0.08
    assert rates["plain t"] < 0.92


def test_few_flips_in_few_images_still_cover():
    rates = found(2000, 50, 10, 0.005, 0.005, 0.05, seed=3)
    assert rates["covers"] >= 0.94
    assert rates["sign-flip"] <= 0.055


def test_a_loss_of_the_margin_is_called_not_worse_one_time_in_twenty():
    rates = found(2000, 120, 5, 0.06, 0.02, 0.4, seed=4)
    assert 0.02 <= rates["not worse"] <= 0.07
    assert rates["equivalent"] <= rates["not worse"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("images", "size", "worse", "better", "fragile"),
    [
        (300, 1, 0.02, 0.02, 1),
        (300, 1, 0.05, 0.01, 1),
        (100, 5, 0.03, 0.01, 0.1),
        (50, 10, 0.02, 0.02, 0.2),
        (50, 10, 0.05, 0.02, 0.3),
        (200, 10, 0.01, 0.005, 0.1),
        (30, 10, 0.03, 0.03, 0.2),
        (20, 10, 0.05, 0.05, 0.5),
        (10, 10, 0.1, 0.1, 0.6),
    ],
)
def test_every_kind_of_run_covers(images, size, worse, better, fragile):
    rates = found(4000, images, size, worse, better, fragile, seed=5)
    assert 0.93 <= rates["covers"] <= 0.99
    if worse == better:
        assert rates["sign-flip"] <= 0.06
    else:
        assert rates["not worse"] <= 0.085
