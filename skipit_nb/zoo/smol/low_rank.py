"""Low-rank updates: what a pretrained decoder learns anew, in a hundredth of its weights.

    y = W x + back (into x)            while it is trained; W rests
    W' = W + back into                 when it is merged; a plain linear layer again

Source:
    Hu et al. 2021, "LoRA: Low-Rank Adaptation of Large Language Models". arXiv:2106.09685
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear


class Update(nn.Module):
    """The two factors of one update, kept in float32 whatever the decoder computes in.

    Args:
        width_in: Width of what goes in.
        width_out: Width of what comes out.
        rank: Width between the factors.
    """

    def __init__(self, width_in: int, width_out: int, rank: int) -> None:
        super().__init__()
        self.into = nn.Parameter(torch.randn(rank, width_in) / math.sqrt(width_in))
        self.back = nn.Parameter(torch.zeros(width_out, rank))  # so that training starts at the pretrained decoder

    def forward(self, x: Tensor) -> Tensor:
        """Give what the update adds to the layer's output."""
        return linear(linear(x, self.into.to(x.dtype)), self.back.to(x.dtype))


class Updated(nn.Module):
    """A linear layer and its update.

    Args:
        layer: The pretrained layer.
        rank: Rank of the update.
    """

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.update = Update(layer.in_features, layer.out_features, rank)

    def forward(self, x: Tensor) -> Tensor:
        """Give the layer's output, updated."""
        y: Tensor = self.layer(x) + self.update(x)
        return y

    @torch.no_grad()
    def merged(self) -> nn.Linear:
        """Give the plain layer, its weights updated in place."""
        weight = self.layer.weight
        weight.copy_(weight.float() + self.update.back @ self.update.into)
        return self.layer


def add_updates(decoder: nn.Module, rank: int) -> nn.ModuleList:
    """Put an update beside every linear layer of a decoder's layers, and give the updates."""
    for parent, name, layer in list(_places(decoder, nn.Linear)):
        setattr(parent, name, Updated(layer, rank))
    return nn.ModuleList(place.update for _, _, place in _places(decoder, Updated))


def merge_updates(decoder: nn.Module) -> None:
    """Make every updated layer a plain one again."""
    for parent, name, updated in list(_places(decoder, Updated)):
        setattr(parent, name, updated.merged())


def _places(decoder: nn.Module, kind: type[nn.Module]) -> Iterator[tuple[nn.Module, str, Any]]:
    for parent in decoder.get_submodule("layers").modules():
        for name, child in parent.named_children():
            if isinstance(child, kind):
                yield parent, name, child
