"""Many sets against one baseline: what one set alone would have, what a family needs, and false alarms."""

import numpy as np
import pytest
from scipy import stats

from skipit_nb.backend.evaluation.statistics import Paired, holm, max_t
from tests.backend.evaluation import simulated

IMAGES, SIZE = 60, 5


def family(rng, sets, shared=0.7, flips=0.16):
    """Scores of a full model and of sets that are as good: they share most of their flips, as neighbours do."""
    n = IMAGES * SIZE
    full = np.repeat((rng.random((1, n)) < 0.5).astype(float), sets, axis=0)
    common, own = rng.random((1, n)) < flips, rng.random((sets, n)) < flips
    flipped = np.where(rng.random((sets, n)) < shared, common, own)
    return full, np.where(flipped, 1 - full, full)


def test_one_set_alone_has_the_interval_it_has_without_a_family():
    full, arms = family(np.random.default_rng(0), 1)
    images = simulated.clusters(IMAGES, SIZE)
    found, alone = max_t(full, arms, images), Paired.of(full[0], arms[0], images)
    assert found.critical == pytest.approx(stats.t.ppf(0.975, IMAGES - 1), abs=0.15)
    assert (found.intervals[0].low, found.intervals[0].high) == pytest.approx(
        (alone.interval().low, alone.interval().high), abs=0.004
    )
    assert found.p[0] == pytest.approx(2 * min(alone.p_above(0), alone.p_below(0)), abs=0.03)


def test_sets_that_answer_alike_cost_nothing_and_different_ones_at_most_bonferroni():
    rng = np.random.default_rng(1)
    images = simulated.clusters(IMAGES, SIZE)
    full, arms = family(rng, 1)
    alike = max_t(np.repeat(full, 20, axis=0), np.repeat(arms, 20, axis=0), images)
    assert alike.critical == pytest.approx(max_t(full, arms, images).critical)
    different = max_t(*family(rng, 20, shared=0.0), images)
    related = max_t(*family(rng, 20, shared=0.9), images)
    bonferroni = stats.t.ppf(1 - 0.025 / 20, IMAGES - 1)
    assert related.critical < different.critical < 1.05 * bonferroni
    assert related.critical > alike.critical


def test_a_clear_loss_stays_clear_and_the_draws_are_the_same_again():
    full, arms = family(np.random.default_rng(2), 8)
    arms[3] = full[3] * (np.arange(IMAGES * SIZE) % 3 != 0)
    images = simulated.clusters(IMAGES, SIZE)
    found = max_t(full, arms, images)
    assert found.intervals[3].high < 0
    assert found.p[3] < 0.01
    assert found == max_t(full, arms, images)
    assert all((p < 0.05) == (not i.low <= 0 <= i.high) for p, i in zip(found.p, found.intervals, strict=True))


def test_sets_without_flips_and_one_image_keep_a_width():
    full = np.ones((4, 300))
    found = max_t(full, full, simulated.clusters(IMAGES, SIZE))
    alone = Paired.of(full[0], full[0], simulated.clusters(IMAGES, SIZE)).interval()
    assert found.p == (1.0,) * 4
    assert all(i.low < alone.low < 0 < alone.high < i.high for i in found.intervals)
    one = max_t(full[:, :5], 1 - full[:, :5], ["one"] * 5)
    assert all(i.low < 0 < i.high for i in one.intervals)


def false_alarms(repeats, sets, seed, draws):
    """How often a family of sets as good as the full model shows one that differs: raw p, Holm's p, max-T."""
    rng, images = np.random.default_rng(seed), simulated.clusters(IMAGES, SIZE)
    raw, by_holm, together = [], [], []
    for _ in range(repeats):
        full, arms = family(rng, sets)
        sums = (arms - full).reshape(sets, IMAGES, SIZE).sum(axis=2)
        p = stats.ttest_1samp(sums, 0, axis=1).pvalue  # images of one size: the clustered t is the t of their sums
        found = max_t(full, arms, images, draws=draws)
        raw.append(min(p) < 0.05)
        by_holm.append(min(holm(p)) < 0.05)
        together.append(not all(i.low <= 0 <= i.high for i in found.intervals))
    rates = tuple(simulated.rate(hits) for hits in (raw, by_holm, together))
    simulated.tell(
        f"false alarms among {sets} equal sets: raw {rates[0]:.3f}, Holm {rates[1]:.3f}, max-T {rates[2]:.3f}"
    )
    return rates


def test_looking_at_many_sets_fools_the_raw_p_and_not_the_corrected():
    raw, by_holm, together = false_alarms(2000, 6, seed=3, draws=199)
    assert raw > 0.12
    assert by_holm <= 0.065
    assert 0.035 <= together <= 0.065


@pytest.mark.slow
def test_false_alarms_of_a_family_of_twenty_are_one_in_twenty():
    raw, by_holm, together = false_alarms(2000, 20, seed=4, draws=499)
    assert raw > 0.25
    assert by_holm <= 0.06
    assert 0.038 <= together <= 0.06
