"""Partial information decomposition: what two sources tell about the answer alone, both, and only together.

BROJA: among all joint distributions with the same pairs (source 1, answer) and (source 2, answer), take the one in
which both sources together tell least. It is a convex program; cvxpy solves it.

Shapes: joint [answer, first, second].
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.redundancy.bounds import Values
from skipit_nb.backend.redundancy.information import against
from skipit_nb.backend.redundancy.quantised import Codes
from skipit_nb.backend.redundancy.shuffling import shuffled
from skipit_nb.errors import MissingPackageError, SettingError

MOST_CODES = 8
"""More codes than this need more questions than anyone has."""


@dataclass(frozen=True, slots=True)
class Parts:
    """I(Z; first, second) = redundant + unique_first + unique_second + synergistic, in nats."""

    redundant: float
    """What either source tells."""
    unique_first: float
    """What only the first tells."""
    unique_second: float
    """What only the second tells."""
    synergistic: float
    """What neither tells, but both together do."""


def decomposition(joint: NDArray[Any]) -> Parts:
    """The four parts of what two sources tell about an answer, in nats; each at least 0, up to the solver's 1e-6.

        minimise I_Q(Z; X, Y)  over  Q with Q(z, x) = P(z, x) and Q(z, y) = P(z, y)
        unique_first = I_Q(Z; X | Y)   unique_second = I_Q(Z; Y | X)   synergistic = I_P(Z; X, Y) - I_Q(Z; X, Y)

    It is one of several definitions: "redundant" here depends on the pairs alone. Counted from samples it is too
    high, most of all synergy; see it beside its null.

    Args:
        joint: [answer, first, second] probabilities or counts.

    Raises:
        MissingPackageError: Without cvxpy.

    Source:
        Bertschinger, Rauh, Olbrich, Jost, Ay 2014, "Quantifying Unique Information", arXiv:1311.2852. The paper names
        PID (a machine-made summary says so); whether it estimates it is unknown. Use and estimate are ours.
    """
    p: Values = np.asarray(joint, dtype=np.float64)
    p = p / p.sum()
    least = _largest_entropy(p)
    z_first, z_second = p.sum(2), p.sum(1)
    unique_first = _conditional(z_second) - least
    unique_second = _conditional(z_first) - least
    told_first = _entropy(p.sum((1, 2))) - _conditional(z_first)
    together = _entropy(p) - _entropy(p.sum(0))
    parts = (told_first - unique_first, unique_first, unique_second, least - together)
    return Parts(*map(float, parts))


def of_codes(first: Codes, second: Codes, answers: Codes) -> Parts:
    """The parts of what two codes tell about answers, from counts.

    Raises:
        SettingError: If a source has more than `MOST_CODES` codes.
    """
    shape = tuple(int(codes.max()) + 1 for codes in (answers, first, second))
    if max(shape[1:]) > MOST_CODES:
        raise SettingError("k", max(shape[1:]), f"at most {MOST_CODES} for a decomposition")
    counts = np.zeros(shape)
    np.add.at(counts, (answers, first, second), 1)
    return decomposition(counts)


def null_of(
    first: Codes, second: Codes, answers: Codes, clusters: Codes | None = None, *, permutations: int, seed: int = 0
) -> tuple[Parts, Parts]:
    """Mean and 95 % quantile of each part where the answers are shuffled: what the decomposition finds in nothing.

    Whole images change places, if `clusters` says which question is about which.
    """
    rng = np.random.default_rng(seed)
    runs = [of_codes(first, second, shuffled(answers, rng, clusters=clusters)) for _ in range(permutations)]
    found = [against(0.0, [getattr(run, name) for run in runs])[:2] for name in Parts.__dataclass_fields__]
    return Parts(*(mean for mean, _ in found)), Parts(*(high for _, high in found))


def _largest_entropy(p: Values) -> float:
    """The largest H_Q(Z | X, Y) over all Q with the pairs of `p`, in nats."""
    cp = solver()
    z, x, y = np.nonzero((p.sum(2)[:, :, None] > 0) & (p.sum(1)[:, None, :] > 0))
    q = cp.Variable(len(z), nonneg=True)
    pairs = [_rows(z * p.shape[1] + x) @ q == _sums(z * p.shape[1] + x, p.sum(2)),
             _rows(z * p.shape[2] + y) @ q == _sums(z * p.shape[2] + y, p.sum(1))]  # fmt: skip
    cells, cell = np.unique(x * p.shape[2] + y, return_inverse=True)
    told = cp.Variable(len(cells))  # its own variable, Q(x, y): written out, the program would not be sparse
    pairs.append(_rows(cell) @ q == told)
    problem = cp.Problem(cp.Minimize(cp.sum(cp.rel_entr(q, told[cell]))), pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "solution may be inaccurate": the value is still good to 1e-6
        problem.solve(solver=cp.CLARABEL)
    found = np.maximum(q.value, 0.0)  # the solver may leave -1e-12, where an entropy is not defined
    told_found: Values = np.bincount(cell, weights=found).astype(np.float64)
    return _entropy(found) - _entropy(told_found)


def _rows(index: Codes) -> Any:
    """Sparse [group, entry] sums over the entries of each group."""
    from scipy import sparse

    groups, row = np.unique(index, return_inverse=True)
    return sparse.csr_array((np.ones(len(index)), (row, np.arange(len(index)))), (len(groups), len(index)))


def _sums(index: Codes, pair: Values) -> Values:
    return pair.ravel()[np.unique(index)]


def _entropy(p: Values) -> float:
    some = p[p > 0]
    return float(-(some * np.log(some)).sum())


def _conditional(pair: Values) -> float:
    """H(Z | X) of [answer, source]."""
    return _entropy(pair) - _entropy(pair.sum(0))


def solver() -> Any:
    """cvxpy, loaded on first use.

    Raises:
        MissingPackageError: If it is not installed.
    """
    try:
        import cvxpy
    except ImportError as error:
        raise MissingPackageError("cvxpy", "a partial information decomposition", "pip install 'skipit-nb[theory]'") \
            from error  # fmt: skip
    return cvxpy
