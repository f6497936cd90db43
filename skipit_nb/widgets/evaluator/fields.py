"""The evaluator's fields: what can be chosen, and a sentence about each."""

from __future__ import annotations

from typing import Any

from skipit_nb.widgets.evaluator.state import MANY

SWEEP = "sweep"
"""The button that asks many skip sets."""


def arm_fields() -> list[dict[str, Any]]:
    """A and B."""
    hint = "'none' for the full model, or clauses such as 'vision absent 0-7; whole 28'. Press Enter."
    return [
        {"name": "a", "label": "A (reference)", "kind": "code", "hint": hint},
        {"name": "b", "label": "B", "kind": "code", "hint": hint},
    ]


def setting_fields(tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    """Which questions, and what counts as a loss."""
    return [
        {"name": "task", "label": "task", "kind": "choice", "options": list(tasks)},
        {
            "name": "limit",
            "label": "questions",
            "kind": "int",
            "min": 1,
            "optional": True,
            "hint": "At least so many, whole images; empty for all.",
        },
        {"name": "seed", "label": "seed", "kind": "int"},
        {
            "name": "margin",
            "label": "margin",
            "kind": "number",
            "min": 0,
            "max": 1,
            "step": 0.005,
            "hint": "The loss of accuracy you would accept, as a share: 0.01 is one point. Fix it before you look.",
        },
        {
            "name": "stop_early",
            "label": "stop once it is clear",
            "kind": "check",
            "hint": "Asks fewer questions. The interval then allows for having looked, so it is wider.",
        },
        {
            "name": "ledger",
            "label": "ledger folder (optional)",
            "kind": "text",
            "hint": "Keeps every answer as soon as it is there: after a kernel restart the same run goes on.",
        },
    ]


def many_fields() -> list[dict[str, Any]]:
    """Which skip sets to ask at once."""
    hint = "Each of them, and B, answers the same questions; layers that they share run once."
    return [
        {"name": "many", "label": "many skip sets at once", "kind": "choice", "options": list(MANY), "hint": hint},
        {"name": SWEEP, "label": "Sweep", "kind": "button", "hint": hint},
    ]
