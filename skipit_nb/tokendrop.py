"""`TokenDrop`: from which layer on how many of a prompt's vision tokens go on; which ones, attention decides.

A `SkipSet` says what happens to all tokens of a modality, for every prompt alike. FastV and PyramidDrop drop *some*
vision tokens, chosen anew for every prompt, so they are an action of their own: a baseline to compare skip sets with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from skipit_nb.errors import LayerIndexError, SettingError

RANKED_BY = ("before", "at")
"""Whose attention ranks the tokens at a layer: that of the layer before, as it runs, or the layer's own, on its
input."""

_ROUNDING = 1e-9  # 1 - 0.9 of ten tokens is one token


@dataclass(frozen=True, slots=True)
class TokenDrop:
    """Which share of a prompt's vision tokens is present from which layer on.

    Tokens are ranked by the attention that the last token of the prompt pays them, averaged over heads. Those that
    fall are absent from that layer on: not updated, not attended to, no K/V; the others keep their positions.

    Example:
        >>> drop = TokenDrop.fastv(layer=2, drop=0.5)
        >>> str(drop), drop.kept(layer=7, num_vision=577)
        ('50 % of vision tokens from 2, ranked by the layer before', 288)
        >>> str(TokenDrop.pyramid_drop(32))
        '50 % of vision tokens from 8, 25 % from 16, 12.5 % from 24, ranked by the layer itself'
    """

    stages: tuple[tuple[int, float], ...]
    """(layer, share of the prompt's vision tokens present from it on), layers ascending, shares falling."""
    ranked_by: str = "before"
    """One of `RANKED_BY`."""

    def __post_init__(self) -> None:
        if self.ranked_by not in RANKED_BY:
            raise SettingError("ranked_by", self.ranked_by, " or ".join(map(repr, RANKED_BY)))
        layers, shares = [layer for layer, _ in self.stages], [share for _, share in self.stages]
        first = 1 if self.ranked_by == "before" else 0
        if not layers or layers != sorted(set(layers)) or layers[0] < first:
            raise SettingError("stages", self.stages, f"at least one stage, at ascending layers from {first}")
        if not all(0 <= share <= 1 for share in shares) or shares != sorted(shares, reverse=True):
            raise SettingError("stages", self.stages, "shares of the prompt's vision tokens from 0 to 1, none growing")
        if self.ranked_by == "before" and len(layers) > 1:
            raise SettingError("stages", self.stages, "one stage where the layer before ranks")

    @classmethod
    def fastv(cls, layer: int = 2, *, drop: float = 0.5) -> Self:
        """Drop a share of the vision tokens at one layer, those that the layer before attends to least.

        Args:
            layer: K, at least 1: the first layer without them.
            drop: R, the share that goes, 0 to 1.

        Source:
            Chen et al. 2024, "An Image is Worth 1/2 Tokens After Layer 2", arXiv:2403.06764.
        """
        return cls(((layer, 1 - drop),), "before")

    @classmethod
    def pyramid_drop(cls, num_layers: int, *, keep: float = 0.5, num_stages: int = 3) -> Self:
        """Keep a share of what is left at evenly spaced layers, those that the layer's own attention ranks highest.

        The published code numbers the positions of what is left anew; here every token keeps its own.

        Args:
            num_layers: Decoder layers of the model: with three stages they begin at 1/4, 1/2 and 3/4 of them.
            keep: λ, the share of a stage's tokens that goes on, 0 to 1.
            num_stages: How many times.

        Source:
            Xing et al. 2024, "PyramidDrop", arXiv:2410.17247.
        """
        begins = [round(num_layers * stage / (num_stages + 1)) for stage in range(1, num_stages + 1)]
        return cls(tuple((layer, keep ** (stage + 1)) for stage, layer in enumerate(begins)), "at")

    def kept(self, layer: int, num_vision: int) -> int:
        """How many of `num_vision` vision tokens are present at a layer; a part of a token falls."""
        share = next((share for begin, share in reversed(self.stages) if begin <= layer), 1.0)
        return int(num_vision * share + _ROUNDING)

    def check(self, num_layers: int) -> None:
        """See that every stage begins at a layer of the model.

        Raises:
            LayerIndexError: If one does not.
        """
        if (last := self.stages[-1][0]) >= num_layers:
            raise LayerIndexError(last, num_layers)

    def code(self) -> str:
        """A Python expression that makes this drop."""
        return repr(self)

    def __str__(self) -> str:
        first, *more = (f"{100 * share:.3g} % {{}}from {layer}" for layer, share in self.stages)
        whose = "the layer before" if self.ranked_by == "before" else "the layer itself"
        stages = ", ".join([first.format("of vision tokens "), *(stage.format("") for stage in more)])
        return f"{stages}, ranked by {whose}"
