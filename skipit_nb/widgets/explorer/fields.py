"""The fields and buttons of the explorer, for `Controls`."""

from __future__ import annotations

from typing import Any

from skipit_nb.widgets.explorer.state import CHOICES


def choice(name: str, label: str) -> dict[str, Any]:
    """A field for one of the words that a field of the state takes."""
    return {"name": name, "label": label, "kind": "choice", "options": list(CHOICES[name])}


def measure_fields(tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    """What Measure measures."""
    hint = "At least so many: whole images. Of all tasks, so many of each."
    return [
        {"name": "task", "label": "task", "kind": "choice", "options": list(tasks)},
        choice("over", "plots are of"),
        {"name": "limit", "label": "questions", "kind": "int", "min": 1, "hint": hint},
        {"name": "seed", "label": "seed", "kind": "int", "min": 0},
    ]


def view_fields() -> list[dict[str, Any]]:
    """How the plots are read."""
    hint = "A distance in 1 - cos, above 0 and at most 2."
    return [
        {"name": "epsilon", "label": "ε of the tail", "kind": "number", "hint": hint},
        choice("scale", "axis"),
    ]


def compare_fields() -> list[dict[str, Any]]:
    """What keeps something beside."""
    hint = "Keeps these lines and this image beside what you choose next."
    return [
        {"name": "pin", "label": "Pin for comparison", "kind": "button", "hint": hint},
        {"name": "unpin", "label": "Unpin", "kind": "button"},
    ]


def band_fields(*, is_live: bool) -> list[dict[str, Any]]:
    """What the map of bands shows; the button only where bands can be measured."""
    hint = "Over the questions that Measure takes; the time grows with the square of the number of layers."
    button = {"name": "map", "label": "Measure bands", "kind": "button", "hint": hint}
    return [choice("band_tokens", "tokens"), *([button] if is_live else [])]


def question_fields() -> list[dict[str, Any]]:
    """Which question is looked at."""
    return [
        {"name": "pick", "label": "question", "kind": "choice", "options": []},
        {"name": "previous", "label": "Previous", "kind": "button"},
        {"name": "next", "label": "Next", "kind": "button"},
    ]


def overlay_fields() -> list[dict[str, Any]]:
    """What lies over the image."""
    return [choice("shows", "overlay"), choice("colors", "colours span")]
