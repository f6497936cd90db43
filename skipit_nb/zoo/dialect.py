"""How a model's prompts are made of token ids: what stands before the image, after a question, after an answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Dialect:
    """The tokens of a conversation of one image, one question and one answer."""

    ids_of: Callable[[str], Sequence[int]]
    """Gives the ids of a plain text."""
    opening: tuple[int, ...]
    """Ids before the image."""
    image: int
    """Id that stands at every vision token."""
    num_vision_tokens: int
    """Vision tokens of an image."""
    asking: tuple[int, ...]
    """Ids between a question and its answer."""
    end: int
    """Id that ends an answer."""
    pad: int
    """Id that fills a row up."""

    @property
    def prefix_length(self) -> int:
        """Tokens before a question."""
        return len(self.opening) + self.num_vision_tokens
