"""What the explorer's plots draw: plain values from a profile, and from one that is shown beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from skipit_nb.results import LayerDistance, RedundancyProfile

SHOWN = ("vision", "text", "first")
"""Kinds of tokens that get a line; kinds by hand follow."""

NAMES = {"first": "first token"}

Line = dict[str, Any]
"""One entry of `LayerPlot.series`."""

Value = Callable[[LayerDistance], float]


def distance_series(profile: RedundancyProfile, beside: RedundancyProfile | None = None) -> list[Line]:
    """Mean distance per layer, in a band of one standard deviation where there are several questions."""
    lines = _lines(profile, lambda row: row.distance, beside)
    if profile.num_samples > 1:
        for line, rows in zip(lines, _kinds(profile), strict=False):
            line["low"] = [max(row.distance - row.spread, 0.0) for row in rows]
            line["high"] = [row.distance + row.spread for row in rows]
    return lines


def tail_series(profile: RedundancyProfile, epsilon: float, beside: RedundancyProfile | None = None) -> list[Line]:
    """P[d > ε] per layer."""
    return _lines(profile, lambda row: row.tail_at(epsilon), beside)


def norm_series(profile: RedundancyProfile, beside: RedundancyProfile | None = None) -> list[Line]:
    """Mean length of the state before each layer: a first token or a sink stands out here."""
    return _lines(profile, lambda row: row.norm, beside)


def update_series(profile: RedundancyProfile, beside: RedundancyProfile | None = None) -> list[Line]:
    """Mean length of what each layer adds, relative to the state before it."""
    return _lines(profile, lambda row: row.update, beside)


def flow_series(profile: RedundancyProfile, beside: RedundancyProfile | None = None) -> list[Line]:
    """VAR per layer, and the share that a flat attention would give; null at layers where it was not measured."""
    if not profile.flow:
        return []
    rows = profile.flow_by_layer
    line: Line = {"name": "VAR", "look": "flow", "values": [None if row is None else row.var for row in rows]}
    if profile.num_samples > 1:
        line["low"] = [None if row is None else max(row.var - row.spread, 0.0) for row in rows]
        line["high"] = [None if row is None else min(row.var + row.spread, 1.0) for row in rows]
    flat: Line = {
        "name": "flat",
        "look": "uniform",
        "values": [None if row is None else row.uniform for row in rows],
    }
    lines = [line, flat]
    if beside is not None and beside.flow:
        values = [None if row is None else row.var for row in beside.flow_by_layer]
        lines.append({"name": "VAR beside", "look": "flow", "values": values, "is_beside": True})
    return lines


def _lines(profile: RedundancyProfile, value: Value, beside: RedundancyProfile | None) -> list[Line]:
    own = [_line(rows, value) for rows in _kinds(profile)]
    theirs = [_line(rows, value) for rows in _kinds(beside)] if beside else []
    return own + [line | {"name": f"{line['name']} beside", "is_beside": True} for line in theirs]


def _line(rows: tuple[LayerDistance, ...], value: Value) -> Line:
    kind = rows[0].tokens
    look = kind if kind in SHOWN else "other"
    return {"name": NAMES.get(kind, kind), "look": look, "values": [value(row) for row in rows]}


def _kinds(profile: RedundancyProfile) -> list[tuple[LayerDistance, ...]]:
    present = {row.tokens: None for row in profile.layers}
    order = [kind for kind in SHOWN if kind in present] + [kind for kind in present if kind not in SHOWN]
    return [profile.of(kind) for kind in order]
