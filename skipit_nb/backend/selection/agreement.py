"""Do label-free scores foretell what skipping costs? Rank correlation, with intervals and a control for chance.

Shapes:
    score    `SCORES`
    layer    num_layers
    set      skip sets of one family
    draw     resamples of images, or random orders of layers
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.backend.selection.splitting import halves
from skipit_nb.backend.tasks.scoring import score as scored
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError
from skipit_nb.results import OUTCOMES, SCORES, Agreement, AgreementRow, SkipCost
from skipit_nb.results.profile import epsilon_index
from skipit_nb.skipset import MODALITIES, SkipSet

Values = NDArray[np.float64]

FAMILIES: dict[str, Callable[[int], list[SkipSet]]] = {
    "whole": lambda n: [SkipSet.whole(i, num_layers=n) for i in range(n)],
    "vision frozen": lambda n: [SkipSet.freeze(i, num_layers=n) for i in range(n)],
    "vision absent": lambda n: [SkipSet.absent(i, num_layers=n) for i in range(n)],
    "late entry": lambda n: [SkipSet.late_entry(k, num_layers=n) for k in range(1, n)],
    "early exit": lambda n: [SkipSet.early_exit(k, num_layers=n) for k in range(1, n)],
    "band": lambda n: [SkipSet.absent(range(a, a + width(n)), num_layers=n) for a in range(n - width(n) + 1)],
}
BAND_SHARE = 4
"""The bands of a family are a quarter of the decoder: all of one length, so that length foretells nothing."""
FEWEST_SETS = 3
"""A family of which the model can run fewer is left out."""
DRAWS = 2000
LEVEL = 0.95


def agreement(data: Calibration, *, epsilon: float) -> Agreement:
    """Measure scores on one half of the images, costs on the other, and correlate their ranks.

    A set's score is the mean over the layers that it skips: a sum would grow with the number of layers, as the cost
    does, and correlate by that alone.

    Args:
        data: The questions of both halves.
        epsilon: ε of the tail probability, in 1 - cos.

    Raises:
        NoExamplesError: If there are no questions.
        SettingError: If they are about one image, or ε is out of range.
        UnsupportedSkipError: If the model's attention takes no masks of ours.
    """
    if not data.examples:
        raise NoExamplesError("an agreement")
    epsilon_index(epsilon)  # out of range it is refused before anything is measured
    first, second = halves(data.examples, data.provenance.seed)
    families = {name: data.supported(make(data.num_layers)) for name, make in FAMILIES.items()}
    families = {name: sets for name, sets in families.items() if len(sets) >= FEWEST_SETS}
    scores = layer_scores(data.on(first), epsilon)
    lost = _lost(data.on(second), [skipset for sets in families.values() for skipset in sets])
    clusters = [example.cluster for example in second]
    rows, costs, done = list[AgreementRow](), list[SkipCost](), 0
    for family, sets in families.items():
        of_family = [losses[:, done : done + len(sets)] for losses in lost]
        done += len(sets)
        member = memberships(sets, data.num_layers)
        rows += [
            correlated(family, outcome, name, scores[i], member, losses, clusters, data.provenance.seed)
            for outcome, losses in zip(OUTCOMES, of_family, strict=True)
            for i, name in enumerate(SCORES)
        ]
        costs += _costs(family, sets, member @ scores.T, of_family)
    made = data.on([*first, *second]).provenance
    return Agreement(made, len(first), epsilon, tuple(rows), tuple(costs))


def width(depth: int) -> int:
    """Layers of each band; two at least, else it were a single layer."""
    return max(2, depth // BAND_SHARE)


def layer_scores(data: Calibration, epsilon: float) -> Values:
    """[score, layer] in the order of `SCORES`; nan where a score cannot be had."""
    profile, depth = data.profile(), data.num_layers
    freezing = data.supported(FAMILIES["vision frozen"](depth))
    kls = dict(zip(freezing, data.kls(freezing), strict=True))
    flow = {row.layer: row.var for row in profile.flow}
    return np.array(
        [
            profile.distances("vision"),
            profile.tails(epsilon, "vision"),
            [flow.get(i, math.nan) for i in range(depth)],
            [kls.get(skipset, math.nan) for skipset in FAMILIES["vision frozen"](depth)],
            data.bands().block_influence("all"),
        ]
    )


def memberships(sets: Sequence[SkipSet], depth: int) -> Values:
    """[set, layer] the share of every layer in a set's mean score: 1 / skipped layers where it skips, else 0."""
    is_skipped = np.array([[any(s.action(i, m) != "run" for m in MODALITIES) for i in range(depth)] for s in sets])
    shares: Values = is_skipped / is_skipped.sum(1, keepdims=True)
    return shares


def correlated(
    family: str,
    outcome: str,
    name: str,
    of_layers: Values,
    member: Values,
    losses: Values,
    clusters: Sequence[str],
    seed: int,
) -> AgreementRow:
    """One score against one cost.

    Args:
        family: Of the sets.
        outcome: What was lost.
        name: Of the score.
        of_layers: [layer] the score.
        member: [set, layer] as `memberships` gives it.
        losses: [question, set] what each question lost.
        clusters: The image of each question.
        seed: Of the draws.
    """
    draw, foretold, cost = np.random.default_rng(seed), member @ of_layers, losses.mean(0)
    rho = float(spearman(foretold, cost))
    if math.isnan(rho):
        return AgreementRow(family, outcome, name, len(member), None, None, None, None, None)
    resampled = spearman(foretold, _resampled_means(losses, clusters, draw))
    low, high = np.nanquantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    orders = draw.permuted(np.tile(of_layers, (DRAWS, 1)), axis=1)
    by_chance = spearman(orders @ member.T, cost)
    beaten = int((by_chance >= rho - 1e-12).sum())
    limit = float(np.nanquantile(by_chance, LEVEL))
    p = (1 + beaten) / (1 + DRAWS)
    return AgreementRow(family, outcome, name, len(member), rho, float(low), float(high), limit, p)


def spearman(x: Values, y: Values) -> Values:
    """Spearman's rank correlation along the last axis, ties sharing their mean rank; nan where nothing varies.

    Args:
        x: [set] or [draw, set]
        y: [set] or [draw, set]
    """
    a, b = (stats.rankdata(_rounded(values), axis=-1) for values in (x, y))
    a, b = (ranks - ranks.mean(-1, keepdims=True) for ranks in (a, b))
    size = np.sqrt((a**2).sum(-1) * (b**2).sum(-1))
    known = np.isfinite(x).all(-1) & np.isfinite(y).all(-1) & (size > 0)
    rho: Values = np.where(known, (a * b).sum(-1) / np.where(size > 0, size, 1), np.nan)
    return rho


def _rounded(values: Values) -> Values:
    """Means of the same numbers in another order are equal; the last bits are noise."""
    return np.round(values, 12)


def _resampled_means(losses: Values, clusters: Sequence[str], draw: np.random.Generator) -> Values:
    """[draw, set] mean losses over images drawn with replacement, all questions of an image together."""
    _, codes = np.unique(np.asarray(clusters), return_inverse=True)
    groups = int(codes.max()) + 1
    weights = draw.multinomial(groups, np.full(groups, 1 / groups), size=DRAWS)[:, codes]
    means: Values = weights @ losses / weights.sum(1, keepdims=True)
    return means


def _lost(data: Calibration, sets: Sequence[SkipSet]) -> tuple[Values, Values]:
    """[question, set] accuracy and log-likelihood lost against the full model."""
    rows = data.prefilled(sets)
    right = np.array([_scores(example, row.texts) for example, row in zip(data.examples, rows, strict=True)])
    likely = np.array([row.log_likelihoods for row in rows])
    return right[:, :1] - right[:, 1:], likely[:, :1] - likely[:, 1:]


def _scores(example: Example, texts: Sequence[str]) -> list[float]:
    return [scored(text, example).value for text in texts]


def _costs(family: str, sets: Sequence[SkipSet], foretold: Values, lost: Sequence[Values]) -> list[SkipCost]:
    accuracy, likelihood = (losses.mean(0) for losses in lost)
    return [
        SkipCost(family, skipset, float(accuracy[i]), _number(likelihood[i]), tuple(map(_number, foretold[i])))
        for i, skipset in enumerate(sets)
    ]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
