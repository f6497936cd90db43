"""Every attention call of a forward pass, read or changed on its way to the function that computes it.

All decoders of transformers ask one interface for their attention function; inside `listening` it gives a function
that shows the call to us first and then computes it as ever. Nothing about the model changes, and what is not changed
on purpose is computed bit for bit as before.

Shapes: batch, head, kv_head, query, key, row (chosen queries), dim.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.live.uncompiled import uncompiled

NOT_UNDERSTOOD = ("position_bias", "s_aux")
"""Options that change the weights in ways that are not recomputed here: learned biases, and sinks beside the keys."""

HIDDEN = -1e4
"""What is added to a score hides the key from here on down, in every number format."""


@dataclass(frozen=True, slots=True)
class AttentionCall:
    """What one layer hands to its attention function: queries and keys after rotation, and who may see whom."""

    layer: int
    module: nn.Module
    query: Tensor
    """[batch, head, query, dim]"""
    key: Tensor
    """[batch, kv_head, key, dim]; each is shared by head / kv_head neighbouring heads."""
    mask: Any
    """[batch | 1, head | 1, query, key] bool or additive; [batch, key] or None for causal; or a kernel's own object."""
    options: dict[str, Any]
    """Such as scaling, softcap, sliding_window, is_causal."""

    @property
    def is_understood(self) -> bool:
        """Whether `weights` is what the layer computes."""
        is_known = self.mask is None or (isinstance(self.mask, Tensor) and self.mask.dim() in (2, 4))
        return is_known and all(self.options.get(name) is None for name in NOT_UNDERSTOOD)

    def weights(self, rows: Rows) -> Tensor:
        """Attention of the chosen queries: [batch, head, row, key] float32, summing to 1 over keys.

            softmax(cap · tanh(q · k · scaling / cap) + mask)        without a cap: softmax(q · k · scaling + mask)

        Args:
            rows: Chosen among the queries; memory grows with them, not with all queries.
        """
        query = rows.along(self.query.transpose(1, 2), 1).transpose(1, 2).float()
        by_key_head = query.unflatten(1, (self.key.shape[1], -1))
        scaling = self.options.get("scaling")
        scores = torch.einsum("bkgrd,bksd->bkgrs", by_key_head, self.key.float()).flatten(1, 2)
        scores = scores * (self.query.shape[-1] ** -0.5 if scaling is None else scaling)
        if cap := self.options.get("softcap"):
            scores = cap * torch.tanh(scores / cap)
        weights: Tensor = (scores + self.additive(rows)).softmax(-1)
        return weights

    def additive(self, rows: Rows) -> Tensor:
        """What is added to the chosen queries' scores: [batch, head | 1, row, key] float32, lowest where unseen."""
        if not isinstance(self.mask, Tensor) or self.mask.dim() == 2:  # noqa: PLR2004
            return _lowest_where(~self._implied(rows))
        lines = rows.lines(self.mask)[..., : self.key.shape[2]]
        return _lowest_where(~lines) if lines.dtype == torch.bool else lines.float()

    def seen(self, rows: Rows) -> Tensor:
        """Which keys the chosen queries may see: [batch, head | 1, row, key] bool."""
        return self.additive(rows) > HIDDEN

    def _implied(self, rows: Rows) -> Tensor:
        """Who sees whom where the mask does not say it: causal, within the window, no padding."""
        num_queries, num_keys = self.query.shape[2], self.key.shape[2]
        keys = torch.arange(num_keys, device=self.query.device)
        queries = (rows.index + num_keys - num_queries)[:, None, :, None]
        seen = (keys <= queries) if self._is_causal else torch.ones_like(keys <= queries)
        if window := self.options.get("sliding_window"):
            seen = seen & (queries - keys < window)
        return seen if self.mask is None else seen & self.mask[:, None, None, :].bool()

    @property
    def _is_causal(self) -> bool:
        given = self.options.get("is_causal")
        is_causal = getattr(self.module, "is_causal", True) if given is None else given
        return bool(is_causal) and self.query.shape[2] > 1


Listener = Callable[[AttentionCall], AttentionCall]
"""Gets a call and gives the call to compute: the same one, or one with another mask."""

_lock = threading.Lock()
_heard: dict[nn.Module, list[tuple[int, Listener]]] = {}
_original = AttentionInterface.get_interface


@contextlib.contextmanager
def listening(anatomy: Anatomy, listener: Listener) -> Iterator[None]:
    """Show every attention call of the model's decoder to `listener` inside the block.

    The interface is the process's own: the first block in puts our function there, the last one out takes it away.
    Modules of other models, and of this model's vision tower, go straight through it.
    """
    modules = {index: anatomy.attention_of(index) for index in range(len(anatomy.layers))}
    mine = {module: (index, listener) for index, module in modules.items() if module is not None}
    with _lock:
        for module, entry in mine.items():
            _heard.setdefault(module, []).append(entry)
        AttentionInterface.get_interface = _listened
    try:
        with uncompiled():
            yield
    finally:
        with _lock:
            for module, entry in mine.items():
                _heard[module].remove(entry)
                if not _heard[module]:
                    del _heard[module]
            if not _heard:
                AttentionInterface.get_interface = _original


def _listened(self: AttentionInterface, *args: Any, **kwargs: Any) -> Callable[..., Any]:
    compute: Callable[..., Any] = _original(self, *args, **kwargs)

    def attend(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any = None, **options: Any
    ) -> Any:
        for layer, listener in tuple(_heard.get(module, ())):
            call = listener(AttentionCall(layer, module, query, key, attention_mask, options))
            attention_mask = call.mask
        return compute(module, query, key, value, attention_mask, **options)

    return attend


def _lowest_where(hidden: Tensor) -> Tensor:
    return torch.zeros(hidden.shape, device=hidden.device).masked_fill(hidden, torch.finfo(torch.float32).min)
