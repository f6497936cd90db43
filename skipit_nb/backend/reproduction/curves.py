"""Distance and VAR of every layer, with what resampled images make of them.

Shapes:
    fold   groups of whole images
    draw   `DRAWS` resamples of the folds
    layer  num_layers
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.tasks.task import Example
from skipit_nb.results import LayerEvidence, RedundancyProfile

Values = NDArray[np.float64]

FOLDS = 20
"""Groups of images that are resampled; each is measured by a pass of its own."""
FEWEST_FOLDS = 5
"""With fewer the resamples say nothing of how far images differ, and there is no interval."""
DRAWS = 2000
LEVEL = 0.95
ENDS = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Curves:
    """What was measured of each layer without a label."""

    distance: Values
    """[layer] mean distance of the vision tokens, in 1 - cos. Low = redundant."""
    var: Values
    """[layer] attention mass of the last prompt token on vision tokens; nan where it cannot be measured."""
    uniform: Values
    """[layer] what a flat attention would give."""
    distances: Values
    """[draw, layer] `distance` on resampled images; no draws with too few images."""
    vars: Values
    """[draw, layer]"""

    def evidence(self) -> tuple[LayerEvidence, ...]:
        """One row per layer, with intervals."""
        return tuple(
            LayerEvidence(
                layer,
                float(self.distance[layer]),
                *interval(self.distances[:, layer]),
                known(self.var[layer]),
                *interval(self.vars[:, layer]),
                known(self.uniform[layer]),
            )
            for layer in range(len(self.distance))
        )


def curves(data: Calibration, profile: RedundancyProfile) -> Curves:
    """The curves of a profile, resampled.

        mean of a draw = Σ over folds drawn with replacement (questions · mean) / Σ questions

    Groups of images are resampled, not questions: those about one image are alike.

    Args:
        data: The questions that were profiled; each group of images is measured once more, by itself.
        profile: Of all of them.
    """
    folds = _folds(data.examples)
    parts = [data.on(fold).profile() for fold in folds] if len(folds) >= FEWEST_FOLDS else []
    sizes = np.array([part.num_samples for part in parts], float)
    share = _shares(sizes, data.provenance.seed)
    depth = profile.num_layers
    return Curves(
        np.array(profile.distances("vision")),
        _of_flow(profile, "var"),
        _of_flow(profile, "uniform"),
        share @ np.array([part.distances("vision") for part in parts]).reshape(len(parts), depth),
        share @ np.array([_of_flow(part, "var") for part in parts]).reshape(len(parts), depth),
    )


def interval(draws: Values) -> tuple[float | None, float | None]:
    """The 95 % interval of [draw] resampled values: their quantiles; None where there are no draws or no numbers."""
    if not len(draws) or not np.isfinite(draws).all():
        return None, None
    low, high = np.quantile(draws, ENDS)
    return float(low), float(high)


def known(value: float) -> float | None:
    """The number; None for nan."""
    return float(value) if math.isfinite(value) else None


def _folds(examples: Sequence[Example]) -> list[list[Example]]:
    """Whole images dealt out in turn; questions without an image have no vision tokens to measure."""
    seen = [example for example in examples if example.image is not None]
    turn = {image: i % FOLDS for i, image in enumerate(dict.fromkeys(example.cluster for example in seen))}
    folds = [[example for example in seen if turn[example.cluster] == i] for i in range(FOLDS)]
    return [fold for fold in folds if fold]


def _shares(sizes: Values, seed: int) -> Values:
    """[draw, fold] the part of each fold in a resample; no draws of no folds."""
    if not len(sizes):
        return np.zeros((0, 0))
    drawn = np.random.default_rng(seed).multinomial(len(sizes), np.full(len(sizes), 1 / len(sizes)), size=DRAWS)
    weights = drawn * sizes
    shares: Values = weights / weights.sum(1, keepdims=True)
    return shares


def _of_flow(profile: RedundancyProfile, name: str) -> Values:
    """[layer] one field of the flow; nan where it was not measured."""
    return np.array([getattr(row, name) if row else math.nan for row in profile.flow_by_layer])
