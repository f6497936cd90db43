"""A tiny LLaVA with layers whose effect is known: one that does nothing, one that turns, one that only rescales."""

import math

import torch
from torch import nn

from tests.backend.live.tiny_llava import tiny_llava


def identity(hidden, *_, **__):
    return hidden


def turning(degrees):
    """Turn every pair of neighbouring features: every state by the same angle."""
    angle = math.radians(degrees)

    def forward(hidden, *_, **__):
        even, odd = hidden[..., ::2], hidden[..., 1::2]
        turned = (math.cos(angle) * even - math.sin(angle) * odd, math.sin(angle) * even + math.cos(angle) * odd)
        return torch.stack(turned, -1).flatten(-2)

    return forward


def rescaling(factor):
    return lambda hidden, *_, **__: factor * hidden


def planted(**forwards):
    """The model with layers replaced, as in `planted(layer_2=identity)`."""
    model = tiny_llava()
    for name, forward in forwards.items():
        layer: nn.Module = model.model.language_model.layers[int(name.removeprefix("layer_"))]
        layer.forward = forward
    return model
