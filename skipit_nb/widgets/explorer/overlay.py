"""What the patch overlay draws: plain values from one question's distances, token by token."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from skipit_nb.results import PatchPlace, TokenDistances

SINK = 5.0
"""A token counts as a sink at a layer where its state is so many times as long as that of the middle token. States
of attention sinks are hundreds of times as long in large models; those of all other tokens differ by less than this."""

QUANTITIES = {"distance": "d = 1 − cos, pale = moved least", "length": "length of the state before the layer"}

VIEWS = ("the whole image", "tiles")


def stages_of(seen: TokenDistances, sizes: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """One stage for each image and each way the model looks at it: what `PatchOverlay.stages` takes.

    Args:
        seen: One question, token by token.
        sizes: Width and height of its images.
    """
    numbered = [(place, at) for at, place in enumerate(seen.patches) if place is not None]
    by_stage = sorted(numbered, key=lambda pair: (pair[0].image, pair[0].view, pair[1]))
    count = len({place.image for place, _ in numbered})
    stages = []
    for (image, view), pairs in groupby(by_stage, key=lambda pair: (pair[0].image, pair[0].view)):
        own = list(pairs)
        has_tiles = any(place.image == image and place.view for place, _ in numbered)
        width, height = sizes[image] if image < len(sizes) else (1, 1)
        stages.append(
            {
                "image": image,
                "caption": _caption(image, view, count, [place for place, _ in own], has_tiles=has_tiles),
                "aspect": width / max(height, 1),
                "at": [at for _, at in own],
                "boxes": [[round(edge, 5) for edge in _edges(place)] for place, _ in own],
            }
        )
    return stages


def overlay_values(
    seen: TokenDistances, layer: int, *, shows: str = "distance", is_shared: bool = False
) -> dict[str, Any]:
    """Values of all tokens at one layer, as traits of the overlay.

    Args:
        seen: One question, token by token.
        layer: The layer.
        shows: "distance", or "length" of the state before the layer.
        is_shared: Whether the colours span the values of all layers, from 0, or only those of this one.
    """
    table = seen.norm if shows == "length" and seen.norm else seen.distance
    norms = seen.norm[layer] if seen.norm else ()
    vision = [at for at, is_vision in enumerate(seen.is_vision) if is_vision]
    text = [at for at, is_vision in enumerate(seen.is_vision) if not is_vision]
    sinks = _sinks(norms)
    largest = max((row[at] for row in table for at in vision), default=0.0) if is_shared else 0.0
    return {
        "title": f"{shows} of vision tokens at layer {layer}",
        "unit": QUANTITIES[shows],
        "values": [_short(table[layer][at]) for at in vision],
        "sinks": [place for place, at in enumerate(vision) if at in sinks],
        "tokens": [seen.tokens[at] for at in text],
        "token_values": [_short(table[layer][at]) for at in text],
        "token_sinks": [place for place, at in enumerate(text) if at in sinks],
        "lengths": [_short(norms[at]) for at in (*vision, *text)] if norms else [],
        "span": [0.0, largest],
    }


def _sinks(norms: Sequence[float]) -> set[int]:
    middle = statistics.median(norms) if norms else 0.0
    return {at for at, norm in enumerate(norms) if norm > SINK * middle}


def _short(value: float) -> float:
    """Four digits: a large image has thousands of tokens, and each choice of a layer sends them all."""
    return float(f"{value:.4g}")


def _edges(place: PatchPlace) -> tuple[float, float, float, float]:
    return place.left, place.top, place.right, place.bottom


def _caption(image: int, view: int, count: int, places: Sequence[PatchPlace], *, has_tiles: bool) -> str:
    """Which image and view this is, its grid, and how much of the image the model sees."""
    rows, columns = len({place.top for place in places}), len({place.left for place in places})
    parts = [f"image {image + 1}"] * (count > 1) + [VIEWS[min(view, 1)]] * has_tiles + [f"{rows} × {columns} tokens"]
    left, top, right, bottom = zip(*map(_edges, places), strict=True)
    wide, high = max(right) - min(left), max(bottom) - min(top)
    if min(wide, high) < 0.98:  # noqa: PLR2004 - less than two percent is rounding
        parts.append(f"the model sees {wide:.0%} of its width and {high:.0%} of its height")
    return ", ".join(parts)
