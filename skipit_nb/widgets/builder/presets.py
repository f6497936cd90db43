"""What the builder can start from: presets that are written down, and published methods that measure first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from skipit_nb.errors import SettingError
from skipit_nb.skipset import SkipSet

Values = dict[str, Any]
"""What stands in the fields."""

PRESETS: dict[str, Callable[[Values, int], SkipSet]] = {
    "late entry of vision": lambda v, n: SkipSet.late_entry(v["k"], num_layers=n),
    "early exit of vision": lambda v, n: SkipSet.early_exit(v["k"], num_layers=n),
    "freeze vision": lambda v, n: SkipSet.freeze(_span(v), num_layers=n),
    "skip whole layers": lambda v, n: SkipSet.whole(_span(v), num_layers=n),
    "skip attention": lambda v, n: SkipSet.attn(_span(v), num_layers=n),
    "skip MLPs": lambda v, n: SkipSet.mlp(_span(v), num_layers=n),
}
AT_A_BOUNDARY = tuple(PRESETS)[:2]
"""Presets that take one number, the boundary k."""


@dataclass(frozen=True, slots=True)
class Knob:
    """The one setting of a method that the page offers; a call has them all."""

    name: str
    """The method's keyword argument."""
    label: str
    is_whole: bool
    start: float


HOW_MANY = Knob("layers", "layers", is_whole=True, start=2)

KNOBS = {
    "angular": HOW_MANY,
    "deepinsert": Knob("depth", "share of depth", is_whole=False, start=0.14),
    "llm-drop": Knob("sublayers", "sublayers", is_whole=True, start=3),
    "shortgpt": HOW_MANY,
    "shortv": HOW_MANY,
    "vtw": Knob("max_kl", "most KL, nats", is_whole=False, start=0.003),
}
"""For each method; one that is not here is run as it comes."""


def preset(values: Values, num_layers: int) -> SkipSet:
    """The bound skip set that the fields describe.

    Raises:
        LayerIndexError: If the model does not have such a layer.
        SettingError: If the span of layers runs backwards.
    """
    return PRESETS[values["preset"]](values, num_layers)


def knob_of(values: Values) -> Values:
    """The keyword argument that the method's field stands for.

    Raises:
        SettingError: If a whole number is wanted and another was entered.
    """
    knob = KNOBS.get(values["method"])
    if knob is None:
        return {}
    value: float = values["knob"]
    if knob.is_whole and value != int(value):
        raise SettingError(knob.label, value, "a whole number")
    return {knob.name: int(value) if knob.is_whole else value}


def preset_fields(last: int) -> list[dict[str, Any]]:
    """The row of presets, for a model whose last layer is `last`."""
    layer = {"kind": "int", "min": 0, "max": last}
    return [
        {"name": "preset", "label": "preset", "kind": "choice", "options": list(PRESETS)},
        {"name": "k", "label": "at layer k", "kind": "int", "min": 0, "max": last + 1},
        {"name": "first", "label": "first layer", "hidden": True, **layer},
        {"name": "last", "label": "last layer", "hidden": True, **layer},
        *taking(),
    ]


def method_fields(methods: dict[str, str], limit: int) -> list[dict[str, Any]]:
    """The row of published methods."""
    hint = f"At least {limit} questions of the what-if's task; judge the set on others."
    return [
        {"name": "method", "label": "published method", "kind": "choice", "options": list(methods), "hint": hint},
        {"name": "knob", "label": "", "kind": "number", "min": 0},
    ]


def taking(*, hidden: bool = False) -> list[dict[str, Any]]:
    """Two buttons: take a skip set in place of what is drawn, or beside it."""
    hints = {
        "replace": ("Replace", "Draw this, in place of what is drawn now."),
        "join": ("Join", "Add this to what is drawn now; of two actions the stronger wins."),
    }
    return [
        {"name": name, "label": label, "kind": "button", "hint": hint, "hidden": hidden}
        for name, (label, hint) in hints.items()
    ]


def _span(values: Values) -> range:
    if values["last"] < values["first"]:
        raise SettingError("last layer", values["last"], f"at least the first layer, {values['first']}")
    return range(values["first"], values["last"] + 1)
