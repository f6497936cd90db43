"""Anytime-valid bounds: exact at the end, never wrong more often than said, however often one looks."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipit_nb.backend.selection.anytime import BETS, evidence, upper_bounds

REPEATS = 2000
ERROR = 0.05
MARGIN = 0.02
ORDERS = np.random.default_rng(0)


def orders(pool, repeats=REPEATS):
    """[draw, repeat] the pool in random orders."""
    return ORDERS.permuted(np.tile(np.asarray(pool, dtype=float)[:, None], (1, repeats)), axis=0)


def pool_of(better, worse, total):
    return np.repeat([1.0, -1.0, 0.0], [better, worse, total - better - worse])


AT_THE_MARGIN = {
    "few flips": pool_of(8, 2, 300),
    "many flips": pool_of(78, 72, 300),
    "only gains": pool_of(6, 0, 300),
    "shares": np.r_[np.full(100, 0.5), np.full(100, -0.44), np.zeros(100)],
    "whole images": np.repeat(pool_of(4, 3, 50), 6),  # six questions each, answered alike
}
"""Pools whose mean is exactly the margin: the claim is true, and as hard to tell from a false one as can be."""


@pytest.mark.parametrize("pool", AT_THE_MARGIN.values(), ids=AT_THE_MARGIN)
def test_a_true_claim_is_hardly_ever_refuted_though_every_question_is_looked_at(pool):
    assert pool.mean() == pytest.approx(MARGIN)
    refuted = evidence(orders(pool), pool.mean(), len(pool)) >= math.log(1 / ERROR)
    assert refuted.mean() <= ERROR + 2 * math.sqrt(ERROR * (1 - ERROR) / REPEATS)


def test_a_test_for_one_look_fails_where_every_question_is_looked_at():
    """What the simulation above would find of a 5 % z-test: it can see a wrong one."""
    pool = AT_THE_MARGIN["many flips"]
    seen, n = orders(pool), np.arange(1, len(pool) + 1)[:, None]
    means = seen.cumsum(0) / n
    errors = pool.std() / np.sqrt(n) * np.sqrt((len(pool) - n) / (len(pool) - 1))
    z = (means - pool.mean()) / np.maximum(errors, 1e-9)
    assert (z[10:-1] < -1.645).any(0).mean() > 4 * ERROR


def test_bounds_cover_the_mean_at_a_moment_chosen_to_be_unfavourable():
    """A bound never rises, so the one before the last question is the lowest of 299 looks."""
    pool = AT_THE_MARGIN["shares"]
    lowest = upper_bounds(orders(pool)[:-1], ERROR, len(pool))
    assert (lowest < pool.mean() - 1e-6).mean() <= ERROR + 2 * math.sqrt(ERROR * (1 - ERROR) / REPEATS)


def test_a_false_claim_is_refuted_long_before_the_end():
    pool = pool_of(30, 180, 1000)
    seen = orders(pool, 200)
    needed = math.log(99 / ERROR)
    assert (evidence(seen[:400], MARGIN, 1000) >= needed).mean() > 0.95


@given(st.lists(st.sampled_from([-1.0, -0.25, 0.0, 0.5, 1.0]), min_size=1, max_size=30), st.integers(0, 30))
def test_bounds_only_tighten_and_end_at_the_mean(values, start):
    column = np.array(values)[:, None]
    bounds = [float(upper_bounds(column[:n], ERROR, len(values))[0]) for n in range(len(values) + 1)]
    assert all(later <= earlier + 1e-8 for earlier, later in itertools.pairwise(bounds))
    assert bounds[0] == 1
    assert bounds[-1] == pytest.approx(column.mean(), abs=1e-8)
    n = min(start, len(values))
    assert bounds[n] <= (column[:n].sum() + len(values) - n) / len(values) + 1e-8, "the rest can bring at most 1 each"


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=20), st.floats(-1, 1), st.floats(-1, 1))
def test_the_more_is_claimed_the_more_speaks_against_it(values, one, two):
    column, total = np.array(values)[:, None], len(values) + 5
    low, high = sorted([one, two])
    assert evidence(column, low, total)[0] <= evidence(column, high, total)[0] + 1e-9


def test_one_question_multiplies_the_capital_by_what_the_bets_say():
    found = evidence(np.array([[-1.0]]), 0.0, 10)
    assert found[0] == pytest.approx(math.log(np.mean([1 + bet for bet in BETS])))  # payoff 2 where 1 was expected


def test_questions_that_were_not_asked_change_nothing():
    asked = np.array([[-1.0, 0.0], [-1.0, 1.0], [0.0, -1.0]])
    padded = np.vstack([asked, np.full((4, 2), np.nan)])
    assert np.array_equal(evidence(padded, 0.1, 20), evidence(asked, 0.1, 20))
    assert np.array_equal(evidence(asked[:0], 0.1, 20), [0, 0])


def test_no_flips_are_not_no_difference():
    alike = np.zeros((268, 1))
    assert 0.01 < upper_bounds(alike[:200], ERROR, 100_000)[0] < 0.05
    assert upper_bounds(alike, ERROR, 268)[0] == pytest.approx(0, abs=1e-8)
