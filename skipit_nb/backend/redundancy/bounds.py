"""What one kind of redundancy says about another: each implication as a function of measured numbers.

Reviewers of the paper report this chain of implications: geometric and proximal imply functional, by Lipschitz
constants; a lower bound on mutual information bounds the gap between optimal predictors; Fano-type bounds join the
informational kind. **The formulas here are our reconstruction, not the paper's**; each holds on random finite chains.

d = 1 - cos in [0, 2]; information and log loss in nats. Every argument may be a number or an array of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_DISTANCE = 2.0

Values = NDArray[np.float64]


def tail_from_mean(distance: Any, epsilon: Any) -> Values:
    """Geometric ⇒ proximal: P[d > ε] ≤ E d / ε. 1 says nothing.

    Source:
        Markov's inequality. That the paper joins the two is attested, its form is not: ours.
    """
    return _values(np.minimum(1.0, _values(distance) / _values(epsilon)))


def mean_from_tail(epsilon: Any, tail: Any, largest: float = LARGEST_DISTANCE) -> Values:
    """Proximal ⇒ geometric: E d ≤ ε + D · P[d > ε]. `largest` D says nothing.

    Source:
        Ours: split the mean at ε.
    """
    return _values(np.minimum(largest, _values(epsilon) + largest * _values(tail)))


def loss_gap_from_distance(distance: Any, lipschitz: Any) -> Values:
    """Geometric ⇒ functional: a loss that is α-Lipschitz in the *direction* of the state changes by at most α √(2 E d).

    ‖x / ‖x‖ - y / ‖y‖‖² = 2 d, so E ‖·‖ ≤ √(2 E d) by Jensen. It sees no change of length.

    Source:
        The paper's theorems 1-2 use Lipschitz constants (reviewers); this form is ours.
    """
    return _values(_values(lipschitz) * np.sqrt(2 * _values(distance)))


def loss_gap_from_turns(vision: Any, text: Any, alpha: Any, beta: Any) -> Values:
    """Geometric ⇒ functional with two arguments: a loss h(x, y) changes by at most α √(2 E d_x) + β √(2 E d_y).

        |h(x, y) - h(x', y')| ≤ α ‖u - u'‖ + β ‖v - v'‖

    Args:
        vision: E d_x, the summed distance of the vision tokens of a question: half the squared length of their turn.
        text: E d_y, the same of the text tokens.
        alpha: α, of the directions u of the vision tokens.
        beta: β, of the directions v of the text tokens.

    Source:
        The two constants are attested (reviewers of the paper's theorems 1-2), their arguments are not: vision and text
        are our reading.
    """
    return loss_gap_from_distance(vision, alpha) + loss_gap_from_distance(text, beta)


def log_loss_gap(information: Any) -> Values:
    """Informational ⇒ functional: the best log loss falls by at most I(X_l; Z | X_{l-1}); by exactly that on a chain.

        R*_{l-1} - R*_l = I(Z; X_l) - I(Z; X_{l-1}) ≤ I(X_l; Z | X_{l-1})

    Source:
        The shape is attested (reviewers: information bounds the gap of optimal predictors); the formula is ours.
    """
    return _values(information)


def log_loss_gap_from_entropy(entropy: Any, between: Any) -> Values:
    """The same from how much one boundary tells of the next: R*_{l-1} - R*_l ≤ H(X_l) - I(X_{l-1}; X_l).

    Source:
        As `log_loss_gap`; I(X_l; Z | X_{l-1}) ≤ H(X_l | X_{l-1}).
    """
    return _values(entropy) - _values(between)


def bounded_loss_gap(information: Any, largest_loss: float = 1.0) -> Values:
    """Informational ⇒ functional for a loss in [0, M]: the best loss falls by at most M √(I(X_l; Z | X_{l-1}) / 2).

    Source:
        Ours: Pinsker's and Jensen's inequalities.
    """
    return _values(np.minimum(largest_loss, largest_loss * np.sqrt(np.maximum(information, 0.0) / 2)))


def fano(differing: Any, alphabet: Any) -> Values:
    """Proximal ⇒ informational: H(X_l | X_{l-1}) ≤ h₂(P) + P log(|V| - 1), P = P[X_l ≠ X_{l-1}].

    Both states must be read in one alphabet V. log |V| says nothing.

    Source:
        Fano's inequality. Fano-type bounds are attested (reviewers), their form is not: ours.
    """
    return distance_fano(differing, alphabet, 1, 1)


def distance_fano(tail: Any, alphabet: Any, fewest: Any, most: Any) -> Values:
    """Proximal ⇒ informational, for states that are near and not the same.

        H(X_l | X_{l-1}) ≤ h₂(P) + P log(|V| - fewest) + (1 - P) log most,   P = P[d(X_{l-1}, X_l) > t]

    Args:
        tail: P.
        alphabet: |V|; log |V| says nothing.
        fewest: The least number of points of V within t of one of them, that one included.
        most: The largest such number.

    Source:
        Duchi & Wainwright 2013, "Distance-based and continuum Fano inequalities", arXiv:1311.2669; its use is ours.
    """
    p, size, least, largest = map(_values, (tail, alphabet, fewest, most))
    bound = binary_entropy(p) + p * np.log(np.maximum(size - least, 1)) + (1 - p) * np.log(largest)
    return _values(np.minimum(bound, np.log(size)))


def binary_entropy(p: Any) -> Values:
    """h₂(p) = -p log p - (1 - p) log(1 - p) in nats; 0 at both ends."""
    share = np.clip(_values(p), 0.0, 1.0)
    rest = 1 - share
    # 0 · log 1 = 0: where a share is 0 its logarithm is not asked for.
    return -(share * np.log(np.where(share > 0, share, 1)) + rest * np.log(np.where(rest > 0, rest, 1)))


def _values(number: Any) -> Values:
    return np.asarray(number, dtype=np.float64)
