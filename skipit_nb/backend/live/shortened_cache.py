"""A KV cache whose layers hold different rows, while the model still sees one length.

Where tokens are absent, a layer keeps keys only for the rows that ran. transformers reads positions and mask widths
from the first attention layer, so a shortened layer must go on *reporting* the tokens seen; otherwise later tokens
would be placed too early, silently. The layer's object keeps its identity and gains that behaviour by its class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache as memoized
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

from skipit_nb.backend.live.rows import Rows


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
    def all_of(cls, batch: int, seen: int, device: torch.device) -> KeyRows:
        """Every position kept, in order: what an ordinary cache layer holds."""
        index = torch.arange(seen, device=device)[None].expand(batch, seen)
        return cls(index, torch.ones_like(index, dtype=torch.bool), seen)

    def followed_by(self, rows: Rows) -> KeyRows:
        """These keys, and those of `rows` of the next forward pass."""
        return KeyRows(
            torch.cat([self.index, rows.index + self.seen], dim=1),
            torch.cat([self.valid, rows.valid], dim=1),
            self.seen + rows.seq,
            self.is_ragged or rows.is_ragged,
        )

    def mask(self, whole: Tensor | None, queries: Rows, *, width: int | None = None) -> Tensor | None:
        """The attention mask of `queries` over these keys; None where the attention function needs none.

        Args:
            whole: The model's own mask [batch | 1, 1, seq, positions], boolean or additive, or None: then plain
                causal order holds, as transformers leaves it to the attention kernel.
            queries: The rows of this pass that ask.
            width: Pad the mask to this many keys (a static cache returns its full length).
        """
        if whole is None:
            if not self.is_ragged:
                return None
            allowed = self.valid[:, None, None, :] & (
                self.index[:, None, :] <= (self.seen - queries.seq + queries.index)[:, :, None]
            ).unsqueeze(1)
            return _widened(allowed, width, False)
        picked = torch.take_along_dim(queries.lines(whole), self.index[:, None, None, :], 3)
        if whole.dtype == torch.bool:
            return _widened(picked & self.valid[:, None, None, :], width, False)
        lowest = torch.finfo(whole.dtype).min
        return _widened(picked.masked_fill(~self.valid[:, None, None, :], lowest), width, lowest)


def _widened(mask: Tensor, width: int | None, value: float | bool) -> Tensor:
    missing = 0 if width is None else width - mask.shape[-1]
    return torch.nn.functional.pad(mask, (0, missing), value=value) if missing > 0 else mask


@memoized
def _shortened_class(kind: type[Any]) -> type[Any]:  # noqa: C901 - a class, not a procedure
    """The class `kind` with a memory of whose keys it holds. One parent only: an instance can change to it."""

    class ShortenedLayer(kind):
        """A cache layer that holds fewer keys than the tokens it has seen."""

        _layer_type = None  # else transformers would register this class as the default of its kind
        key_rows: KeyRows | None = None

        def get_seq_length(self) -> Any:
            """Tokens seen, not keys held."""
            return super().get_seq_length() if self.key_rows is None else self.key_rows.seen

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            """Width and offset of the mask the model should build: over all tokens seen."""
            if self.key_rows is None or capacity(self) is not None:
                return super().get_mask_sizes(query_length)  # type: ignore[no-any-return]
            return self.key_rows.seen + query_length, 0

        def crop(self, tokens_to_remove: int) -> None:
            """Forget the last tokens seen, with their keys where they have any."""
            if (rows := self.key_rows) is None:
                super().crop(tokens_to_remove)
                return
            left = rows.seen - abs(tokens_to_remove)
            keep = int((rows.index[0] < left).sum())
            super().crop(keep - rows.index.shape[1])
            self.key_rows = replace(rows, index=rows.index[:, :keep], valid=rows.valid[:, :keep], seen=left)

        def reset(self) -> None:
            """Forget everything."""
            self.key_rows = None
            super().reset()

        def batch_repeat_interleave(self, repeats: int) -> None:
            """Repeat every sequence."""
            super().batch_repeat_interleave(repeats)
            self._select(lambda rows: rows.repeat_interleave(repeats, dim=0))

        def batch_select_indices(self, indices: Tensor) -> None:
            """Keep some sequences."""
            super().batch_select_indices(indices)
            self._select(lambda rows: rows[indices])

        def reorder_cache(self, beam_idx: Tensor) -> None:
            """Follow beams."""
            super().reorder_cache(beam_idx)
            self._select(lambda rows: rows.index_select(0, beam_idx.to(rows.device)))

        def _select(self, pick: Callable[[Tensor], Tensor]) -> None:
            if (rows := self.key_rows) is not None:
                self.key_rows = replace(rows, index=pick(rows.index), valid=pick(rows.valid))

    return ShortenedLayer


def slot_of(cache: Cache | None, index: int | None) -> CacheLayerMixin | None:
    """The cache's layer object for a decoder layer, if it exists already."""
    if cache is None or index is None or index >= len(cache.layers):
        return None
    return cache.layers[index]


def key_rows_of(slot: CacheLayerMixin | None) -> KeyRows | None:
    """Which positions a cache layer holds, if it was shortened and not reset since."""
    return getattr(slot, "key_rows", None)


def shorten(slot: CacheLayerMixin, rows: KeyRows) -> None:
    """Let a cache layer report the tokens seen, and remember whose keys it holds."""
    if not hasattr(slot, "key_rows"):
        slot.__class__ = _shortened_class(type(slot))  # type: ignore[arg-type]
    slot.key_rows = rows


def capacity(slot: object) -> int | None:
    """Keys that a static cache layer returns, filled or not; None for one that grows."""
    return getattr(slot, "max_cache_len", None)
