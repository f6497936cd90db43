"""`BandDistances`: how far every band of layers turns each kind of token."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Literal

from skipit_nb.errors import SettingError
from skipit_nb.results.profile import TOKENS
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd

BAND_TOKENS = (*TOKENS, "last", "all")
"""Kinds of tokens: those of a profile; the last token of the prompt, which is text too; every token."""

BandMetric = Literal["angle", "distance"]


@dataclass(frozen=True, slots=True)
class BandDistance:
    """One band of layers [start, stop), one kind of token: the state before the band against the state after it."""

    start: int
    """First layer of the band, and the boundary before it."""
    stop: int
    """The boundary behind the band: one more than its last layer."""
    tokens: str
    """One of `BAND_TOKENS`."""
    angle: float
    """Mean angle arccos(cos) / π, 0 (unmoved) to 1 (reversed). Low = redundant."""
    distance: float
    """Mean d = 1 - cos, 0 (unmoved) to 2 (reversed). Low = redundant."""


@dataclass(frozen=True, slots=True, repr=False)
class BandDistances(Stored):
    """How far every band of layers turns a token: boundary against boundary, tokens within a sample first.

    Boundary i is the state before layer i, boundary `num_layers` the state after the last layer, before the final
    norm. It does not see a change of length, nor whether a turn matters to the answer.

    Source:
        Gromov et al. 2024, "The Unreasonable Ineffectiveness of the Deeper Layers", arXiv:2403.17887 (angle of the
        last token); Men et al. 2024, "ShortGPT", arXiv:2403.03853 (block influence).
    """

    provenance: Provenance
    bands: tuple[BandDistance, ...]
    """One per band of at least one layer and kind of token that occurred, sorted by kind, start and stop."""
    unit: str = "angle: arccos(cos) / π, 0 to 1; distance: 1 - cos, 0 to 2"
    redundant_when: str = "low"
    source: str = "arXiv:2403.17887 (angle of the last token), arXiv:2403.03853 (block influence); by modality: ours"

    @property
    def num_layers(self) -> int:
        """Decoder layers of the model."""
        return self.provenance.num_layers

    def of(self, tokens: str) -> tuple[BandDistance, ...]:
        """The bands of one kind of token.

        Raises:
            SettingError: If no such token occurred.
        """
        found = tuple(band for band in self.bands if band.tokens == tokens)
        if not found:
            present = ", ".join(dict.fromkeys(band.tokens for band in self.bands))
            raise SettingError("tokens", tokens, f"one of those that occurred: {present}")
        return found

    def matrix(self, tokens: str = "last", metric: BandMetric = "angle") -> pd.DataFrame:
        """Boundary before (rows) against boundary behind (columns); 0 on the diagonal, nan below it."""
        import numpy as np
        import pandas as pd

        check_metric(metric)
        size = self.num_layers + 1
        values = np.full((size, size), np.nan)
        np.fill_diagonal(values, 0.0)
        for band in self.of(tokens):
            values[band.start, band.stop] = getattr(band, metric)
        return pd.DataFrame(values, pd.RangeIndex(size, name="start"), pd.RangeIndex(size, name="stop"))

    def best(self, layers: int, tokens: str = "last") -> BandDistance:
        """The band of so many layers that turns the tokens least, by angle; the first of equals.

        Raises:
            SettingError: If the model has no such band.
        """
        if not 1 <= layers <= self.num_layers:
            raise SettingError("layers", layers, f"a number of layers from 1 to {self.num_layers}")
        return min((b for b in self.of(tokens) if b.stop - b.start == layers), key=lambda band: band.angle)

    def block_influence(self, tokens: str = "all") -> tuple[float, ...]:
        """BI of every layer: mean 1 - cos of its input and output, 0 to 2. Low = redundant."""
        return tuple(band.distance for band in self.of(tokens) if band.stop == band.start + 1)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per band and kind of token: start, stop, tokens, angle, distance."""
        import pandas as pd

        return pd.DataFrame([asdict(band) for band in self.bands])

    def __repr__(self) -> str:
        n = len(self.provenance.samples)
        return f"BandDistances({self.provenance.model}, {self.num_layers} layers, {n} question{'s' * (n != 1)})"


def check_metric(metric: str) -> None:
    """Refuse what is no metric of a band.

    Raises:
        SettingError: If it is neither "angle" nor "distance".
    """
    if metric not in ("angle", "distance"):
        raise SettingError("metric", metric, "'angle' or 'distance'")
