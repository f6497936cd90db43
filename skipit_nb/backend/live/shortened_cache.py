"""A KV cache whose layers hold different rows, while the model still sees one length.

Where tokens are absent, a layer keeps keys only for the rows that ran. transformers reads positions and mask widths
from the first layer of a kind, so a shortened layer must go on *reporting* the tokens seen; otherwise later tokens
would be placed too early, silently. The layer's object keeps its identity and gains that behaviour by its class.

A layer with a sliding window lets keys go by their number. Shortened, it holds its last keys by number too, which
reach back at least as far as the window in original positions; the mask leaves out what is beyond.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache as memoized
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin, StaticLayer

from skipit_nb.backend.live.key_rows import KeyRows, Span


def slot_of(cache: Cache | None, index: int | None) -> Any | None:
    """The cache's layer object for a decoder layer, if it exists already."""
    if cache is None or index is None or index >= len(cache.layers):
        return None
    return cache.layers[index]


def seen_by(slot: Any | None) -> int:
    """Tokens that a cache layer has seen."""
    return 0 if slot is None else int(slot.get_seq_length())


def span_of(slot: Any | None) -> Span:
    """What the model's mask spans for a cache layer, before the tokens of this pass are written."""
    if slot is None:
        return Span()
    if (window := _window(slot)) is None:
        return Span(width=_capacity(slot))
    offset = max(seen_by(slot) - window + 1, 0)
    return Span(offset, None if is_shortened(slot) else _capacity(slot))


def key_rows_of(slot: Any | None) -> KeyRows | None:
    """Which positions a cache layer holds, if it was shortened and not reset since."""
    return getattr(slot, "key_rows", None)


def held_by(slot: Any | None) -> int:
    """Keys that an ordinary cache layer holds for the tokens it has seen."""
    seen, window = seen_by(slot), _window(slot)
    return seen if window is None else min(seen, window - 1)


def is_shortened(slot: Any) -> bool:
    """Whether a cache layer reports more tokens than it holds keys for."""
    return hasattr(slot, "key_rows")


def begin_shortening(slot: Any | None) -> None:
    """Make a sliding layer ready to hold fewer keys than the tokens it sees; before the tokens are written."""
    if slot is None or is_shortened(slot) or _window(slot) is None:
        return
    if slot.is_initialized:
        seen, held = seen_by(slot), held_by(slot)
        end = min(seen, slot.keys.shape[2])
        slot.keys, slot.values = (kept[:, :, end - held : end] for kept in (slot.keys, slot.values))
    slot.__class__ = _shortened_sliding_class(type(slot))  # type: ignore[arg-type]


def shorten(slot: CacheLayerMixin, rows: KeyRows) -> None:
    """Let a cache layer report the tokens seen, and remember whose keys it holds; after the tokens were written."""
    if not is_shortened(slot):
        slot.__class__ = _shortened_class(type(slot))  # type: ignore[arg-type]
    slot.remember(rows)


def begin_counting(slot: Any) -> None:
    """Let a static layer whose room was made for stubs make it anew, for real keys, once it is reset."""
    slot.__class__ = _counting_class(type(slot))  # type: ignore[arg-type]


def _window(slot: Any) -> int | None:
    """Positions that a sliding cache layer serves, the newest included."""
    if not getattr(slot, "is_sliding", False):
        return None
    return int(slot.max_cache_len if isinstance(slot, StaticLayer) else slot.sliding_window)


def _capacity(slot: object) -> int | None:
    """Keys that a static cache layer returns, filled or not; None for one that grows."""
    return getattr(slot, "max_cache_len", None)


def _begin_again(slot: Any, kind: type[Any]) -> None:
    """Make a cache layer an ordinary one that has seen nothing."""
    slot.keys = slot.values = None
    slot.is_initialized = False
    slot.__class__ = kind
    slot.reset()


@memoized
def _counting_class(kind: type[Any]) -> type[Any]:
    """The class `kind`, a static layer, that holds no keys and only counts tokens."""

    class Counting(kind):
        """A static cache layer of a decoder layer that makes no keys."""

        _layer_type = None  # else transformers would register this class as the default of its kind

        def reset(self) -> None:
            """Forget everything, and be an ordinary layer again."""
            _begin_again(self, kind)

    return Counting


@memoized
def _shortened_class(kind: type[Any]) -> type[Any]:  # noqa: C901 - a class, not a procedure
    """The class `kind` with a memory of whose keys it holds. One parent only: an instance can change to it."""

    class Shortened(kind):
        """A cache layer that holds fewer keys than the tokens it has seen."""

        _layer_type = None  # else transformers would register this class as the default of its kind
        key_rows: KeyRows | None = None

        def remember(self, rows: KeyRows) -> None:
            """Note whose keys the layer holds now."""
            self.key_rows = rows

        def get_seq_length(self) -> Any:
            """Tokens seen, not keys held."""
            return super().get_seq_length() if self.key_rows is None else self.key_rows.seen

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            """Width and offset of the mask the model should build: over all tokens seen."""
            if self.key_rows is None or _capacity(self) is not None:
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
            self.key_rows = replace(rows.kept(slice(keep)), seen=left)

        def reset(self) -> None:
            """Forget everything."""
            self.key_rows = None
            super().reset()

        def batch_repeat_interleave(self, repeats: int) -> None:
            """Repeat every sequence."""
            self._select(super().batch_repeat_interleave, repeats, lambda rows: rows.repeat_interleave(repeats, dim=0))

        def batch_select_indices(self, indices: Tensor) -> None:
            """Keep some sequences."""
            self._select(super().batch_select_indices, indices, lambda rows: rows[indices])

        def reorder_cache(self, beam_idx: Tensor) -> None:
            """Follow beams."""
            self._select(super().reorder_cache, beam_idx, lambda rows: rows.index_select(0, beam_idx.to(rows.device)))

        def _select(self, of_keys: Callable[[Any], None], which: Any, pick: Callable[[Tensor], Tensor]) -> None:
            if self.is_initialized:  # where no token ran so far, there are no keys to select from
                of_keys(which)
            if (rows := self.key_rows) is not None:
                self.key_rows = replace(rows, index=pick(rows.index), valid=pick(rows.valid))

    return Shortened


@memoized
def _shortened_sliding_class(kind: type[Any]) -> type[Any]:  # noqa: C901 - a class too
    """The class `kind`, a layer with a window, that counts the window in tokens seen."""

    class ShortenedSliding(_shortened_class(kind)):  # type: ignore[misc]
        """A sliding cache layer that holds fewer keys than the tokens it has seen."""

        keys: Any
        values: Any
        key_rows: KeyRows | None
        is_initialized: bool

        def update(self, keys: Tensor, values: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
            """Add keys; hold the last ones, as many as the window has positions before the newest."""
            if not self.is_initialized:
                self.lazy_initialization(keys, values)
                self.keys, self.values = keys[:, :, :0], values[:, :, :0]
            keys, values = torch.cat([self.keys, keys], dim=2), torch.cat([self.values, values], dim=2)
            kept = slice(self._first_kept(keys.shape[2]), None)
            self.keys, self.values = keys[:, :, kept], values[:, :, kept]
            return keys, values

        def remember(self, rows: KeyRows) -> None:
            """Note whose keys the layer holds now, those let go left out."""
            super().remember(rows.kept(slice(self._first_kept(rows.index.shape[1]), None)))
            self._count(rows.seen)

        def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
            """Width and offset of the mask the model should build: those of the ordinary layer."""
            return kind.get_mask_sizes(self, query_length)  # type: ignore[no-any-return]

        def crop(self, tokens_to_remove: int) -> None:
            """Forget the last tokens seen, with their keys where they have any, then what the window let go."""
            if (rows := self.key_rows) is None:
                super().crop(tokens_to_remove)
                return
            left = rows.seen - abs(tokens_to_remove)
            keep = int((rows.index[0] < left).sum())
            slots = slice(max(keep - _reach(self), 0), keep)
            if self.is_initialized:
                self.keys, self.values = self.keys[:, :, slots], self.values[:, :, slots]
            self.key_rows = replace(rows.kept(slots), seen=left)
            self._count(left)

        def reset(self) -> None:
            """Forget everything, and be an ordinary layer again."""
            self.key_rows = None
            _begin_again(self, kind)

        def _first_kept(self, slots: int) -> int:
            return 0 if getattr(self, "record_past", False) else max(slots - _reach(self), 0)

        def _count(self, seen: int) -> None:
            """Tokens seen, where the ordinary layer looks for them."""
            if isinstance(self, StaticLayer):
                self.cumulative_length_int = seen
            else:
                self.cumulative_length = seen

    return ShortenedSliding


def _reach(slot: Any) -> int:
    """Keys before the newest token that a sliding layer serves."""
    return (_window(slot) or 1) - 1
