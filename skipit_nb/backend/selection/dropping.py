"""A token drop at work on a live model: the vision tokens of least attention leave, chosen anew for every prompt.

A stage is a skip set's late part seen through other eyes: for its layers "the vision tokens" are those that fall, and
the engine lets them be absent as ever. What is ours here is only who falls.

Shapes: batch, seq (positions of the prompt), key (those that are left of them), head.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.cache_argument import cache_in, with_cache
from skipit_nb.backend.live.forward_pass import ForwardPass
from skipit_nb.backend.live.key_rows import Span
from skipit_nb.backend.live.limits import refuse_unsupported
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.live.skipping import acting
from skipit_nb.backend.redundancy.attention_calls import AttentionCall, listening
from skipit_nb.errors import PaddingError, UnsupportedSkipError
from skipit_nb.skipset import SkipSet
from skipit_nb.tokendrop import TokenDrop


@contextlib.contextmanager
def dropping(live: LiveModel, drop: TokenDrop) -> Iterator[None]:
    """Hold the model and run it with vision tokens dropped; afterwards it is bit for bit as before.

    Exact in the sense of `skipping`: what falls is in no layer's rows, keys or cache from its stage on, in prefill and
    decoding. Ranking before the stage costs one query's attention; ranking at it, keys and queries of that layer once
    more.

    Raises:
        LayerIndexError: If a stage begins behind the last layer.
        UnsupportedSkipError: If vision tokens cannot be absent there, or attention cannot be read; inside the block,
            if an image comes in the middle of a conversation.
        PaddingError: Inside the block, for a batch with padding at its end: its last token is not the prompt's.
    """
    drop.check(live.shape.num_layers)
    with live.lock, _at_work(live.model, live.anatomy, drop):
        yield


def under(live: LiveModel, action: SkipSet | TokenDrop) -> AbstractContextManager[None]:
    """Hold the model and run it under either kind of action; afterwards it is as before."""
    return dropping(live, action) if isinstance(action, TokenDrop) else live.skipping(action)


@contextlib.contextmanager
def _at_work(model: PreTrainedModel, anatomy: Anatomy, drop: TokenDrop) -> Iterator[None]:
    num_layers = len(anatomy.layers)
    refuse_unsupported(model, anatomy, SkipSet.early_exit(drop.stages[0][0], num_layers=num_layers))
    stages = [_Stage(anatomy, drop, layer, is_first=not number) for number, (layer, _) in enumerate(drop.stages)]
    ends = [*(layer for layer, _ in drop.stages[1:]), num_layers]
    listener = _Ranking(anatomy, drop, stages)
    with contextlib.ExitStack() as undo:
        undo.enter_context(listening(anatomy, listener.hear))
        for stage in stages:
            for hook in stage.watch(model):
                undo.callback(hook.remove)
        for hook in listener.watch():
            undo.callback(hook.remove)
        for stage, end in zip(stages, ends, strict=True):
            exits = SkipSet.early_exit(stage.layer, num_layers=num_layers)
            for index in range(stage.layer, end):
                undo.enter_context(acting(anatomy, exits, index, stage))
        yield


class _Stage(ForwardPass):
    """A forward pass whose vision rows, to the layers of one stage, are those that fall there."""

    def __init__(self, anatomy: Anatomy, drop: TokenDrop, layer: int, *, is_first: bool) -> None:
        super().__init__(anatomy, names_vision=is_first)
        self.layer, self._drop = layer, drop
        self._has_ranked = False

    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super()._begin(module, args, kwargs)
        self._has_ranked = self._vision is None or not bool(self._vision.any())
        cache = cache_in(kwargs)
        if not self._has_ranked and cache is not None and int(cache.get_seq_length()):
            why = "an image comes after text that the model has read already, and ranking asks for the whole prompt"
            raise UnsupportedSkipError(self._drop, why, "Give the prompt in one piece, without prefill in chunks.")
        if not self._has_ranked and self._ends_in_padding:
            raise PaddingError

    @property
    def is_waiting(self) -> bool:
        """Whether the vision rows of this pass are still to be ranked."""
        return not self._has_ranked

    def let_fall(self, attention: Tensor) -> None:
        """Let all but the highest vision rows of every prompt fall.

        Args:
            attention: [batch, seq] that each row gets; below 0 for rows that fell at an earlier stage.
        """
        vision = self._vision
        assert vision is not None  # noqa: S101  else nothing would be waiting
        counts = vision.sum(1).tolist()
        kept = [self._drop.kept(self.layer, count) for count in counts]
        among = attention.masked_fill(~vision.to(attention.device), -torch.inf)
        order = among.argsort(dim=1, descending=True, stable=True)
        rank = order.argsort(dim=1)
        stays = rank < torch.tensor(kept, device=order.device)[:, None]
        self._vision, self._has_ranked = vision & ~stays.to(vision.device), True
        self._found = {}


class _AttentionIsRead(Exception):  # noqa: N818  it ends a call on purpose; nothing went wrong
    """Raised to leave a layer at its attention, which is all that was wanted of it."""


class _Ranking:
    """Reads the attention that ranks the tokens: as a layer runs, or by a look into the layer to come."""

    def __init__(self, anatomy: Anatomy, drop: TokenDrop, stages: list[_Stage]) -> None:
        self._anatomy, self._drop, self._stages = anatomy, drop, stages
        self._looking: tuple[_Stage, Rows] | None = None

    def watch(self) -> Iterator[Any]:
        """Look into each stage's first layer before it runs, where its own attention ranks."""
        if self._drop.ranked_by == "at":
            for earlier, stage in zip([None, *self._stages], self._stages, strict=False):
                layer = self._anatomy.layers[stage.layer]
                look = partial(self._look, earlier, stage, layer.forward)
                yield layer.register_forward_pre_hook(look, with_kwargs=True)

    def hear(self, call: AttentionCall) -> AttentionCall:
        """Rank by this call if it is the one; every call is computed as it is."""
        if self._looking is not None:
            stage, rows = self._looking
            stage.let_fall(self._attention(call, rows))
            raise _AttentionIsRead
        first = self._stages[0]
        if self._drop.ranked_by == "before" and call.layer == first.layer - 1 and first.is_waiting:
            first.let_fall(self._attention(call, Rows.all_of(call.query[:, 0])))
        return call

    def _look(
        self,
        earlier: _Stage | None,
        stage: _Stage,
        run: Callable[..., Any],
        _: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        """Run a layer as far as its attention, for that alone."""
        if not stage.is_waiting:
            return
        hidden, *others = args
        mask = kwargs.get("attention_mask")
        left = earlier.rows_without("vision", hidden) if earlier else None
        rows = stage.all_rows(hidden) if left is None else left
        lines = stage.mask(stage.keys_after(None, 0, 0, rows), mask, rows, Span())
        picked = with_cache(rows.take_each({k: v for k, v in kwargs.items() if k != "attention_mask"}), None)
        self._looking = stage, rows
        try:
            with torch.no_grad(), contextlib.suppress(_AttentionIsRead):
                run(rows.take(hidden), *rows.take(tuple(others)), attention_mask=lines, **picked)
        finally:
            self._looking = None

    def _attention(self, call: AttentionCall, rows: Rows) -> Tensor:
        """What the last row pays to each row of the prompt, mean over heads: [batch, seq], -1 for rows not there."""
        if not call.is_understood:
            why = f"layer {call.layer}'s attention cannot be recomputed, and it is what ranks the tokens"
            raise UnsupportedSkipError(self._drop, why, "Choose another layer.")
        queries = call.query.shape[2]
        last = torch.zeros(call.query.shape[0], queries, dtype=torch.bool, device=call.query.device)
        last[:, -1] = True
        paid = call.weights(Rows.where(last))[:, :, 0].mean(1)[:, : len(rows)]
        whole = torch.full((paid.shape[0], rows.seq), -1.0, device=paid.device)
        return whole.scatter_reduce_(1, rows.index, paid.masked_fill(~rows.valid, -1.0), "amax")
