"""Every implication of `bounds`, on every layer of a live model, as a `BoundsReport`.

One codebook for both boundaries of a layer, so that both states are read in one alphabet; fitted on half of the
images, counted on the other half. α and β are measured on the first half too: only so can their bounds fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.redundancy import bounds, information
from skipit_nb.backend.redundancy.jacobian import KINDS
from skipit_nb.backend.redundancy.lipschitz import Steps, steps
from skipit_nb.backend.redundancy.quantised import Codebook, Codes, codebook, halves, limit_for, refuse_small
from skipit_nb.backend.redundancy.slopes import Slopes, Turns, slopes, turns
from skipit_nb.backend.redundancy.states import PooledStates, labelled, unit
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import TooFewSamplesError
from skipit_nb.jobs import Tick, part
from skipit_nb.results import BoundRow, BoundsReport, Provenance

SHARE = "share"
NATS = "nats"
BY_STEPS = "geometric ⇒ functional (α, β along steps)"
BY_GRADIENTS = "geometric ⇒ functional (α, β by gradients)"


@dataclass(frozen=True, slots=True)
class Measured:
    """What the rest of the network makes of the layers' steps: slopes on the fitted half, changes on the counted."""

    steps: Steps
    slopes: Slopes
    turns: Turns


def measure(live: LiveModel, examples: Sequence[Example], seed: int, *, batch_size: int, tick: Tick) -> Measured:
    """Run the model without each layer, and with each layer's turn taken back."""
    fitted, counted = halves(labelled(examples).clusters, seed)
    here, there = ([one for one, is_in in zip(examples, half, strict=True) if is_in] for half in (fitted, counted))
    return Measured(
        steps(live, examples, batch_size=batch_size, tick=part(tick, 0, 3)),
        slopes(live, here, batch_size=batch_size, tick=part(tick, 1, 3)),
        turns(live, there, batch_size=batch_size, tick=part(tick, 2, 3)),
    )


def refuse_too_few(clusters: NDArray[np.int64], k: int, seed: int) -> None:
    """Before anything is measured.

    Raises:
        SettingError: If k is below 2.
        TooFewSamplesError: If a half has fewer questions than codes, saying how many it takes.
    """
    refuse_small(k)
    half = int(min(each.sum() for each in halves(clusters, seed)))
    if half < k:
        raise TooFewSamplesError(f"questions in a half, for k = {k}", half, k, f"Take {limit_for(k, half, clusters)}.")


def report(
    found: PooledStates, measured: Measured, provenance: Provenance, *, view: str, k: int, epsilon: float
) -> BoundsReport:
    """Compare what was measured with what each implication allows.

    Raises:
        SettingError: If the view is unknown.
    """
    fitted, counted = halves(found.clusters, provenance.seed)
    states = found.of(view)
    rows: list[BoundRow] = []
    for layer in range(provenance.num_layers):
        before, after = states[layer], states[layer + 1]
        book = codebook(np.concatenate([before[fitted], after[fitted]]), k, provenance.seed)
        coded = _Coded(book, book.codes(before[counted]), book.codes(after[counted]), found.answers[counted])
        rows += _of_distance(layer, before[counted], after[counted], epsilon)
        rows += _of_steps(layer, measured.steps, fitted, counted)
        rows += _of_turns(layer, measured.slopes, measured.turns)
        rows += _of_codes(layer, coded, epsilon)
    why = measured.slopes.why_not
    return BoundsReport(provenance, view, k, epsilon, tuple(rows), f"{BY_GRADIENTS}: {why}" if why else "")


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


def _of_turns(layer: int, found: Slopes, turns: Turns) -> Iterator[BoundRow]:
    """α of the vision tokens, β of the text tokens, each as its largest value on the other half."""
    vision, text = ((turns.turn[kind, layer] ** 2).mean() / 2 for kind in range(len(KINDS)))
    for name, slope in ((BY_STEPS, found.along), (BY_GRADIENTS, found.steepest)):
        if not slope.size:
            continue
        alpha, beta = slope[:, layer].max(1)
        premise = f"Σ d = {vision:.4g} of vision, {text:.4g} of text; α ≥ {alpha:.4g}, β ≥ {beta:.4g}"
        yield BoundRow(layer, name, premise, "mean |change of 1 - p(right)|, tokens turned back",
                       float(turns.change[layer].mean()),
                       float(bounds.loss_gap_from_turns(vision, text, alpha, beta)), 1.0, SHARE)  # fmt: skip


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
    entropy, left = information.entropy(after), information.conditional_entropy(answers, before)
    gap, error = "fall of the best log loss", _best_error(before, answers)
    yield BoundRow(layer, "informational ⇒ functional (log loss)", f"I(X_l; Z | X_l-1) = {added:.4g}", gap,
                   told - told_before, float(bounds.log_loss_gap(added)), left, NATS)  # fmt: skip
    yield BoundRow(layer, "entropy ⇒ functional (log loss)", f"I(X_l-1; X_l) = {between:.4g}", gap,
                   told - told_before, float(bounds.log_loss_gap_from_entropy(entropy, between)), left,
                   NATS)  # fmt: skip
    yield BoundRow(layer, "informational ⇒ functional (0/1 loss)", f"I(X_l; Z | X_l-1) = {added:.4g}",
                   "fall of the best error", error - _best_error(after, answers),
                   float(bounds.bounded_loss_gap(added)), error, SHARE)  # fmt: skip
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
