"""Tests of a paired difference: against statsmodels, against counting by hand, and at the edges."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.weightstats import ttost_paired

from skipit_nb.backend.evaluation.statistics import (
    Paired,
    cluster_sign_flip,
    equivalence_p,
    exact_mcnemar,
    holm,
    mid_p_mcnemar,
    noise_floor,
    noninferiority_p,
    subgroups,
)
from skipit_nb.errors import SettingError


def arms(worse, better, n):
    """Scores with so many flips, one question an image."""
    a = [1.0] * worse + [0.0] * better + [1.0] * (n - worse - better)
    b = [0.0] * worse + [1.0] * better + [1.0] * (n - worse - better)
    return a, b, [str(i) for i in range(n)]


@pytest.mark.parametrize(("worse", "better"), [(3, 9), (9, 3), (10, 10), (0, 4), (1, 0), (40, 61)])
def test_mid_p_is_the_exact_p_less_half_of_what_happened(worse, better):
    total = worse + better
    chances = [math.comb(total, k) / 2**total for k in range(total + 1)]
    least = min(worse, better)
    by_hand = 2 * (sum(chances[:least]) + chances[least] / 2) if worse != better else 1 - chances[least] / 2
    assert mid_p_mcnemar(worse, better) == pytest.approx(by_hand)
    assert mid_p_mcnemar(worse, better) < exact_mcnemar(worse, better)


def test_nothing_flipped_is_a_p_of_one_where_others_say_zero():
    assert (exact_mcnemar(0, 0), mid_p_mcnemar(0, 0)) == (1.0, 1.0)
    with np.errstate(divide="ignore"):
        assert mcnemar([[5, 0], [0, 5]], exact=False).pvalue == 0.0, "the trap: this is what statsmodels says"


@pytest.mark.parametrize(("worse", "better", "n"), [(3, 9, 40), (10, 10, 60), (0, 4, 10), (25, 10, 300)])
def test_a_sign_flip_of_single_questions_is_mcnemars_exact_test(worse, better, n):
    assert cluster_sign_flip(*arms(worse, better, n)) == pytest.approx(exact_mcnemar(worse, better))


def test_a_sign_flip_of_images_is_every_sign_tried():
    rng = np.random.default_rng(3)
    images = [str(image) for image in np.repeat(np.arange(9), 4)]
    a, b = rng.integers(0, 2, (2, 36)).astype(float)
    sums = (b - a).reshape(9, 4).sum(axis=1)
    every = np.array([np.dot(signs, sums) for signs in itertools.product((-1, 1), repeat=9)])
    assert cluster_sign_flip(a, b, images) == pytest.approx(np.mean(np.abs(every) >= abs(sums.sum()) - 1e-9))


def test_a_sign_flip_of_tenths_is_exact_and_of_other_scores_is_drawn_the_same_each_time():
    rng = np.random.default_rng(4)
    images = [str(image) for image in np.repeat(np.arange(8), 2)]
    tenths = rng.integers(0, 11, (2, 16)) / 10
    sums = (tenths[1] - tenths[0]).reshape(8, 2).sum(axis=1)
    every = np.array([np.dot(signs, sums) for signs in itertools.product((-1, 1), repeat=8)])
    assert cluster_sign_flip(*tenths, images) == pytest.approx(np.mean(np.abs(every) >= abs(sums.sum()) - 1e-9))
    thirds = tenths / 3
    drawn = cluster_sign_flip(*thirds, images, draws=4999)
    assert drawn == cluster_sign_flip(*thirds, images, draws=4999)
    assert drawn == pytest.approx(cluster_sign_flip(*tenths, images), abs=0.03)


def test_one_image_flips_as_one():
    assert cluster_sign_flip([1.0] * 30, [0.0] * 30, ["one"] * 30) == 1.0
    assert exact_mcnemar(30, 0) < 1e-6, "McNemar takes them for thirty"


def test_identical_arms_differ_by_nothing_and_that_is_no_proof():
    a, b, images = arms(0, 0, 200)
    found = Paired.of(a, b, images).interval()
    assert found.value == 0
    assert found.low < 0 < found.high
    assert math.isfinite(found.low)
    assert cluster_sign_flip(a, b, images) == 1.0


@pytest.mark.parametrize(("n", "below_5", "below_2_5"), [(267, False, False), (268, True, False), (381, True, True)])
def test_without_a_flip_it_takes_tangos_number_of_questions_to_be_not_worse(n, below_5, below_2_5):
    p = noninferiority_p(Paired.of(*arms(0, 0, n)), 0.01)
    assert (p < 0.05, p < 0.025) == (below_5, below_2_5)
    assert (Paired.of(*arms(0, 0, n)).interval().low > -0.01) == below_2_5


def test_non_inferiority_and_equivalence_are_those_of_scipy_and_statsmodels():
    a, b, images = arms(30, 25, 400)
    paired = Paired.of(a, b, images)
    assert not paired.has_few_flips
    d = np.array(b) - np.array(a)
    assert noninferiority_p(paired, 0.03) == pytest.approx(stats.ttest_1samp(d, -0.03, alternative="greater").pvalue)
    found, *_ = ttost_paired(np.array(b), np.array(a), -0.03, 0.03)
    assert equivalence_p(paired, 0.03) == pytest.approx(found)


@pytest.mark.parametrize(
    ("worse", "better", "n"), [(0, 0, 300), (3, 1, 500), (30, 25, 400), (60, 5, 300), (12, 0, 900)]
)
@pytest.mark.parametrize("margin", [0.01, 0.03, 0.2])
def test_the_p_of_non_inferiority_says_what_the_interval_says(worse, better, n, margin):
    paired = Paired.of(*arms(worse, better, n))
    found = paired.interval()
    assert (noninferiority_p(paired, margin) < 0.025) == (found.low > -margin)
    assert (equivalence_p(paired, margin) < 0.025) == (-margin < found.low and found.high < margin)


@pytest.mark.parametrize("margin", [0, 1, -0.1])
def test_a_margin_out_of_range_is_refused(margin):
    with pytest.raises(SettingError, match="margin is"):
        noninferiority_p(Paired.of(*arms(1, 1, 20)), margin)
    with pytest.raises(SettingError, match="margin is"):
        equivalence_p(Paired.of(*arms(1, 1, 20)), margin)


def test_flips_of_one_image_count_as_fewer():
    together = Paired.of([1.0] * 100, [0.0] * 8 + [1.0] * 92, [str(i // 10) for i in range(100)])
    apart = Paired.of([1.0] * 100, [0.0] * 8 + [1.0] * 92, [str(i % 10) for i in range(100)])
    assert together.divisor > 2
    assert apart.divisor == 1
    assert together.interval().low < apart.interval().low - 0.05


def test_one_image_says_as_much_as_one_question():
    many = Paired.of([1.0] * 20, [0.0] * 20, ["one"] * 20).interval()
    one = Paired.of([1.0], [0.0], ["one"]).interval()
    assert (many.low, many.high) == pytest.approx((one.low, one.high))
    assert many.high > 0


def test_an_arm_that_loses_everything_has_an_interval_with_a_width():
    found = Paired.of(*arms(40, 0, 40)).interval()
    assert found.low == -1
    assert -1 < found.high < -0.8


def test_soft_scores_keep_their_mean_inside_the_interval():
    rng = np.random.default_rng(0)
    images = [str(i) for i in range(200)]
    few = np.zeros(200)
    few[:6] = [-1, 0.1, 0.1, 0.1, 0.1, 0.1]
    paired = Paired.of(np.full(200, 0.0) - np.minimum(few, 0), np.maximum(few, 0), images)
    assert paired.has_few_flips
    assert paired.interval().value == pytest.approx(-0.5 / 200)
    assert paired.interval().low < -0.5 / 200 < paired.interval().high
    a, b = rng.random((2, 200))
    fit = stats.ttest_rel(b, a).confidence_interval(0.95)
    assert (Paired.of(a, b, images).interval().low, Paired.of(a, b, images).interval().high) == pytest.approx(fit)


def test_the_order_of_questions_does_not_matter():
    rng = np.random.default_rng(1)
    a, b = rng.integers(0, 2, (2, 120)).astype(float)
    images = rng.integers(0, 30, 120).astype(str)
    order = rng.permutation(120)
    one, other = Paired.of(a, b, images).interval(), Paired.of(a[order], b[order], images[order]).interval()
    assert (one.low, one.high) == pytest.approx((other.low, other.high))
    assert cluster_sign_flip(a, b, images) == pytest.approx(cluster_sign_flip(a[order], b[order], images[order]))


def test_holm_is_the_textbooks_staircase():
    assert holm([0.01, 0.04, 0.03, 0.5]) == pytest.approx((0.04, 0.09, 0.09, 0.5))
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()


def test_subgroups_are_sorted_complete_and_corrected():
    a = [1.0] * 60
    b = [0.0] * 12 + [1.0] * 48
    kinds = ["color"] * 30 + ["shape"] * 20 + ["count"] * 10
    rows = subgroups(a, b, [str(i) for i in range(60)], kinds)
    assert [(row.kind, row.n, row.worse, row.better) for row in rows] == [
        ("color", 30, 12, 0),
        ("count", 10, 0, 0),
        ("shape", 20, 0, 0),
    ]
    assert rows[0].p == pytest.approx(2 / 2**12)
    assert rows[0].p_holm == pytest.approx(3 * 2 / 2**12)
    assert [(row.p, row.p_holm) for row in rows[1:]] == [(1.0, 1.0)] * 2
    assert all(row.low < row.high for row in rows)


def test_a_noise_floor_counts_texts_and_scores_apart():
    first = [("red", 1.0), ("blue", 0.0), ("yes", 1.0), ("no", 1.0)] * 10
    second = [("red", 1.0), ("green", 0.0), ("no", 0.0), ("no", 1.0)] * 10
    found = noise_floor(first, second, (32, 1))
    assert (found.asked, found.changed, found.flipped, found.share) == (40, 20, 10, 0.25)
    assert found.high == pytest.approx(stats.binomtest(10, 40).proportion_ci(method="exact").high)
    assert noise_floor(first, first, (32, 1)).high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert noise_floor(first[:1], [("x", 0.0)], (32, 1)).high == 1.0
