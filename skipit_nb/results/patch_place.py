"""`PatchPlace`: where on its picture a vision token lies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PatchPlace:
    """The rectangle of a picture that a vision token was made from, in fractions of the picture, 0 to 1."""

    image: int
    """Which of the question's pictures, from 0."""
    view: int
    """0 is the picture as a whole; 1 its tiles, in families that look twice (LLaVA-NeXT, LLaVA-OneVision)."""
    left: float
    top: float
    right: float
    bottom: float
