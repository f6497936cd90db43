"""Which rows a limit takes: whole clusters, by the seed alone, from few row groups."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skipit_nb.backend.tasks.hub import drawing
from skipit_nb.backend.tasks.hub.drawing import draw

# 20 clusters of 3 rows, in row groups of 6 rows: two clusters a group.
CLUSTERS = [row // 3 for row in range(60)]
BLOCKS = [row // 6 for row in range(60)]
SIZES = [10] * 10


@given(
    clusters=st.lists(st.integers(0, 8), min_size=1, max_size=40),
    limit=st.integers(1, 50),
    seed=st.integers(0, 5),
    per_block=st.integers(1, 7),
)
def test_clusters_stay_whole_and_the_limit_is_met_where_there_are_enough(clusters, limit, seed, per_block):
    blocks = [row // per_block for row in range(len(clusters))]
    rows = draw(clusters, blocks, [5] * (blocks[-1] + 1), limit=limit, seed=seed)
    assert len(rows) == len(set(rows))
    assert len(rows) >= min(limit, len(clusters))
    taken = {clusters[row] for row in rows}
    assert sorted(rows) == [row for row, cluster in enumerate(clusters) if cluster in taken]
    more = draw(clusters, blocks, [5] * (blocks[-1] + 1), limit=limit + 3, seed=seed)
    assert more[: len(rows)] == rows


def test_no_more_than_half_of_the_row_groups_are_opened_while_they_hold_enough():
    for seed in range(20):
        assert len({BLOCKS[row] for row in draw(CLUSTERS, BLOCKS, SIZES, limit=24, seed=seed)}) <= 5


def test_no_more_bytes_are_opened_than_the_budget_has(monkeypatch):
    monkeypatch.setattr(drawing, "READ_AT_MOST", 20)
    for seed in range(20):
        assert len({BLOCKS[row] for row in draw(CLUSTERS, BLOCKS, SIZES, limit=10, seed=seed)}) == 2


def test_a_limit_that_few_row_groups_do_not_hold_is_met_all_the_same():
    assert len(draw(CLUSTERS, BLOCKS, SIZES, limit=60, seed=0)) == 60


def test_each_cluster_is_as_likely_as_any_other():
    seen = Counter(CLUSTERS[draw(CLUSTERS, BLOCKS, SIZES, limit=3, seed=seed)[0]] for seed in range(2000))
    assert sorted(seen) == list(range(20))
    assert max(abs(count - 100) for count in seen.values()) < 45


@pytest.mark.parametrize("seed", range(3))
def test_the_seed_alone_decides(seed):
    assert draw(CLUSTERS, BLOCKS, SIZES, limit=9, seed=seed) == draw(CLUSTERS, BLOCKS, SIZES, limit=9, seed=seed)
