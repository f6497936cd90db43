"""`RedundancyProfile`: how far each layer moves each kind of token, and where text reads the image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.patch_place import PatchPlace
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.sample_tokens import SampleTokens
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd

EPSILONS: tuple[float, ...] = tuple(2.0 * 10 ** (-6 * (255 - i) / 255) for i in range(256))
"""The fixed grid of 256 thresholds ε for P[d > ε], logarithmic from 2e-6 to 2 (the largest distance)."""

TOKENS = ("vision", "text", "first")
"""Kinds of tokens: rows on image positions; all other rows but the first; the first row (the attention sink)."""


@dataclass(frozen=True, slots=True)
class LayerDistance:
    """One layer, one kind of token: the distance between a token's state before and after the layer."""

    layer: int
    """Decoder layer, from 0."""
    tokens: str
    """"vision", "text" or "first"; or the name under which the caller gave rows of another modality."""
    distance: float
    """Mean over samples of the mean over tokens of d = 1 - cos, 0 (unmoved) to 2 (reversed). Low = redundant."""
    spread: float
    """Standard deviation over samples of the sample means, in the same unit; 0 with one sample."""
    tail: tuple[float, ...]
    """P[d > ε] at each of `EPSILONS`: tokens within a sample first, then samples. Low = redundant."""
    norm: float
    """Mean length of the state before the layer. Distances do not see length; this does."""
    update: float
    """Mean length of the change, relative to the state before: ‖after - before‖ / ‖before‖."""
    relative_spread: float | None = None
    """Standard deviation over samples of log(distance / that sample's geometric mean over layers): how surely this
    layer keeps its place among the others. 0 with one sample; None in results of earlier versions."""

    @property
    def normalised(self) -> float:
        """Mean of d / 2 = (1 - cos) / 2, 0 (unmoved) to 1 (reversed): `distance` on the other scale in use."""
        return self.distance / 2

    def tail_at(self, epsilon: float) -> float:
        """P[d > ε] for the grid value closest to ε from above, so that it is never more than the true tail."""
        return self.tail[epsilon_index(epsilon)]


@dataclass(frozen=True, slots=True)
class LayerFlow:
    """One layer: how much text attends to the vision tokens (VAR)."""

    layer: int
    """Decoder layer, from 0."""
    var: float
    """Mean over samples and heads of the attention mass on vision keys, 0 to 1. High = text reads the image."""
    spread: float
    """Standard deviation over samples."""
    uniform: float
    """The mass that a flat attention would give: vision keys / all keys the queries may see. Compare `var` with it."""
    heads: tuple[float, ...] = ()
    """VAR of each head, mean over samples; their mean is `var`. Empty in results of earlier versions."""
    query: str = "last"
    """Whose attention it is: "last" is the last prompt token's, "text" the mean over text tokens but the first."""
    chance: float | None = None
    """What VAR would be on average if as many keys, drawn at random among all but the first, were called vision: the
    weights stay as they are. None in results of earlier versions. Compare `var` with it."""
    chance_spread: float = 0.0
    """Standard deviation of one sample's VAR over such draws."""


@dataclass(frozen=True, slots=True, repr=False)
class RedundancyProfile(Stored):
    """Where a model is redundant: per layer and kind of token, distance, tail, norms; per layer, cross-modal flow.

    *Geometric* redundancy is a low mean distance, *proximal* redundancy a low tail probability P[d > ε]; both
    compare the same token before and after one layer. *Cross-modal flow* is VAR, the attention mass that the last
    prompt token puts on vision tokens. The notions are the paper's; these formulas are our definitions.

    What it does not see: a change of length (look at `update`), and whether a small turn matters to the answer.

    Source:
        Hartman et al., "Skip-It? Theoretical Conditions for Layer Skipping in Vision-Language Models",
        arXiv:2509.25584 (notions); Jiang et al. 2025, arXiv:2411.16724 (VAR).
    """

    provenance: Provenance
    layers: tuple[LayerDistance, ...]
    """`num_layers` rows for each kind of token that occurred, sorted by layer, then by `TOKENS` and kinds by hand."""
    flow: tuple[LayerFlow, ...]
    """One row per layer whose attention can be recomputed (linear attention has none), or empty where flow was not
    measured."""
    images: int = 0
    """Different images among the samples; 0 in results of earlier versions, where every question counts as one."""
    per_token: tuple[SampleTokens, ...] = ()
    """Every single token's distances, one entry a question, where they were asked for."""
    unit: str = "distance: 1 - cos, 0 to 2; tail, VAR: share; norm: length of the state; update: share of it"
    redundant_when: str = "low"
    source: str = "arXiv:2509.25584 (notions; formulas ours), arXiv:2411.16724 (VAR)"

    @property
    def num_layers(self) -> int:
        """Decoder layers of the model."""
        return self.provenance.num_layers

    @property
    def num_samples(self) -> int:
        """Questions that were measured."""
        return len(self.provenance.samples)

    def of(self, tokens: str) -> tuple[LayerDistance, ...]:
        """The rows of one kind of token, by layer.

        Raises:
            SettingError: If no such token occurred in the samples.
        """
        rows = tuple(row for row in self.layers if row.tokens == tokens)
        if not rows:
            present = ", ".join(sorted({row.tokens for row in self.layers}))
            raise SettingError("tokens", tokens, f"one of those that occurred: {present}")
        return rows

    def distances(self, tokens: str = "vision") -> tuple[float, ...]:
        """Mean distance per layer of one kind of token, in 1 - cos. Low = redundant."""
        return tuple(row.distance for row in self.of(tokens))

    def normalised(self, tokens: str = "vision") -> tuple[float, ...]:
        """The same as (1 - cos) / 2, from 0 to 1. Low = redundant."""
        return tuple(row.normalised for row in self.of(tokens))

    def tails(self, epsilon: float, tokens: str = "vision") -> tuple[float, ...]:
        """P[d > ε] per layer of one kind of token. Low = redundant."""
        return tuple(row.tail_at(epsilon) for row in self.of(tokens))

    @property
    def flow_by_layer(self) -> tuple[LayerFlow | None, ...]:
        """Cross-modal flow with one entry per layer, None where it was not measured: what a plot lays over layers."""
        measured = {row.layer: row for row in self.flow}
        return tuple(measured.get(layer) for layer in range(self.num_layers))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer and kind of token: layer, tokens, distance, spread, norm, update, var, var_uniform.

        `tail_frame` has the tails, `head_frame` VAR head by head, `token_frame` single tokens where they were kept.
        """
        import pandas as pd

        flow = self.flow_by_layer
        return pd.DataFrame(
            [
                {
                    "layer": row.layer,
                    "tokens": row.tokens,
                    "distance": row.distance,
                    "spread": row.spread,
                    "norm": row.norm,
                    "update": row.update,
                    "var": here.var if (here := flow[row.layer]) else math.nan,
                    "var_uniform": here.uniform if here else math.nan,
                }
                for row in self.layers
            ]
        )

    @property
    def head_frame(self) -> pd.DataFrame:
        """One row per layer and head: layer, head, query, var, var_uniform. Empty where flow was not measured."""
        import pandas as pd

        columns = ["layer", "head", "query", "var", "var_uniform"]
        rows = [
            (row.layer, head, row.query, var, row.uniform) for row in self.flow for head, var in enumerate(row.heads)
        ]
        return pd.DataFrame(rows, columns=columns)

    def tail_frame(self, epsilon: float) -> pd.DataFrame:
        """One row per layer and kind of token: layer, tokens, epsilon, tail = P[d > ε]."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"layer": r.layer, "tokens": r.tokens, "epsilon": epsilon, "tail": r.tail_at(epsilon)}
                for r in self.layers
            ]
        )

    @property
    def token_frame(self) -> pd.DataFrame:
        """One row per layer, question and token: layer, sample, position, tokens (its kind), distance.

        Raises:
            SettingError: If single tokens were not kept.
        """
        import pandas as pd

        if not self.per_token:
            raise SettingError("profile", self, "one measured by session.profile(..., per_token=True)")
        columns = ["layer", "sample", "position", "tokens", "distance"]
        rows = [
            (layer, one.sample, position, kind, distance)
            for one in self.per_token
            for layer, distances in enumerate(one.distance)
            for position, (kind, distance) in enumerate(zip(one.tokens, distances, strict=True))
        ]
        return pd.DataFrame(rows, columns=columns)

    def __repr__(self) -> str:
        made = self.provenance
        questions = f"{self.num_samples} question{'' if self.num_samples == 1 else 's'}"
        where = f"{made.task}, {questions}" if made.task else questions
        flow = "with" if self.flow else "without"
        return f"RedundancyProfile({made.model}, {self.num_layers} layers, {where}, {flow} cross-modal flow)"


@dataclass(frozen=True, slots=True, repr=False)
class TokenDistances(Stored):
    """One question, token by token: how far each layer moves each token. What the patch overlay shows."""

    provenance: Provenance
    tokens: tuple[str, ...]
    """The text of each token of the prompt, in order; vision tokens read as the image token."""
    is_vision: tuple[bool, ...]
    """For each token, whether it sits on an image position."""
    grid: tuple[int, int]
    """Rows and columns of the vision tokens over the image; (0, 0) if they form no single grid."""
    distance: tuple[tuple[float, ...], ...]
    """[layer][token] d = 1 - cos between the token's state before and after the layer, 0 to 2."""
    norm: tuple[tuple[float, ...], ...] = ()
    """[layer][token] length of the token's state before the layer. Empty in results of earlier versions."""
    places: tuple[PatchPlace | None, ...] = ()
    """For each vision token, in order, the part of a picture it was made from; None for a newline token and for
    padding. Empty where it is not known, and in results of earlier versions: see `patches`."""
    unit: str = "distance: 1 - cos, 0 to 2; norm: length of the state"
    redundant_when: str = "low"
    source: str = "arXiv:2509.25584 (notion; formula ours)"

    def vision(self, layer: int) -> tuple[float, ...]:
        """The vision tokens' distances at one layer, in reading order of the image."""
        return tuple(d for d, seen in zip(self.distance[layer], self.is_vision, strict=True) if seen)

    @property
    def patches(self) -> tuple[PatchPlace | None, ...]:
        """Where each vision token lies: its place, or that in a single grid over the image; empty if not known."""
        rows, columns = self.grid
        if self.places or rows * columns != sum(self.is_vision):
            return self.places
        return tuple(
            PatchPlace(0, 0, column / columns, row / rows, (column + 1) / columns, (row + 1) / rows)
            for row in range(rows)
            for column in range(columns)
        )

    @property
    def frame(self) -> pd.DataFrame:
        """One row per layer and token: layer, position, token, is_vision, distance."""
        import pandas as pd

        return pd.DataFrame(
            [
                {"layer": layer, "position": i, "token": token, "is_vision": seen, "distance": d}
                for layer, row in enumerate(self.distance)
                for i, (token, seen, d) in enumerate(zip(self.tokens, self.is_vision, row, strict=True))
            ]
        )

    def __repr__(self) -> str:
        return f"TokenDistances({len(self.distance)} layers, {len(self.tokens)} tokens, {sum(self.is_vision)} vision)"


def epsilon_index(epsilon: float) -> int:
    """Index into `EPSILONS` of the smallest grid value that is not below ε.

    Raises:
        SettingError: If ε is outside (0, 2].
    """
    if not 0 < epsilon <= EPSILONS[-1]:
        raise SettingError("epsilon", epsilon, "a distance in 1 - cos, above 0 and at most 2")
    return next(i for i, value in enumerate(EPSILONS) if value >= epsilon * (1 - 1e-9))
