"""Which rows a limit takes: whole clusters at random, from no more of the files than need be."""

from __future__ import annotations

import random
from collections.abc import Hashable, Sequence

READ_AT_MOST = 64_000_000
"""Bytes of row groups that a limit may open before it stays within those it has opened."""
SHARE_AT_MOST = 0.5
"""Of a whole split, likewise, so that a small one is not read whole either."""


def draw(
    clusters: Sequence[Hashable], blocks: Sequence[int], sizes: Sequence[int], *, limit: int, seed: int
) -> list[int]:
    """Draw rows until there are at least `limit`, whole clusters together.

    Clusters come in an order that the seed alone decides, every order as likely as any other. Each is taken with all
    its rows, until their row groups come to 64 MB or half of the split; from then on a cluster is taken only if it
    lies in row groups that are opened already. So what is random is the order of clusters: the first of them are a
    simple random sample, the later ones come from a few parts of the files, which chance has opened. A set that is
    sorted by topic is then seen in fewer topics than it has, and a cluster whose rows lie far apart is taken less
    often. If the opened parts do not hold enough, the clusters passed over are taken after all, in their order.

    Args:
        clusters: For each row, what it belongs to.
        blocks: For each row, the number of its row group.
        sizes: Bytes of each row group.
        limit: The least number of rows.
        seed: The same seed gives the same rows, and a larger limit only adds to them.

    Returns:
        Row numbers, the rows of a cluster next to each other.
    """
    members: dict[Hashable, list[int]] = {}
    for row, cluster in enumerate(clusters):
        members.setdefault(cluster, []).append(row)
    order = list(members)
    random.Random(seed).shuffle(order)  # noqa: S311  a draw of questions, not a secret
    budget = min(READ_AT_MOST, SHARE_AT_MOST * sum(sizes))
    chosen: list[int] = []
    opened: set[int] = set()
    passed_over: list[Hashable] = []
    for cluster in order:
        if len(chosen) >= limit:
            return chosen
        needed = opened | {blocks[row] for row in members[cluster]}
        if opened and needed != opened and sum(sizes[block] for block in needed) > budget:
            passed_over.append(cluster)
            continue
        opened = needed
        chosen.extend(members[cluster])
    for cluster in passed_over:
        if len(chosen) >= limit:
            break
        chosen.extend(members[cluster])
    return chosen
