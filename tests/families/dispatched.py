"""What a decoder really dispatches: FLOPs of its layers and of the head, matrices gone through, keys kept."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count
from transformers import Cache

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.cache_argument import cache_in

KNOWN = {
    # The CPU's fused attention and the products of several experts at once: PyTorch's counter takes them for nothing.
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v),
    torch.ops.aten._grouped_mm: lambda rows, experts, *_, **__: 2 * rows[0] * experts[1] * experts[2],
    # The short convolutions of linear attention, channel by channel: `cost` leaves out what is no product of matrices.
    torch.ops.aten.convolution: lambda *_, **__: 0,
}


@dataclass
class Dispatched:
    """One pass through the decoder."""

    cached: int
    """Bytes of keys and values in the cache before the pass."""
    features: int
    """Image features that cross-attention is given."""
    layers: list[int]
    """FLOPs of each layer."""
    others: int = 0
    """FLOPs of the head and of the decoder's own matrices beside its layers."""
    linears: Counter[nn.Linear] = field(default_factory=Counter)
    """Matrices of the layers, by how often they ran."""

    @property
    def flops(self) -> int:
        return sum(self.layers) + self.others

    @property
    def weights(self) -> int:
        return sum(linear.weight.numel() for linear in self.linears)


@contextlib.contextmanager
def dispatched(anatomy: Anatomy) -> Iterator[list[Dispatched]]:
    """Watch every pass inside the block; not counted is what computes masks and rotary tables."""
    passes: list[Dispatched] = []

    def begin(_, __, kwargs):
        features = kwargs.get("cross_attention_states")
        passes.append(
            Dispatched(
                cached=bytes_of(cache_in(kwargs)),
                features=0 if features is None else features[..., 0].numel(),
                layers=[0] * len(anatomy.layers),
            )
        )

    def add_layer(index, flops):
        passes[-1].layers[index] += flops

    def add_other(flops):
        passes[-1].others += flops

    with contextlib.ExitStack() as undo:
        undo.callback(anatomy.decoder.register_forward_pre_hook(begin, with_kwargs=True).remove)
        for other in (anatomy.head, *(part for part in anatomy.decoder.children() if isinstance(part, nn.Linear))):
            counting(other, add_other, undo)
        for index, layer in enumerate(anatomy.layers):
            counting(layer, partial(add_layer, index), undo)
            for linear in (part for part in layer.modules() if isinstance(part, nn.Linear)):
                undo.callback(
                    linear.register_forward_hook(lambda linear, *_: passes[-1].linears.update([linear])).remove
                )
        yield passes


def counting(module, add, undo):
    """Call `add` with the FLOPs of every call of `module`, until `undo` is closed."""
    counter = FlopCounterMode(display=False, custom_mapping=KNOWN)

    def stop(*_):
        counter.__exit__(None, None, None)
        add(counter.get_total_flops())

    undo.callback(module.register_forward_pre_hook(lambda *_: counter.__enter__() and None).remove)
    undo.callback(module.register_forward_hook(stop, always_call=True).remove)


def bytes_of(cache: Cache | None) -> int:
    """Bytes of keys and values; those of a skipped layer are zeros that only count its tokens, and left out."""
    slots = [] if cache is None else cache.layers
    kept = [slot for slot in slots if isinstance(getattr(slot, "keys", None), torch.Tensor) and slot.keys.any()]
    return sum(slot.keys.nbytes + slot.values.nbytes for slot in kept)
