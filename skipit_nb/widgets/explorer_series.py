"""What the explorer's plots and its overlay draw: plain values from a profile and from one question's distances."""

from __future__ import annotations

from typing import Any

from skipit_nb.results import LayerDistance, RedundancyProfile, TokenDistances

SHOWN = ("vision", "text")
"""Kinds of tokens that get a line."""


def distance_series(profile: RedundancyProfile) -> list[dict[str, Any]]:
    """Mean distance per layer, in a band of one standard deviation where there are several questions."""
    return [_line(rows, [row.distance for row in rows], profile) for rows in _kinds(profile)]


def tail_series(profile: RedundancyProfile, epsilon: float) -> list[dict[str, Any]]:
    """P[d > ε] per layer."""
    return [
        {"name": rows[0].tokens, "look": rows[0].tokens, "values": [row.tail_at(epsilon) for row in rows]}
        for rows in _kinds(profile)
    ]


def flow_series(profile: RedundancyProfile) -> list[dict[str, Any]]:
    """VAR per layer, and the share that a flat attention would give; null at layers where it was not measured."""
    if not profile.flow:
        return []
    rows = profile.flow_by_layer
    line: dict[str, Any] = {"name": "VAR", "look": "flow", "values": [None if row is None else row.var for row in rows]}
    if profile.num_samples > 1:
        line["low"] = [None if row is None else max(row.var - row.spread, 0.0) for row in rows]
        line["high"] = [None if row is None else min(row.var + row.spread, 1.0) for row in rows]
    return [line, {"name": "flat", "look": "uniform", "values": [None if row is None else row.uniform for row in rows]}]


def overlay_values(seen: TokenDistances, layer: int, *, is_shared: bool) -> dict[str, Any]:
    """Grid, distances and text tokens at one layer, as traits of the overlay.

    Args:
        seen: One question, token by token.
        layer: The layer.
        is_shared: Whether the colours span the distances of all layers, from 0, or only those of this one.
    """
    rows, columns = seen.grid
    vision = seen.vision(layer)
    fits = rows * columns == len(vision)
    here = [
        (token, d)
        for token, d, is_vision in zip(seen.tokens, seen.distance[layer], seen.is_vision, strict=True)
        if not is_vision
    ]
    largest = max((max(seen.vision(some), default=0.0) for some in range(len(seen.distance))), default=0.0)
    return {
        "title": f"distance of vision tokens at layer {layer}",
        "grid": [rows, columns] if fits else [0, 0],
        "values": list(vision) if fits else [],
        "empty": "" if fits else "these vision tokens form no single grid",
        "tokens": [token for token, _ in here],
        "token_values": [d for _, d in here],
        "span": [0.0, largest] if is_shared else [0.0, 0.0],
    }


def _kinds(profile: RedundancyProfile) -> list[tuple[LayerDistance, ...]]:
    present = {row.tokens for row in profile.layers}
    return [profile.of(kind) for kind in SHOWN if kind in present]


def _line(rows: tuple[LayerDistance, ...], values: list[float], profile: RedundancyProfile) -> dict[str, Any]:
    line: dict[str, Any] = {"name": rows[0].tokens, "look": rows[0].tokens, "values": values}
    if profile.num_samples > 1:
        line["low"] = [max(row.distance - row.spread, 0.0) for row in rows]
        line["high"] = [row.distance + row.spread for row in rows]
    return line
