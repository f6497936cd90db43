"""Every implication of `bounds`, on every layer of a live model, as a `BoundsReport`.

One codebook for both boundaries of a layer, so that both states are read in one alphabet; fitted on half of the
images, counted on the other half. α is measured on the first half too: only so can its bound fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.redundancy import bounds, information
from skipit_nb.backend.redundancy.lipschitz import Steps
from skipit_nb.backend.redundancy.quantised import Codebook, Codes, codebook, halves
from skipit_nb.backend.redundancy.states import PooledStates, unit
from skipit_nb.errors import TooFewSamplesError
from skipit_nb.results import BoundRow, BoundsReport, Provenance

SHARE = "share"
NATS = "nats"


def report(
    found: PooledStates, steps: Steps, provenance: Provenance, *, view: str, k: int, epsilon: float
) -> BoundsReport:
    """Compare what was measured with what each implication allows.

    Raises:
        SettingError: If the view is unknown, or k too small.
        TooFewSamplesError: If there are too few questions for k.
    """
    fitted, counted = halves(found.clusters, provenance.seed)
    states = found.of(view)
    rows: list[BoundRow] = []
    least = int(min(fitted.sum(), counted.sum()))
    if least < k:
        raise TooFewSamplesError(f"questions in a half, for k = {k}", least, k, f"Take limit={2 * k} or more.")
    for layer in range(provenance.num_layers):
        before, after = states[layer], states[layer + 1]
        book = codebook(np.concatenate([before[fitted], after[fitted]]), k, provenance.seed)
        coded = _Coded(book, book.codes(before[counted]), book.codes(after[counted]), found.answers[counted])
        rows += _of_distance(layer, before[counted], after[counted], epsilon)
        rows += _of_steps(layer, steps, fitted, counted)
        rows += _of_codes(layer, coded, epsilon)
    return BoundsReport(provenance, view, k, epsilon, tuple(rows))


def _of_distance(layer: int, before: NDArray[Any], after: NDArray[Any], epsilon: float) -> Iterator[BoundRow]:
    distance = ((unit(before) - unit(after)) ** 2).sum(1) / 2
    mean, tail = float(distance.mean()), float((distance > epsilon).mean())
    yield BoundRow(layer, "geometric ⇒ proximal", f"E d = {mean:.4g}", f"P[d > {epsilon:g}]",
                   tail, float(bounds.tail_from_mean(mean, epsilon)), 1.0, SHARE)  # fmt: skip
    yield BoundRow(layer, "proximal ⇒ geometric", f"P[d > {epsilon:g}] = {tail:.4g}", "E d",
                   mean, float(bounds.mean_from_tail(epsilon, tail)), bounds.LARGEST_DISTANCE, "1 - cos")  # fmt: skip


def _of_steps(layer: int, steps: Steps, fitted: NDArray[np.bool_], counted: NDArray[np.bool_]) -> Iterator[BoundRow]:
    """Nothing where the model cannot run without this layer."""
    change, distance = steps.change[layer], float(steps.distance[layer, counted].mean())
    if np.isnan(change).any():
        return
    steepest = float(steps.slope()[layer, fitted].max())
    yield BoundRow(layer, "geometric ⇒ functional", f"Σ d = {distance:.4g}, α ≥ {steepest:.4g}",
                   "mean |change of 1 - p(right)| without the layer", float(np.abs(change[counted]).mean()),
                   float(bounds.loss_gap_from_distance(distance, steepest)), 1.0, SHARE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Coded:
    """Both boundaries of one layer in one alphabet, and the answers."""

    book: Codebook
    before: Codes
    after: Codes
    answers: Codes

    def near(self, epsilon: float) -> tuple[float, int, int]:
        """P[d > ε] of the centroids, and the least and largest number of centroids within ε of one."""
        centres = unit(self.book.centroids)
        distance = ((centres[:, None] - centres[None]) ** 2).sum(2) / 2
        counts = (distance <= epsilon).sum(1)
        return float((distance[self.before, self.after] > epsilon).mean()), int(counts.min()), int(counts.max())


def _of_codes(layer: int, coded: _Coded, epsilon: float) -> Iterator[BoundRow]:
    before, after, answers = coded.before, coded.after, coded.answers
    told, told_before = (information.mutual_information(x, answers) for x in (after, before))
    added = information.conditional_information(after, answers, before)
    open_after, between = information.conditional_entropy(after, before), information.mutual_information(before, after)
    entropy, h_z = information.entropy(after), information.entropy(answers)
    gap = "fall of the best log loss"
    yield BoundRow(layer, "informational ⇒ functional (log loss)", f"I(X_l; Z | X_l-1) = {added:.4g}", gap,
                   told - told_before, float(bounds.log_loss_gap(added)), h_z, NATS)  # fmt: skip
    yield BoundRow(layer, "entropy ⇒ functional (log loss)", f"I(X_l-1; X_l) = {between:.4g}", gap,
                   told - told_before, float(bounds.log_loss_gap_from_entropy(entropy, between)), h_z,
                   NATS)  # fmt: skip
    yield BoundRow(layer, "informational ⇒ functional (0/1 loss)", f"I(X_l; Z | X_l-1) = {added:.4g}",
                   "fall of the best error", _best_error(before, answers) - _best_error(after, answers),
                   float(bounds.bounded_loss_gap(added)), _best_error(np.zeros_like(answers), answers),
                   SHARE)  # fmt: skip
    size = coded.book.k
    differing = float((before != after).mean())
    yield BoundRow(layer, "proximal ⇒ informational (Fano)", f"P[code moves] = {differing:.4g}", "H(X_l | X_l-1)",
                   open_after, float(bounds.fano(differing, size)), float(np.log(size)), NATS)  # fmt: skip
    tail, fewest, most = coded.near(epsilon)
    yield BoundRow(layer, "proximal ⇒ informational (distance Fano)", f"P[d > {epsilon:g}] = {tail:.4g}",
                   "H(X_l | X_l-1)", open_after, float(bounds.distance_fano(tail, size, fewest, most)),
                   float(np.log(size)), NATS)  # fmt: skip


def _best_error(x: Codes, answers: Codes) -> float:
    """The share of wrong answers of the best guess that knows `x`."""
    table = np.zeros((int(x.max()) + 1, int(answers.max()) + 1))
    np.add.at(table, (x, answers), 1)
    return float(1 - table.max(1).sum() / len(x))
