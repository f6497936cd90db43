"""BROJA on gates whose parts are known, and on Gaussians, where the weaker source tells nothing of its own."""

import builtins

import numpy as np
import pytest

from skipit_nb.backend.redundancy import pid
from skipit_nb.backend.redundancy.information import mutual_information
from skipit_nb.errors import MissingPackageError, SettingError

BIT = np.log(2)


def gate(rule, answers):
    """[answer, first, second] of two fair bits and what a rule makes of them."""
    joint = np.zeros((answers, 2, 2))
    for x in (0, 1):
        for y in (0, 1):
            joint[rule(x, y), x, y] += 0.25
    return joint


GATES = {
    "and": (gate(lambda x, y: x & y, 2), (0.311278, 0, 0, 0.5)),
    "xor": (gate(lambda x, y: x ^ y, 2), (0, 0, 0, 1)),
    "unique": (gate(lambda x, y: x, 2), (0, 1, 0, 0)),
    "copy": (gate(lambda x, y: 2 * x + y, 4), (0, 1, 1, 0)),
    "redundant": (np.stack([np.diag([0.5, 0]), np.diag([0, 0.5])]), (1, 0, 0, 0)),
}


@pytest.mark.parametrize("name", GATES)
def test_gates_have_the_parts_that_the_literature_gives_in_bits(name):
    joint, bits = GATES[name]
    parts = pid.decomposition(joint)
    found = (parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic)
    assert np.array(found) / BIT == pytest.approx(bits, abs=1e-5)


BY_DIT = {
    "2 answers, 2 and 2 codes": ([[[4, 6], [4, 6]], [[1, 21], [0, 18]]], (0.001609, 0.0, 0.172140, 0.015983)),
    "2 answers, 3 and 3 codes": (
        [[[6, 1, 0], [3, 0, 0], [2, 13, 2]], [[0, 0, 0], [0, 10, 8], [5, 2, 9]]],
        (0.160132, 0.086032, 0.019704, 0.362909),
    ),
    "3 answers, 2 and 3 codes": (
        [[[0, 9, 1], [1, 0, 1]], [[0, 0, 0], [27, 1, 8]], [[2, 0, 4], [0, 0, 5]]],
        (0.325739, 0.199888, 0.219843, 0.141961),
    ),
}
"""Counts [answer, first, second], and the parts in bits by `dit.pid.PID_BROJA` of dit 2.3, an optimiser of its own."""


@pytest.mark.parametrize("name", BY_DIT)
def test_parts_are_those_of_dit(name):
    counts, bits = BY_DIT[name]
    parts = pid.decomposition(np.array(counts))
    found = (parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic)
    assert np.array(found) / BIT == pytest.approx(bits, abs=3e-4)


def test_no_distribution_of_the_same_pairs_tells_less():
    """With two answers and binary sources all of them are two numbers away: Q(z) = P(z) + t_z [[1, -1], [-1, 1]]."""
    rng = np.random.default_rng(5)
    turn = np.array([[1, -1], [-1, 1]])
    for _ in range(5):
        p = rng.dirichlet(np.ones(8)).reshape(2, 2, 2)
        steps = [np.linspace(-min(q[0, 0], q[1, 1]), min(q[0, 1], q[1, 0]), 301) for q in p]
        q = (
            p + np.stack(np.meshgrid(*steps, indexing="ij"), -1)[..., None, None] * turn
        )  # [., ., answer, first, second]
        told = _h(q.sum((3, 4))) + _h(q.sum(2)) - _h(q)
        parts = pid.decomposition(p)
        assert parts.redundant + parts.unique_first + parts.unique_second == pytest.approx(told.min(), abs=1e-4)


def _h(q):
    """Entropy over all but the first two axes."""
    flat = np.maximum(q.reshape(*q.shape[:2], -1), 1e-300)
    return -(flat * np.log(flat)).sum(-1)


def test_parts_add_up_and_none_is_negative_whatever_the_distribution():
    rng = np.random.default_rng(0)
    for _ in range(20):
        counts = rng.multinomial(150, rng.dirichlet(np.full(5 * 3 * 4, 0.3))).reshape(5, 3, 4)
        parts = pid.decomposition(counts)
        values = [parts.redundant, parts.unique_first, parts.unique_second, parts.synergistic]
        z, x, y = np.repeat(np.indices(counts.shape).reshape(3, -1), counts.ravel(), axis=1)
        assert min(values) > -1e-5
        assert sum(values) == pytest.approx(mutual_information(x * 4 + y, z), abs=1e-5)
        assert parts.redundant + parts.unique_first == pytest.approx(mutual_information(x, z), abs=1e-5)
        assert parts.redundant + parts.unique_second == pytest.approx(mutual_information(y, z), abs=1e-5)


def test_on_a_chain_the_earlier_state_has_nothing_unique_and_there_is_no_synergy():
    rng = np.random.default_rng(1)
    before, step, tell = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(4), 4), rng.dirichlet(np.ones(3), 4)
    parts = pid.decomposition(np.einsum("x,xy,yz->zxy", before, step, tell))
    assert (parts.unique_first, parts.synergistic) == pytest.approx((0, 0), abs=1e-5)


def test_of_two_gaussian_sources_the_weaker_has_nothing_unique():
    rng = np.random.default_rng(2)
    z = rng.standard_normal(200_000)
    coded = [
        np.digitize(v, np.quantile(v, [0.25, 0.5, 0.75]))
        for v in (z, z + 0.5 * rng.standard_normal(z.size), z + 1.5 * rng.standard_normal(z.size))
    ]
    parts = pid.of_codes(coded[1], coded[2], coded[0])
    assert parts.unique_second == pytest.approx(0, abs=0.005)
    assert parts.unique_first > 0.2
    assert parts.redundant == pytest.approx(mutual_information(coded[2], coded[0]), abs=0.005)


def test_the_null_says_how_much_is_found_in_nothing():
    rng = np.random.default_rng(3)
    x, y, z = rng.integers(4, size=(3, 150))
    mean, high = pid.null_of(x, y, z, permutations=10)
    assert mean.synergistic > 0.05
    assert 0.3 < pid.of_codes(x, y, z).synergistic / high.synergistic < 1.5


def test_two_sources_that_are_the_same_and_a_source_with_one_code_are_solved_too():
    rng = np.random.default_rng(0)
    x, z = rng.integers(4, size=30), rng.integers(12, size=30)
    same = pid.of_codes(x, x, z)
    assert (same.unique_first, same.unique_second, same.synergistic) == pytest.approx((0, 0, 0), abs=1e-5)
    one = pid.of_codes(np.zeros_like(x), x, z)
    assert one.unique_second == pytest.approx(mutual_information(x, z), abs=1e-5)


def test_too_many_codes_are_refused():
    codes = np.arange(9)
    with pytest.raises(SettingError, match=r"k is 9, but should be at most 8 for a decomposition"):
        pid.of_codes(codes, codes, codes)


def test_without_cvxpy_the_error_has_the_line_to_type(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "cvxpy":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingPackageError, match=r"pip install 'skipit-nb\[theory\]'"):
        pid.decomposition(GATES["and"][0])
