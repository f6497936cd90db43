"""Statistics of a paired comparison, against statsmodels, against simulation, and at the edges."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize_scalar
from statsmodels.stats.contingency_tables import mcnemar

from skipit_nb.backend.evaluation.statistics import (
    Interval,
    clustered_mean,
    delta_interval,
    exact_mcnemar,
    minimal_detectable_effect,
    ratio_interval,
    tango_interval,
)
from skipit_nb.backend.evaluation.verdict import verdict


def test_the_clustered_error_is_that_of_statsmodels():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 40, 300)
    d = rng.choice([-1, 0, 1], 300, p=[0.1, 0.8, 0.1]) + rng.normal(size=40)[groups] * 0.1
    fit = sm.OLS(d, np.ones(300)).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    ours = clustered_mean(list(d), [str(g) for g in groups])
    g = len(set(groups))
    assert ours.value == pytest.approx(d.mean())
    assert ours.standard_error == pytest.approx(float(fit.bse[0]) * math.sqrt(g / (g - 1)))
    assert ours.degrees_of_freedom == g - 1


def test_exact_mcnemar_is_that_of_statsmodels_and_one_without_flips():
    for worse, better in [(3, 9), (10, 10), (0, 4)]:
        assert exact_mcnemar(worse, better) == pytest.approx(mcnemar([[5, worse], [better, 5]], exact=True).pvalue)
    assert exact_mcnemar(0, 0) == 1.0


def test_tango_has_a_width_without_any_flip():
    assert tango_interval(0, 0, 500) == (pytest.approx(-0.0076, abs=1e-4), pytest.approx(0.0076, abs=1e-4))


@pytest.mark.parametrize(("worse", "better", "n"), [(7, 2, 100), (1, 0, 30), (12, 12, 60)])
def test_tango_ends_are_where_the_score_test_at_the_likeliest_nuisance_is_just_rejected(worse, better, n):
    for delta in tango_interval(worse, better, n):

        def minus_log_likelihood(q, delta=delta):
            p = q + delta
            return -(worse * math.log(q) + better * math.log(p) + (n - worse - better) * math.log(1 - p - q))

        low, high = max(0.0, -delta), (1 - delta) / 2
        q = minimize_scalar(minus_log_likelihood, bounds=(low + 1e-12, high - 1e-12), method="bounded",
                            options={"xatol": 1e-12}).x  # fmt: skip
        score = (better - worse - n * delta) / math.sqrt(n * (2 * q + delta - delta**2))
        assert abs(score) == pytest.approx(1.959964, abs=1e-3)


def test_tango_mirrors_when_the_arms_change_places():
    low, high = tango_interval(7, 2, 100)
    assert tango_interval(2, 7, 100) == (pytest.approx(-high), pytest.approx(-low))


@pytest.mark.parametrize(("worse", "better", "n"), [(0, 0, 1), (1, 0, 1), (5, 0, 5), (0, 3, 3), (1, 1, 2)])
def test_tango_stays_on_the_scale_for_the_smallest_samples(worse, better, n):
    low, high = tango_interval(worse, better, n)
    assert -1 <= low <= (better - worse) / n <= high <= 1
    assert high > low


def test_intervals_cover_the_truth_nineteen_times_in_twenty_with_clusters():
    rng = np.random.default_rng(1)
    repeats, hits_clustered, hits_naive = 2000, 0, 0
    truth = -0.04
    for _ in range(repeats):
        tilt = rng.normal(0, 0.25, 60)  # questions about one image flip together
        clusters = np.repeat(np.arange(60), 5)
        d = np.where(rng.random(300) < 0.3, np.sign(rng.normal(truth / 0.3 * 1.2535 + tilt[clusters] * 3)), 0.0)
        mean = clustered_mean(list(d), [str(c) for c in clusters])
        centre = _expected(truth)
        hits_clustered += abs(mean.value - centre) <= 2.001 * mean.standard_error
        hits_naive += abs(mean.value - centre) <= 1.968 * d.std(ddof=1) / math.sqrt(300)
    assert 0.93 <= hits_clustered / repeats <= 0.97
    assert hits_naive / repeats < hits_clustered / repeats


def _expected(truth):
    """The mean of the simulated differences: 0.3 · E[sign(N(m, 1 + 0.75²))]."""
    m = truth / 0.3 * 1.2535
    return 0.3 * math.erf(m / math.sqrt(2 * (1 + 0.75**2)))


def test_few_flips_or_one_image_use_the_score_interval():
    interval, _ = delta_interval([1.0] * 20, [1.0] * 18 + [0.0] * 2, [str(i) for i in range(20)])
    assert interval.method == "Tango score interval"
    interval, mean = delta_interval([1.0] * 20, [0.0] * 20, ["one image"] * 20)
    assert interval.method == "Tango score interval"
    assert math.isinf(mean.standard_error)
    interval, _ = delta_interval([1.0] * 40, [1.0] * 25 + [0.0] * 15, [str(i % 20) for i in range(40)])
    assert interval.method == "cluster-robust t by image"
    assert interval.value == pytest.approx(-15 / 40)
    assert interval.low < interval.value < interval.high
    interval, mean = delta_interval([1.0] * 40, [1.0] * 25 + [0.0] * 15, [str(i // 2) for i in range(40)])
    assert mean.design_effect == pytest.approx(2, abs=0.1)
    assert interval.method == "Tango score interval", "fifteen flips in pairs are fewer than ten"


def test_the_detectable_effect_shrinks_with_questions_and_grows_with_clustering():
    small, large = minimal_detectable_effect(13, 12, 500, 1.0), minimal_detectable_effect(225, 225, 9000, 1.0)
    assert (small, large) == (pytest.approx(0.028, abs=0.001), pytest.approx(0.0066, abs=0.0002))
    assert minimal_detectable_effect(13, 12, 500, 2.0) > small
    assert minimal_detectable_effect(0, 0, 500, 1.0) > 0


def test_the_ratio_of_times_is_a_geometric_mean():
    interval = ratio_interval([math.log(2), math.log(8)])
    assert interval.value == pytest.approx(4)
    assert interval.low < 4 < interval.high
    assert ratio_interval([math.log(2)]).high == math.inf


@pytest.mark.parametrize(
    ("worse", "better", "n", "kind"),
    [
        (0, 0, 1000, "not worse"),
        (0, 0, 100, "inconclusive"),
        (0, 40, 1000, "better"),
        (60, 0, 1000, "worse"),
        (40, 38, 9000, "not worse"),
        (30, 5, 9000, "slightly worse"),
    ],
)
def test_the_verdict_follows_the_interval_and_the_margin(worse, better, n, kind):
    a = [1.0] * (n - better) + [0.0] * better
    b = [0.0] * worse + [1.0] * (n - worse)
    interval, mean = delta_interval(a, b, [str(i) for i in range(n)])
    judged = verdict(interval, 0.01, minimal_detectable_effect(worse, better, n, mean.design_effect))
    assert judged.kind == kind
    assert "95 % interval" in judged.sentence


def test_a_margin_of_one_point_is_called_a_point():
    said = [verdict(Interval(0.0, -0.001, 0.001, ""), margin, 0.0).sentence for margin in (0.01, 0.02)]
    assert "more than 1 point (" in said[0]
    assert "more than 2 points (" in said[1]
