"""What a decoder layer does instead of its own forward: pass through, run short, or run with frozen rows.

Each function takes a layer and gives a `forward` to put on the layer *instance*. None of them touches attention
code: rows are gathered, the layer's own forward runs on them with stand-ins for the cache, rows are put back.

Shapes: batch, seq (positions of this pass), row (picked positions), d_model.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Cache
from transformers.cache_utils import DynamicLayer, StaticLayer

from skipit_nb.backend.live.cache_argument import cache_in, with_cache
from skipit_nb.backend.live.forward_pass import ForwardPass
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.live.shortened_cache import (
    begin_counting,
    begin_shortening,
    held_by,
    key_rows_of,
    seen_by,
    shorten,
    slot_of,
    span_of,
)

Forward = Callable[..., Any]
"""A decoder layer's forward: hidden_states first, the rest by keyword; gives hidden_states of the same shape."""


def whole_forward(slot_index: int | None) -> Forward:
    """Nothing is computed: the hidden state passes on, and the cache hears how many tokens came by."""

    def forward(hidden_states: Tensor, *_: Any, **kwargs: Any) -> Tensor:
        write_stub(cache_in(kwargs), hidden_states, slot_index)
        return hidden_states

    return forward


def write_stub(cache: Cache | None, hidden: Tensor, slot_index: int | None) -> None:
    """Write keys and values of zeros, of the smallest size, so that the cache layer counts the tokens.

    transformers reads positions and mask widths from the first attention layer; were it to stay empty, every later
    step would start again at position 0. Nothing ever attends to these zeros.
    """
    if cache is None or slot_index is None:
        return
    slot = slot_of(cache, slot_index)
    if slot is not None and not isinstance(slot, DynamicLayer | StaticLayer):
        return  # shared K/V or linear attention: the slot keeps no keys of its own
    keys = getattr(slot, "keys", None)
    heads, dim = (keys.shape[1], keys.shape[3]) if isinstance(keys, Tensor) and keys.dim() == 4 else (1, 1)  # noqa: PLR2004
    zeros = hidden.new_zeros(hidden.shape[0], heads, hidden.shape[1], dim)
    cache.update(zeros, zeros, slot_index)
    if keys is None and isinstance(slot, StaticLayer):
        begin_counting(slot)


def absent_forward(layer: nn.Module, slot_index: int | None, passing: ForwardPass, modality: str) -> Forward:
    """The modality is not there at this layer: no update, no attention to it, no K/V."""
    run: Callable[..., Tensor] = layer.forward

    def forward(hidden_states: Tensor, *args: Any, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        cache = cache_in(kwargs)
        rows, slot = passing.rows_without(modality, hidden_states), slot_of(cache, slot_index)
        known = key_rows_of(slot)
        if rows is None and known is None:
            return run(hidden_states, *args, attention_mask=attention_mask, **kwargs)
        picked = passing.all_rows(hidden_states) if rows is None else rows
        begin_shortening(slot)
        keys = passing.keys_after(known, held_by(slot), seen_by(slot), picked)
        mask = passing.mask(keys, attention_mask, picked, span_of(slot))
        if rows is None:
            out = run(hidden_states, *args, attention_mask=mask, **kwargs)
        elif len(rows):
            short = run(rows.take(hidden_states), *rows.take(args), attention_mask=mask, **rows.take_each(kwargs))
            out = rows.put(hidden_states, short)
        else:
            out = hidden_states
        if (slot := slot_of(cache, slot_index)) is not None:
            shorten(slot, keys)
        return out

    return forward


def frozen_forward(
    layer: nn.Module, slot_index: int | None, passing: ForwardPass, modality: str, *, others_look: bool
) -> Forward:
    """The modality keeps its state but is seen: keys and values for all rows, all else for the running ones.

    The layer's own forward is called twice: on the frozen rows with a cache that records K/V and stops the call
    before attention, and on the running rows with a cache that merges both in sequence order. `others_look` says
    whether later layers attend to these keys too.
    """
    run = _uncheckpointed(layer)

    def forward(hidden_states: Tensor, *args: Any, attention_mask: Tensor | None = None, **kwargs: Any) -> Tensor:
        cache: Any = cache_in(kwargs)
        rows, slot = passing.rows_without(modality, hidden_states), slot_of(cache, slot_index)
        if rows is not None and not len(rows) and modality == "text" and not others_look:
            # A decode step: nothing will ever ask for these keys, unless another image comes.
            write_stub(cache, hidden_states, slot_index)
            passing.note_missing_keys(slot_of(cache, slot_index))
            return hidden_states
        passing.refuse_missing_keys(slot)
        if rows is None or not len(rows):  # in the latter case, a part of a long prompt, it is for the keys alone
            out = run(hidden_states, *args, attention_mask=attention_mask, **kwargs)
            return out if rows is None else hidden_states
        if slot_index is None:  # the layer reads keys that another one made, of all rows already
            mask = passing.frozen_mask(attention_mask, rows, 0, _width_of_shared_keys(layer, kwargs))
        else:
            mask = passing.frozen_mask(attention_mask, rows, seen_by(slot), span_of(slot).width)
            cache = _merged_with_still_rows(run, passing.others(rows), rows, hidden_states, args, cache, kwargs)
        picked = with_cache(rows.take_each(kwargs), cache)
        out = run(rows.take(hidden_states), *rows.take(args), attention_mask=mask, **picked)
        return rows.put(hidden_states, out)

    return forward


def _uncheckpointed(layer: nn.Module) -> Callable[..., Tensor]:
    """The layer's forward, kept from gradient checkpointing, which would drop the stand-ins for the cache."""
    run: Callable[..., Tensor] = layer.forward

    def forward(*args: Any, **kwargs: Any) -> Tensor:
        if not getattr(layer, "gradient_checkpointing", False):
            return run(*args, **kwargs)
        layer.gradient_checkpointing = False  # type: ignore[assignment]
        try:
            return run(*args, **kwargs)
        finally:
            layer.gradient_checkpointing = True  # type: ignore[assignment]

    return forward


def _width_of_shared_keys(layer: nn.Module, kwargs: dict[str, Any]) -> int:
    """How many keys the layer reads from an earlier one of its kind."""
    keys, _ = kwargs["shared_kv_states"][layer.self_attn.layer_type]  # type: ignore[union-attr]
    return int(keys.shape[2])


def _merged_with_still_rows(
    run: Callable[..., Tensor],
    still: Rows,
    rows: Rows,
    hidden_states: Tensor,
    args: tuple[Any, ...],
    cache: Cache | None,
    kwargs: dict[str, Any],
) -> _Merger:
    """Make keys and values of the frozen rows, and give the cache that will merge them with the running rows'."""
    record = _Recorder(cache)
    picked = with_cache(still.take_each(kwargs), record)
    with contextlib.suppress(_KeysAreRecorded):
        run(still.take(hidden_states), *still.take(args), attention_mask=None, **picked)
    return _Merger(cache, record, rows, still)


class _KeysAreRecorded(Exception):  # noqa: N818 - it ends a call on purpose; nothing went wrong
    """Raised by `_Recorder` to leave the layer before attention."""


class _StandIn:
    """A cache in all but `update`."""

    def __init__(self, real: Cache | None) -> None:
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _Recorder(_StandIn):
    """Takes the keys and values of the frozen rows and ends the call."""

    def update(self, keys: Tensor, values: Tensor, *_: Any, **__: Any) -> None:
        self.keys, self.values = keys, values
        raise _KeysAreRecorded


class _Merger(_StandIn):
    """Puts the keys and values of running and frozen rows in sequence order, then behaves like the real cache."""

    def __init__(self, real: Cache | None, record: _Recorder, rows: Rows, still: Rows) -> None:
        super().__init__(real)
        self._record, self._rows, self._still = record, rows, still

    def update(self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        keys, values = self._merge(keys, self._record.keys), self._merge(values, self._record.values)
        if self._real is None:
            return keys, values
        updated: tuple[Tensor, Tensor] = self._real.update(keys, values, layer_idx, *args, **kwargs)
        return updated

    def _merge(self, running: Tensor, frozen: Tensor) -> Tensor:
        """[batch, heads, row, dim] twice -> [batch, heads, seq, dim]; repeated rows carry equal values."""
        batch, heads, _, dim = running.shape
        merged = running.new_empty(batch, heads, self._rows.seq, dim)
        for rows, part in ((self._still, frozen), (self._rows, running)):
            merged.scatter_(2, rows.index[:, None, :, None].expand(batch, heads, -1, dim), part)
        return merged


def attention_forward(slot_index: int | None) -> Forward:
    """Attention adds nothing; the cache still hears of the tokens."""

    def forward(hidden_states: Tensor, *_: Any, **kwargs: Any) -> tuple[Tensor, None]:
        write_stub(cache_in(kwargs), hidden_states, slot_index)
        return torch.zeros_like(hidden_states), None

    return forward


def mlp_forward(hidden_states: Tensor, *_: Any, **__: Any) -> Tensor:
    """The MLP adds nothing."""
    return torch.zeros_like(hidden_states)
