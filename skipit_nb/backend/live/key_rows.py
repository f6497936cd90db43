"""Which positions the keys of a cache layer belong to, and the attention mask that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skipit_nb.backend.live.rows import Rows


@dataclass(frozen=True, slots=True)
class Span:
    """What the model's own mask of a layer spans: columns are positions from `offset` on."""

    offset: int = 0
    """Position of the mask's first column; above 0 where a sliding cache has let go of the first tokens."""
    width: int | None = None
    """Keys that the cache layer returns, filled or not; None where it returns just those it holds."""


@dataclass(frozen=True, slots=True)
class KeyRows:
    """Which positions the keys of one cache layer belong to.

    Shapes: batch, key (slots of the cache layer, in order).
    """

    index: Tensor
    """[batch, key] original position of each key."""
    valid: Tensor
    """[batch, key] False for slots that only pad a sequence with fewer rows."""
    seen: int
    """Positions seen so far, kept or not."""
    is_ragged: bool = False
    """Whether some slot is not valid."""

    @classmethod
    def last(cls, batch: int, held: int, seen: int, device: torch.device) -> KeyRows:
        """The last `held` of `seen` positions, in order: what an ordinary cache layer holds."""
        index = torch.arange(seen - held, seen, device=device)[None].expand(batch, held)
        return cls(index, torch.ones_like(index, dtype=torch.bool), seen)

    def followed_by(self, rows: Rows) -> KeyRows:
        """These keys, and those of `rows` of the next forward pass."""
        return KeyRows(
            torch.cat([self.index, rows.index + self.seen], dim=1),
            torch.cat([self.valid, rows.valid], dim=1),
            self.seen + rows.seq,
            self.is_ragged or rows.is_ragged,
        )

    def kept(self, slots: slice) -> KeyRows:
        """Some of the slots."""
        return replace(self, index=self.index[:, slots], valid=self.valid[:, slots])

    def mask(self, whole: Tensor | None, queries: Rows, span: Span) -> Tensor | None:
        """The attention mask of `queries` over these keys; None where the attention function needs none.

        Args:
            whole: The model's own mask [batch | 1, 1, seq, columns], boolean or additive, or None: then plain causal
                order holds, as transformers leaves it to the attention kernel; never where a window could matter.
            queries: The rows of this pass that ask.
            span: What the mask spans, and how many keys the layer returns.
        """
        if whole is None:
            return self._causal(queries, span)
        column = self.index - span.offset
        in_reach = self.valid & (column >= 0) & (column < whole.shape[-1])
        column = column.clamp(0, whole.shape[-1] - 1)
        picked = torch.take_along_dim(queries.lines(whole), column[:, None, None, :], 3)
        if whole.dtype == torch.bool:
            return _widened(picked & in_reach[:, None, None, :], span.width, False)
        lowest = torch.finfo(whole.dtype).min
        return _widened(picked.masked_fill(~in_reach[:, None, None, :], lowest), span.width, lowest)

    def _causal(self, queries: Rows, span: Span) -> Tensor | None:
        """Causal order by original position."""
        if not self.is_ragged:
            return None
        asked = self.seen - queries.seq + queries.index
        allowed = self.valid[:, None, :] & (self.index[:, None, :] <= asked[:, :, None])
        return _widened(allowed.unsqueeze(1), span.width, False)


def _widened(mask: Tensor, width: int | None, value: float | bool) -> Tensor:
    missing = 0 if width is None else width - mask.shape[-1]
    return torch.nn.functional.pad(mask, (0, missing), value=value) if missing > 0 else mask
