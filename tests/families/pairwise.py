"""A covering set: few combinations of values in which every pair of values still occurs together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations, product

Value = tuple[str, str]
"""An axis and one of its values."""

Axes = Mapping[str, Sequence[str]]


def covering(axes: Axes, excluded: Collection[AbstractSet[Value]] = ()) -> list[dict[str, str]]:
    """Combinations of one value an axis in which every pair of values occurs; the same ones on every call.

    No combination holds an excluded set of values, so a pair that is one does not occur.

    Greedy: begin with a pair still missing, then give every other axis the value that brings most missing pairs, the
    one used least so far where several do.
    """
    missing, used, cases = dict.fromkeys(pairs(axes, excluded)), Counter[Value](), []
    while missing:
        case = sorted(next(iter(missing)))
        for axis in [axis for axis in axes if axis not in dict(case)]:
            values = [(axis, value) for value in axes[axis]]
            possible = [value for value in values if not any(bad <= {*case, value} for bad in excluded)]
            gain = {value: sum(frozenset([one, value]) in missing for one in case) for value in possible}
            case.append(min(possible, key=lambda value: (-gain[value], used[value])))
        for pair in combinations(case, 2):
            missing.pop(frozenset(pair), None)
        used.update(case)
        cases.append({axis: dict(case)[axis] for axis in axes})
    return cases


def pairs(axes: Axes, excluded: Collection[AbstractSet[Value]] = ()) -> Iterator[frozenset[Value]]:
    """Every pair of values of two axes, the excluded ones left out."""
    for (one, values), (other, others) in combinations(axes.items(), 2):
        for pair in product(values, others):
            if (found := frozenset(zip((one, other), pair, strict=True))) not in excluded:
                yield found
