"""What was measured under every perturbation, as a `Robustness`: costs, distances and their rank correlations.

Per layer, across questions:
    ρ( d_l(q) on the clean image,  right_clean(q) - right_perturbed(q) )
of the full model's answers, and of those with layer l alone skipped.

Across layers:
    ρ( mean d_l clean,  mean d_l perturbed )                           whether redundancy keeps its order
    ρ( mean d_l clean,  cost with layer l skipped - cost of the full model )

Shapes: question, arm (the full model, then the skip sets), layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.evaluation.statistics import FEWEST_FLIPS, delta_interval, flips
from skipit_nb.backend.robustness.adversarial import REACH, STEPS
from skipit_nb.backend.robustness.conditions import Perturbation
from skipit_nb.backend.robustness.ranks import Correlation, Resampling
from skipit_nb.backend.selection.agreement import FEWEST_SETS
from skipit_nb.results import (
    OUTCOMES,
    LayerCorrelation,
    LayerOrder,
    PerturbedDistance,
    Provenance,
    Robustness,
    RobustnessRow,
)
from skipit_nb.skipset import MODALITIES, SkipSet

Values = NDArray[np.float64]

ATTACK = (
    "against the full model, transferred to every skip set; loss: -log p(right answer); fgsm: 1 step of ε; "
    f"pgd: {STEPS['pgd']} steps of {REACH / STEPS['pgd']:g} ε from the image itself"
)


@dataclass(frozen=True, slots=True)
class Measured:
    """All questions under one perturbation."""

    condition: Perturbation
    right: Values
    """[question, arm] score of the answer, 0 to 1."""
    likely: Values
    """[question, arm] log p(right answer), in nats; nan where it cannot be had."""
    distance: Values
    """[question, layer] of the vision tokens, in 1 - cos."""

    def cost(self, clean: Measured, outcome: str) -> Values:
        """[question, arm] what this perturbation costs against the clean images, in one of `OUTCOMES`."""
        return clean.right - self.right if outcome == "accuracy" else clean.likely - self.likely


def report(
    provenance: Provenance, arms: Sequence[SkipSet], clusters: Sequence[str], found: Sequence[Measured]
) -> Robustness:
    """Put the numbers together.

    Args:
        provenance: Its seed is also that of the resampling.
        arms: The empty set, then the others.
        clusters: The image of each question.
        found: Clean first.
    """
    clean, *perturbed = found
    resampling = Resampling(clusters, provenance.seed)
    return Robustness(
        provenance=provenance,
        rows=tuple(row for one in found for row in _rows(one, clean, arms, clusters)),
        layers=tuple(row for one in found for row in _distances(one)),
        by_layer=tuple(row for one in perturbed for row in by_layer(one, clean, arms, resampling)),
        orders=tuple(row for one in perturbed for row in orders(one, clean, arms, resampling)),
        attack=ATTACK if any(one.condition.is_attack for one in perturbed) else "",
    )


def _rows(one: Measured, clean: Measured, arms: Sequence[SkipSet], clusters: Sequence[str]) -> Iterator[RobustnessRow]:
    cost = one.cost(clean, "accuracy").mean(0)
    for arm, skipset in enumerate(arms):
        before, after = clean.right[:, arm].tolist(), one.right[:, arm].tolist()
        delta, _ = delta_interval(before, after, clusters)
        worse, better = flips(before, after)
        low, high = (0.0, 0.0) if one is clean else (delta.low, delta.high)
        yield RobustnessRow(
            perturbation=one.condition.kind,
            severity=one.condition.severity,
            skipset=skipset,
            accuracy=float(one.right[:, arm].mean()),
            delta=delta.value,
            low=low,
            high=high,
            worse=worse,
            better=better,
            extra=float(cost[arm] - cost[0]),
            log_likelihood=_number(one.likely[:, arm].mean()),
        )


def _distances(one: Measured) -> Iterator[PerturbedDistance]:
    spread = one.distance.std(0, ddof=1) if len(one.distance) > 1 else np.zeros(one.distance.shape[1])
    for layer, distance in enumerate(one.distance.mean(0)):
        yield PerturbedDistance(
            one.condition.kind, one.condition.severity, layer, float(distance), float(spread[layer])
        )


def by_layer(
    one: Measured, clean: Measured, arms: Sequence[SkipSet], resampling: Resampling
) -> Iterator[LayerCorrelation]:
    """Every layer across questions: the full model's answers, then those of sets that act at that layer alone."""
    lone = {arm: named[1] for arm, skipset in enumerate(arms) if (named := lone_layer(skipset))}
    for outcome in OUTCOMES:
        cost = one.cost(clean, outcome)
        of_full = resampling.scores(cost[:, 0])
        for layer, distance in enumerate(clean.distance.T):
            of_layer = resampling.scores(distance)
            for arm in (0, *(arm for arm, acts_at in lone.items() if acts_at == layer)):
                of_cost = resampling.scores(cost[:, arm]) if arm else of_full
                found = resampling.correlation(of_layer, of_cost)
                changed = int(np.count_nonzero(cost[:, arm]))
                yield _correlation(one.condition, layer, arms[arm], outcome, found, changed)


def _correlation(
    condition: Perturbation, layer: int, skipset: SkipSet, outcome: str, found: Correlation, changed: int
) -> LayerCorrelation:
    low, high = _ends(found, changed)
    return LayerCorrelation(condition.kind, condition.severity, layer, skipset, outcome, found.rho, low, high, changed)


def orders(one: Measured, clean: Measured, arms: Sequence[SkipSet], resampling: Resampling) -> Iterator[LayerOrder]:
    """Across layers: whether their order is kept, and for every family of single-layer sets what foretells its cost."""
    kept = resampling.across_layers(clean.distance, one.distance)
    cost = one.cost(clean, "accuracy")
    for family, members in families(arms).items() or [("", {})]:
        at, layers = list(members), list(members.values())
        extra = cost[:, at] - cost[:, :1]
        found = resampling.across_layers(clean.distance[:, layers], extra) if at else Correlation(None, None, None)
        yield LayerOrder(
            one.condition.kind, one.condition.severity, kept.rho, kept.low, kept.high,
            family, found.rho, *_ends(found, int(extra.any(1).sum())),
        )  # fmt: skip


def _ends(found: Correlation, changed: int) -> tuple[float | None, float | None]:
    """The interval, where enough questions changed for one: resamples of a few flips hardly differ."""
    return (found.low, found.high) if changed >= FEWEST_FLIPS else (None, None)


def families(arms: Sequence[SkipSet]) -> dict[str, dict[int, int]]:
    """Single-layer sets by what they do there: the number of the arm → its layer. Those with too few are left out."""
    found: dict[str, dict[int, int]] = {}
    for arm, skipset in enumerate(arms):
        if named := lone_layer(skipset):
            found.setdefault(named[0], {})[arm] = named[1]
    return {family: members for family, members in found.items() if len(members) >= FEWEST_SETS}


def lone_layer(skipset: SkipSet) -> tuple[str, int] | None:
    """What a bound set does and where, if it does one thing at one layer: ("vision absent", 3)."""
    acting = [i for i in range(len(skipset.head)) if any(skipset.action(i, name) != "run" for name in MODALITIES)]
    family, _, _ = str(skipset).rpartition(" ")
    return (family, acting[0]) if len(acting) == 1 and ";" not in family else None


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
