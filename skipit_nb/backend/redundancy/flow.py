"""Cross-modal flow: how much text rows attend to the vision tokens, layer by layer and head by head (VAR).

Shapes: batch, head, row (the asking text rows), seq, key.
"""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

import torch
from torch import Tensor

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.model import Inputs
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.redundancy.attention_calls import AttentionCall, listening
from skipit_nb.backend.redundancy.geometric import token_kinds
from skipit_nb.backend.redundancy.rows_by_hand import RowMask
from skipit_nb.errors import SettingError
from skipit_nb.results import LayerFlow

QUERIES = ("last", "text")
"""Whose attention counts: the last prompt token's, or the mean over all text tokens but the first."""

ROWS_AT_ONCE = 64
"""Asking rows whose attention is computed at a time: memory grows with the keys, however long the text is."""


class FlowNotMeasuredWarning(UserWarning):
    """No layer of the model has an attention that can be computed once more."""


class FlowRecorder:
    """Streams VAR of every layer over ordinary forward passes, whatever attention the model runs with.

        VAR[layer, head] = mean over samples and queries of  Σ over vision keys of attention(query → key)

    0: the text reads no image there; 1: it reads nothing else; `uniform` is what a flat attention would give, `chance`
    what these weights would give if other keys, drawn at random, were called vision. The queries' attention is
    computed once more from the layer's own q and k, so the model keeps its fast attention and the pass gives the same
    bits. Layers without such an attention (linear attention, cross-attention to images) have no row.

    It is an attention ratio, not a proof that the image matters there: softmax weights compete, and values may be
    small. `knockout` is the causal check.

    Source:
        Jiang et al. 2025, arXiv:2411.16724 (the ratio, per head); that the paper means the same is our reading, and
        the mean over heads and the choice of queries are ours.
    """

    def __init__(
        self,
        anatomy: Anatomy,
        *,
        query: str = "last",
        layers: Sequence[int] | None = None,
        rows: Mapping[str, RowMask] | None = None,
    ) -> None:
        """Ask for VAR.

        Args:
            anatomy: Of the model.
            query: "last" or "text", as in `QUERIES`.
            layers: Layers that must have VAR; None for those that can.
            rows: Rows of further modalities by hand: neither vision nor text.

        Raises:
            SettingError: If the query is another one; in `recording`, if one of `layers` cannot be measured.
        """
        if query not in QUERIES:
            raise SettingError("query", query, " or ".join(map(repr, QUERIES)))
        self._anatomy, self._query, self._layers, self._by_hand = anatomy, query, layers, rows
        self._mass: dict[int, list[Tensor]] = {}
        self._null: dict[int, list[Tensor]] = {}

    @contextlib.contextmanager
    def recording(self, inputs: Inputs) -> Iterator[None]:
        """Record the one forward pass inside the block; nothing counts if it raises."""
        kinds = token_kinds(inputs, self._anatomy, self._by_hand)
        batch = _Batch(kinds[0], self._queries(kinds), kinds.any(0) & ~kinds[2])
        with listening(self._anatomy, batch.hear):
            yield
        for layer in self._layers or ():
            if layer not in batch.found:
                kind = dict(enumerate(self._anatomy.layer_types)).get(layer, "not there")
                raise SettingError("layers", layer, f"layers whose attention can be recomputed; this one is {kind}")
        has_vision = kinds[0].any(1).cpu()
        for layer, (mass, null) in batch.found.items():
            self._mass.setdefault(layer, []).append(mass.cpu()[has_vision].double())
            self._null.setdefault(layer, []).append(null.cpu()[has_vision].double())

    def _queries(self, kinds: Tensor) -> Tensor:
        """The asking rows: [batch, seq] bool."""
        if self._query == "text":
            return kinds[1]
        is_token = kinds.any(0)
        return is_token & (is_token.flip(1).cumsum(1).flip(1) == 1)

    def warn_if_deaf(self) -> None:
        """After a pass: say so if no layer's attention could be recomputed, so that there is no flow to tell."""
        if not self._mass:
            why = "no layer's attention can be recomputed in this model (linear or custom attention, or learned sinks)"
            warnings.warn(f"cross-modal flow was not measured: {why}", FlowNotMeasuredWarning, stacklevel=2)

    def rows(self) -> tuple[LayerFlow, ...]:
        """One row per layer that could be measured; empty if no sample had vision tokens."""
        return tuple(self._row(layer) for layer in sorted(self._mass) if len(torch.cat(self._mass[layer])))

    def _row(self, layer: int) -> LayerFlow:
        mass, null = torch.cat(self._mass[layer]), torch.cat(self._null[layer])
        per_sample, (uniform, chance, variance) = mass.mean(1), null.mean(0).tolist()
        return LayerFlow(
            layer,
            var=float(per_sample.mean()),
            spread=float(per_sample.std()) if len(per_sample) > 1 else 0.0,
            uniform=uniform,
            heads=tuple(mass.mean(0).tolist()),
            query=self._query,
            chance=chance,
            chance_spread=math.sqrt(max(variance, 0.0)),
        )


@dataclass(frozen=True, slots=True)
class _Sums:
    """What some asking rows add up to, each weighted by its share of all of them."""

    mass: Tensor
    """[batch, head] attention on vision keys."""
    flat: Tensor
    """[batch] the same of a flat attention."""
    by_chance: Tensor
    """[batch] the same on average if as many keys, drawn among those that may be, were called vision:
    Σ over rows of  share · vision keys / keys · Σ over keys of weight."""
    gets: Tensor
    """[batch, key] attention that each key gets, mean over heads."""
    keys: Tensor
    """[batch, key] bool: keys that may be drawn."""

    @classmethod
    def of(cls, call: AttentionCall, rows: Rows, share: Tensor, vision: Tensor, renamed: Tensor) -> _Sums:
        """Those of `rows`, each with its share [batch, row]; vision and renamed are keys [batch, 1, 1, key]."""
        weights, seen = call.weights(rows), call.seen(rows)
        among = seen & renamed
        expected = (weights * among).sum(-1) * _part(vision, among)
        return cls(
            mass=torch.einsum("bhr,br->bh", (weights * vision).sum(-1), share),
            flat=torch.einsum("bhr,br->bh", _part(vision, seen), share).mean(1),
            by_chance=torch.einsum("bhr,br->bh", expected, share).mean(1),
            gets=torch.einsum("bhrk,br->bhk", weights, share).mean(1),
            keys=among.any(2).any(1),
        )

    def plus(self, other: _Sums) -> _Sums:
        """Those of both."""
        return _Sums(
            self.mass + other.mass,
            self.flat + other.flat,
            self.by_chance + other.by_chance,
            self.gets + other.gets,
            self.keys | other.keys,
        )

    def variance_by_chance(self, vision: Tensor) -> Tensor:
        """Variance [batch] of a sample's VAR over such draws.

        n (1 - n / K) S²,   n of K keys drawn without replacement, S² of the mean weight a key gets
        """
        count, drawn = self.keys.sum(1), (self.keys & vision[:, 0, 0]).sum(1)
        middle = (self.gets * self.keys).sum(1, keepdim=True) / count[:, None].clamp_min(1)
        spread = ((self.gets - middle) * self.keys).square().sum(1) / (count - 1).clamp_min(1)
        return drawn * (1 - drawn / count.clamp_min(1)) * spread


@dataclass(slots=True)
class _Batch:
    """One pass."""

    vision: Tensor
    """[batch, seq] bool"""
    asking: Tensor
    """[batch, seq] bool"""
    renamed: Tensor
    """[batch, seq] bool: the keys among which chance draws those it calls vision."""
    found: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)
    """For each layer the mass [batch, head], and [batch, 3]: what a flat attention would give, and the mean and the
    variance of what chance would."""
    _rows: dict[tuple[int, torch.device], Rows] = field(default_factory=dict)

    def hear(self, call: AttentionCall) -> AttentionCall:
        """Measure a call and leave it as it is."""
        queries, keys = call.query.shape[2], call.key.shape[2]
        still_asks = not bool(self.asking[:, :-queries].any())  # a model may drop rows on its way up
        if call.is_understood and still_asks and keys == self.vision.shape[1]:
            rows = self._rows_of(queries, call.query.device)
            vision, renamed = (keys.to(call.query.device)[:, None, None] for keys in (self.vision, self.renamed))
            shares = (rows.valid / rows.valid.sum(1, keepdim=True).clamp_min(1)).split(ROWS_AT_ONCE, dim=1)
            blocks = zip(_blocks(rows), shares, strict=True)
            total = reduce(_Sums.plus, (_Sums.of(call, block, share, vision, renamed) for block, share in blocks))
            null = torch.stack([total.flat, total.by_chance, total.variance_by_chance(vision)], dim=1)
            self.found[call.layer] = total.mass, null
        return call

    def _rows_of(self, queries: int, device: torch.device) -> Rows:
        if (queries, device) not in self._rows:
            self._rows[queries, device] = Rows.where(self.asking[:, -queries:].to(device))
        return self._rows[queries, device]


def _blocks(rows: Rows) -> Iterator[Rows]:
    """The same rows, so many at a time, to be gathered one block after the other; at least one block."""
    for start in range(0, max(len(rows), 1), ROWS_AT_ONCE):
        some = slice(start, start + ROWS_AT_ONCE)
        yield replace(rows, index=rows.index[:, some], valid=rows.valid[:, some])


def _part(some: Tensor, among: Tensor) -> Tensor:
    """The share of `some` keys among others: [..., key] bool twice -> [...], 0 where there are none."""
    return (some & among).sum(-1) / among.sum(-1).clamp_min(1)
