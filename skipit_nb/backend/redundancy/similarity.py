"""Similarity of arrangements: linear CKA and SVCCA between the states before and after every layer.

Shapes:
    state    compared states: one a question (pooled) or several (single tokens)
    feature  d_model
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import starmap

import torch
from torch import Tensor

from skipit_nb.backend.live.finite import BEFORE_LAYER_0, refuse_not_finite
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.redundancy.bands import band_kinds, boundary_states
from skipit_nb.backend.tasks.task import Example
from skipit_nb.errors import NoExamplesError, SettingError, TooFewSamplesError
from skipit_nb.jobs import Tick
from skipit_nb.results import BAND_TOKENS, LayerSimilarity, Provenance, Similarity

FEWEST_STATES = 4
"""The debiased estimator divides by n (n - 3)."""
KEPT_VARIANCE = 0.99
"""SVCCA compares the directions that hold this share of the variance."""
NO_VARIANCE = 1e-12
"""States whose squared deviations are below this share of their squares do not vary."""
TOKENS_PER_QUESTION = 8
"""Tokens drawn of each question where single ones are compared."""


def linear_cka(before: Tensor, after: Tensor) -> float:
    """Debiased linear CKA: 1 the same arrangement up to rotation and scale, about 0 nothing in common.

        CKA = H(X, Y) / √(H(X, X) H(Y, Y))
        H   = ‖XᵀY‖² - n/(n-2) Σᵢ ‖xᵢ‖²‖yᵢ‖² + ‖X‖²‖Y‖² / ((n-1)(n-2)),   columns of X, Y centred

    The usual form has only the first term of H and is biased: with fewer states than features, independent noise
    scores near 1. This one is near 0 there, and may fall a little below. It takes states for independent draws: states
    that occur twice, as those of an image that is asked about twice, bring the bias back.

    Args:
        before: [state, feature], at least 4 states.
        after: [state, feature] the same states later.

    Returns:
        At most 1; nan where states do not vary.

    Source:
        Kornblith et al. 2019, arXiv:1905.00414 (CKA); Song et al. 2012, JMLR 13 (the unbiased estimator of H).
    """
    x, y = _centred(before), _centred(after)
    if not (_varies(before, x) and _varies(after, y)):
        return math.nan
    scale = _debiased(x, x) * _debiased(y, y)
    return float(_debiased(x, y) / scale.sqrt()) if scale > 0 else math.nan


def _debiased(x: Tensor, y: Tensor) -> Tensor:
    n, features = x.shape
    shared = (x.T @ y).square().sum() if n > features else ((x @ x.T) * (y @ y.T)).sum()
    per_x, per_y = x.square().sum(1), y.square().sum(1)
    estimate: Tensor = shared - n / (n - 2) * (per_x @ per_y) + per_x.sum() * per_y.sum() / ((n - 1) * (n - 2))
    return estimate


def svcca(before: Tensor, after: Tensor) -> float:
    """SVCCA: mean correlation of the best matching directions, 1 the same up to a linear map, 0 nothing in common.

    Keep the directions that hold 99 % of the variance on either side, then take the mean canonical correlation. It
    is biased upward: k directions of n independent states correlate by about √(k / n), and fully once k = n - 1.

    Args:
        before: [state, feature]
        after: [state, feature] the same states later.

    Returns:
        0 to 1; nan where states do not vary.

    Source:
        Raghu et al. 2017, arXiv:1706.05806.
    """
    x, y = _centred(before), _centred(after)
    if not (_varies(before, x) and _varies(after, y)):
        return math.nan
    correlations = torch.linalg.svdvals(_main_directions(x).T @ _main_directions(y))
    return float(correlations.clamp(max=1).mean())


def _main_directions(x: Tensor) -> Tensor:
    """[state, direction] orthonormal: the fewest that hold `KEPT_VARIANCE`."""
    directions, sizes, _ = torch.linalg.svd(x, full_matrices=False)
    share = sizes.square().cumsum(0) / sizes.square().sum()
    main: Tensor = directions[:, : int((share < KEPT_VARIANCE).sum()) + 1]
    return main


def _centred(x: Tensor) -> Tensor:
    return x.double() - x.double().mean(0)


def _varies(x: Tensor, centred: Tensor) -> bool:
    return bool(centred.square().sum() > NO_VARIANCE * x.double().square().sum())


METRICS: dict[str, Callable[[Tensor, Tensor], float]] = {"cka": linear_cka, "svcca": svcca}


def similarity(
    live: LiveModel,
    examples: Sequence[Example],
    provenance: Provenance,
    *,
    metric: str,
    tokens: str,
    view: str,
    batch_size: int,
    tick: Tick,
) -> Similarity:
    """Compare the states before and after every layer over `examples`. The lock is taken per batch.

    Args:
        live: The model.
        examples: Questions, each about another image; one gives one pooled state, or 8 tokens drawn with the
            provenance's seed.
        provenance: Stored with the result.
        metric: "cka" or "svcca".
        tokens: One of `BAND_TOKENS`.
        view: "pooled" or "token".
        batch_size: Questions a forward pass.
        tick: Hears of every batch.

    Raises:
        NoExamplesError: If there are no examples.
        SettingError: If metric, tokens or view is unknown.
        TooFewSamplesError: If there are fewer than 4 states.
        NotFiniteError: If a layer gives NaN or infinity.
    """
    for name, value, known in (("metric", metric, METRICS), ("tokens", tokens, BAND_TOKENS),
                               ("view", view, ("pooled", "token"))):  # fmt: skip
        if value not in known:
            raise SettingError(name, value, f"one of {', '.join(known)}")
    if not examples:
        raise NoExamplesError("a similarity")
    recorded, draw = [], torch.Generator().manual_seed(provenance.seed)
    for start in range(0, len(examples), batch_size):
        tick(start, len(examples))
        batch = examples[start : start + batch_size]
        inputs = live.inputs([example.image for example in batch], [example.question for example in batch])
        kinds = band_kinds(inputs, live.anatomy)
        weights = _weights(kinds[BAND_TOKENS.index(tokens)], view, draw)
        with live.lock, torch.inference_mode():
            with boundary_states(live.anatomy) as ends:
                live.model(**inputs, use_cache=False, logits_to_keep=1)
            refuse_not_finite([(BEFORE_LAYER_0, ends[0][0]), *enumerate(ends[1])], kinds.any(0))
            recorded.append(torch.stack([torch.stack([_picked(s, weights) for s in side]) for side in ends]))
    tick(len(examples), len(examples))
    befores, afters = torch.cat(recorded, dim=2)
    states = befores.shape[1]
    if states < FEWEST_STATES:
        mend = "Take more images, or tokens that these questions have."
        raise TooFewSamplesError(f"states of {tokens} tokens, of as many images", states, FEWEST_STATES, mend)
    shuffled = torch.randperm(states, generator=draw)
    found = starmap(METRICS[metric], zip(befores, afters, strict=True))
    chances = starmap(METRICS[metric], zip(befores, afters[:, shuffled], strict=True))
    layers = tuple(
        LayerSimilarity(layer, _number(value), _number(chance))
        for layer, (value, chance) in enumerate(zip(found, chances, strict=True))
    )
    return Similarity(provenance, metric, tokens, view, states, layers)


def _weights(kind: Tensor, view: str, draw: torch.Generator) -> Tensor:
    """[state, batch, seq] what each compared state is the mean of, as shares of positions."""
    weights = []
    for row in kind.any(1).nonzero().flatten().tolist():
        positions = kind[row].nonzero().flatten()
        picks = [positions] if view == "pooled" else positions[_drawn(len(positions), draw)].split(1)
        for pick in picks:
            one = torch.zeros_like(kind, dtype=torch.float32)
            one[row, pick] = 1 / len(pick)
            weights.append(one)
    return torch.stack(weights) if weights else kind.new_zeros((0, *kind.shape), dtype=torch.float32)


def _drawn(count: int, draw: torch.Generator) -> Tensor:
    return torch.randperm(count, generator=draw)[:TOKENS_PER_QUESTION]


def _picked(states: Tensor, weights: Tensor) -> Tensor:
    """[state, feature] of [batch, seq, feature]; positions that count in no state may hold anything."""
    clean = states.float().masked_fill((weights == 0).all(0)[..., None].to(states.device), 0)
    return torch.einsum("nbs,bsd->nd", weights.to(states.device), clean).cpu()


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
