"""How each kind of token looks, everywhere: Okabe-Ito colours, and a shape and a dash that say the same. No Altair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from skipit_nb.errors import SettingError

DISTANCE_UNIT = "1 \N{MINUS SIGN} cos"
"""The unit of a distance, as axes print it."""


@dataclass(frozen=True, slots=True)
class Look:
    """One series, recognisable without its colour."""

    color: str
    shape: str
    """A Vega symbol: "circle", "square", "triangle-up", "diamond"."""
    dash: tuple[int, ...]
    """Lengths of stroke and gap; (1, 0) is a solid line."""


LOOKS = {
    "vision": Look("#0072B2", "circle", (1, 0)),
    "text": Look("#D55E00", "square", (6, 3)),
    "first": Look("#6B6B6B", "triangle-up", (2, 2)),
}
"""By kind of token."""

BY_HAND = (
    Look("#CC79A7", "diamond", (8, 2, 2, 2)),
    Look("#009E73", "cross", (4, 4)),
    Look("#8A6D00", "triangle-down", (1, 3)),
)
"""Kinds of tokens whose rows were given by hand, in their order."""

A_LOOK = Look("#6B6B6B", "circle", (1, 0))
B_LOOK = Look("#0072B2", "diamond", (6, 3))
VIEW_LOOKS = {
    "vision": LOOKS["vision"],
    "text": LOOKS["text"],
    "last": Look("#8A6D00", "triangle-up", (2, 2)),
}
"""By view of a boundary: the mean of the vision tokens, of the text tokens, the last prompt token."""

FLOW_LOOK = Look("#009E73", "diamond", (1, 0))
"""Cross-modal flow."""

GOOD = "#009E73"
"""What meets the conditions."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8A6D00", "#6B6B6B")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
DASHES = ((1, 0), (6, 3), (2, 2), (8, 2, 2, 2), (4, 4), (1, 3))
"""Series that are no kinds of tokens, in this order."""

RAMP = ("#F4F8FB", "#9CCBE6", "#2C8CC4", "#0B4F86", "#06274A")
"""Pale to dark, so that it reads without colour: no distance to the largest."""


def check_tokens(tokens: Sequence[str]) -> None:
    """Refuse what names no kinds of tokens. Whether they occurred, the result knows that is drawn.

    Raises:
        SettingError: If there is none, or they are one text.
    """
    if isinstance(tokens, str) or not tokens:
        known = ", ".join(LOOKS)
        raise SettingError("tokens", tokens, f"a list of some of {known}, and kinds whose rows were given by hand")


def token_look(kind: str, others: Sequence[str]) -> Look:
    """How a kind of token looks; those whose rows were given by hand, such as audio, by their place among these."""
    by_hand = [name for name in others if name not in LOOKS]
    return LOOKS[kind] if kind in LOOKS else BY_HAND[by_hand.index(kind) % len(BY_HAND)]


def tick_step(num_layers: int) -> int:
    """Layers from one labelled tick to the next: about a dozen labels, two dozen at most."""
    return next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if num_layers <= 24 * step)


def numbered_looks(names: Sequence[str]) -> dict[str, Look]:
    """A look for each of some series that are no kinds of tokens; they repeat after six."""
    return {
        name: Look(COLORS[at % len(COLORS)], SHAPES[at % len(SHAPES)], DASHES[at % len(DASHES)])
        for at, name in enumerate(names)
    }
