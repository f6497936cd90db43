"""What a test needs of one family: its real transformers class, built small, and prompts as ready tensors."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from transformers import PreTrainedModel

Inputs = dict[str, Tensor]
"""Keyword arguments of the model, as its processor would give them."""


@dataclass(frozen=True, slots=True)
class Replica:
    """A family's real class with few layers, random weights of a size that makes every difference show."""

    model: PreTrainedModel
    one: Inputs
    """One prompt with one image, no padding."""
    padded: Inputs
    """Two or three prompts of different length, left-padded, each with an image; the numbers of vision tokens differ
    where the family allows it."""
    text_only: Inputs
    """One prompt without any image."""
    several: Inputs | None
    """One prompt with two images; None where the family takes one image only."""
    suppress: tuple[int, ...]
    """Token ids that generation must not write: images, indicators, the end of a sequence."""
