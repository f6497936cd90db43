"""`SampleTokens`: the distances of one question, token by token, kept on request beside the means of a profile."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SampleTokens:
    """One question of a profile: how far each layer moves each of its tokens."""

    sample: str
    """Document key of the question."""
    tokens: tuple[str, ...]
    """The kind of each token, in the order of the prompt, padding left out: "vision", "text", "first" or a name that
    the caller gave."""
    distance: tuple[tuple[float, ...], ...]
    """[layer][token] d = 1 - cos between the token's state before and after the layer, 0 to 2."""
