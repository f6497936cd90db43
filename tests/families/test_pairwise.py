"""The covering set covers: every pair of values that may meet does, and none that may not."""

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from tests.families.matrix import AXES, EXCLUDED_VALUES, covering_cases
from tests.families.pairwise import covering, pairs

SIZES = st.lists(st.integers(1, 5), min_size=2, max_size=5)


def axes_of(sizes):
    return {str(axis): [f"{axis}.{value}" for value in range(size)] for axis, size in enumerate(sizes)}


@given(SIZES)
def test_every_pair_of_values_occurs(sizes):
    axes = axes_of(sizes)
    met = {frozenset(pair) for case in covering(axes) for pair in combinations(case.items(), 2)}
    assert met == {*pairs(axes)}


@given(SIZES)
def test_the_cases_are_fewer_than_all_and_at_least_the_two_longest_axes_need(sizes):
    axes, (longest, second) = axes_of(sizes), sorted(sizes)[-1:-3:-1]
    assert longest * second <= len(covering(axes)) <= len([*product(*axes.values())])


def test_the_matrix_is_covered_and_nothing_excluded_runs():
    cases = [{*case._asdict().items()} for case in covering_cases()]
    assert {frozenset(pair) for case in cases for pair in combinations(case, 2)} == {*pairs(AXES, EXCLUDED_VALUES)}
    assert not any(excluded <= case for case in cases for excluded in EXCLUDED_VALUES)


def test_the_cases_are_the_same_on_every_call():
    assert covering_cases() == covering_cases()
