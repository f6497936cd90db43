"""The tree of skip sets: known small trees, and relations that hold for all."""

from hypothesis import given
from hypothesis import strategies as st

from skipit_nb import SkipSet
from skipit_nb.backend.trie.budget import plans_within
from skipit_nb.backend.trie.plan import TRUNK, plan_of

LAYERS = 6


def sets(*texts):
    return [SkipSet.parse(text, num_layers=LAYERS) for text in texts]


def test_the_full_model_is_the_trunk_and_costs_nothing_more():
    plan = plan_of(sets("none", "none"))
    assert plan.leaves == (TRUNK, TRUNK)
    assert plan.computing_edges == LAYERS
    assert plan.naive == 3 * LAYERS


def test_single_skips_share_what_comes_before_them():
    plan = plan_of([SkipSet.whole(layer, num_layers=LAYERS) for layer in range(LAYERS)])
    assert plan.computing_edges == LAYERS + sum(range(LAYERS)), "a branch runs the layers behind its skip"
    assert plan.naive == LAYERS + LAYERS * (LAYERS - 1)
    assert len(set(plan.leaves)) == LAYERS


def test_late_entries_share_their_absent_layers():
    plan = plan_of([SkipSet.late_entry(k, num_layers=LAYERS) for k in range(1, LAYERS + 1)])
    absent, running = LAYERS, sum(range(LAYERS))
    assert plan.computing_edges == LAYERS + absent + running


def test_equal_sets_end_in_one_leaf():
    plan = plan_of(sets("whole 2; vision absent 4-", "vision absent 4-; whole 2", "whole 2"))
    assert plan.leaves[0] == plan.leaves[1] != plan.leaves[2]


def test_an_echo_runs_beside_the_trunk():
    plan = plan_of(sets("whole 2"), echo=True)
    assert plan.leaves[-1] != TRUNK
    assert plan.computing_edges == plan_of(sets("whole 2")).computing_edges + LAYERS


def _joined(clauses):
    joined = SkipSet.none(num_layers=LAYERS)
    for action, layer in clauses:
        joined |= SkipSet.parse(f"{action} {layer}", num_layers=LAYERS)
    return joined


ACTIONS = st.sampled_from(["whole", "attn", "mlp", "vision absent", "vision frozen", "text frozen"])
ANY_SET = st.lists(st.tuples(ACTIONS, st.integers(0, LAYERS - 1)), max_size=3).map(_joined)


@given(st.lists(ANY_SET, min_size=1, max_size=8))
def test_sharing_never_costs_and_never_loses_a_set(skipsets):
    plan = plan_of(skipsets)
    assert plan.computing_edges <= plan.naive
    assert len(plan.leaves) == len(skipsets)
    assert [a == b for a in plan.leaves for b in plan.leaves] == [a == b for a in skipsets for b in skipsets]


@given(st.lists(ANY_SET, min_size=1, max_size=8), st.integers(2, 12))
def test_a_small_budget_splits_the_sets_and_keeps_each_once(skipsets, alive):
    parts = plans_within(tuple(skipsets), alive, echo=False)
    assert sorted(number for numbers, _ in parts for number in numbers) == list(range(len(skipsets)))
    assert all(plan.most_alive <= alive for _, plan in parts)
