"""What is fixed before any label is seen: the band that is predicted, those it is held against, what is foretold."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from skipit_nb.backend.reproduction.curves import Curves, Values, curves
from skipit_nb.backend.selection import conditions
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.results import Recommendation
from skipit_nb.skipset import SkipSet

RANKED_SHARE = 4
"""Where bands as long as what is predicted cannot be ranked, those of a quarter of the decoder are."""
MOST_BANDS = 40
"""Of more bands so many are drawn at random."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """Everything that labels will judge, and that no label had a part in."""

    predicted: SkipSet
    """Late entry and/or early exit; empty if no layer at either end meets both conditions."""
    ends: str
    """Why the first and the last layer are, or are not, part of it."""
    middle: SkipSet
    """As many layers around the middle; empty if it is."""
    span: int
    """Layers of every band that is ranked."""
    bands: tuple[SkipSet, ...]
    """Every band of `span` layers that the model can run, or `MOST_BANDS` of them."""
    curves: Curves
    scores: dict[str, Values]
    """[layer] "both", "distance" and "VAR": each low where a layer should be redundant."""


def fix(data: Calibration) -> Fixed:
    """Measure the questions without their answers and fix what will be judged.

    The answers are taken off the questions first, so that what is fixed cannot depend on them.

    Args:
        data: The questions to fix by.

    Raises:
        UnsupportedSkipError: If the model can leave out vision tokens in no band.
    """
    blind = data.on([replace(example, answer="", answers=(), kind="") for example in data.examples])
    profile = blind.profile()
    advice = conditions.recommend(profile)
    width = len(advice.skipset.layers("absent", "vision"))
    span = ranked_span(width, profile.num_layers)
    found = curves(blind, profile)
    return Fixed(
        advice.skipset,
        _ends(advice),
        middle_band(width, profile.num_layers),
        span,
        drawn_bands(blind, span),
        found,
        {"both": worse_rank(found.distance, found.var), "distance": found.distance, "VAR": found.var},
    )


def ranked_span(width: int, depth: int) -> int:
    """How long the bands are that are ranked: as long as what is predicted, so that it could be one of them.

    Of bands longer than half the decoder there are few, and all hold the same middle; then, or if nothing is
    predicted, a quarter of the decoder.
    """
    return width if 0 < width <= depth / 2 else max(1, depth // RANKED_SHARE)


def middle_band(width: int, depth: int) -> SkipSet:
    """Vision tokens absent in `width` layers around the middle; where they cannot be centred, one layer earlier."""
    start = (depth - width) // 2
    return SkipSet.absent(range(start, start + width), num_layers=depth)


def drawn_bands(data: Calibration, span: int) -> tuple[SkipSet, ...]:
    """Vision tokens absent in each band of `span` layers, by place; `MOST_BANDS` drawn at random if there are more."""
    depth = data.num_layers
    starts = range(depth - span + 1)
    every = data.supported(SkipSet.absent(range(a, a + span), num_layers=depth) for a in starts)
    if len(every) <= MOST_BANDS:
        return tuple(every)
    draw = random.Random(data.provenance.seed)  # noqa: S311  a draw of bands, not a secret
    return tuple(every[i] for i in sorted(draw.sample(range(len(every)), MOST_BANDS)))


def worse_rank(distance: Values, var: Values) -> Values:
    """[layer] the larger of a layer's two ranks, from 0 to 1: low only where *both* are low, as the conditions ask.

    Ranks, because no scale joins a distance and an attention mass. A layer whose flow cannot be measured ranks last.
    """
    ranks = [stats.rankdata(np.nan_to_num(values, nan=np.inf)) / len(values) for values in (distance, var)]
    worse: Values = np.maximum(*ranks)
    return worse


def _ends(advice: Recommendation) -> str:
    first, last = advice.reasons[0], advice.reasons[-1]
    return f"layer {first.layer}: {first.why}; layer {last.layer}: {last.why}"
