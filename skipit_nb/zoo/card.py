"""The model card: numbers in card.json, and the same numbers in words and tables in README.md.

card.json may also hold "profiles", for each task what the layers of the finished model look like:

    task, n, base              the questions, how many, and the accuracy with every layer running
    limit, dtype               of how many questions whole images were drawn, and the precision (500 and float32
                               where a card does not say)
    vision, text, var          per layer: distances in 1 - cos, attention of the last prompt token on the image
    entry                      accuracy with vision tokens absent from layers 0..k-1, for k = 1..num_layers
    exit                       accuracy with vision tokens absent from layer k on, for k = 0..num_layers-1
    whole, frozen, absent      accuracy with one layer skipped, its vision tokens frozen, or absent
"""

from __future__ import annotations

import datetime as dt
import json
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from skipit_nb.zoo.prose import DATA, PROSE, Prose
from skipit_nb.zoo.report import Report

CARD = "card.json"
README = "README.md"
_PACKAGES = ("torch", "transformers", "tokenizers", "scikit-learn", "pillow", "numpy")


def make_card(report: Report, name: str) -> dict[str, Any]:
    """Put a training run of the model of that name into the form of card.json."""
    return {
        "name": name,
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "versions": {"python": platform.python_version()} | {name: version(name) for name in _PACKAGES},
        **asdict(report),
    }


def read_card(folder: Path) -> dict[str, Any]:
    """Read card.json of a model's folder."""
    card: dict[str, Any] = json.loads((folder / CARD).read_text(encoding="utf-8"))
    return card


def write_card(card: dict[str, Any], folder: Path) -> None:
    """Write card.json and README.md into a model's folder."""
    (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    (folder / README).write_text(render_card(card), encoding="utf-8")


def render_card(card: dict[str, Any]) -> str:
    """Write the model card in Markdown, from nothing but card.json."""
    prose = PROSE[card["name"]]
    parts = [
        prose.introduction.format(parameters=card["num_parameters"] / 1e6),
        _summary(card["tasks"], prose.weights),
        *(_task(task) for task in card["tasks"]),
        _joint(card.get("alone", [])),
        DATA,
        _recipe(card, prose),
        *(_profile(profile) for profile in card.get("profiles", [])),
        _remarks(card.get("remarks", [])),
    ]
    return "\n".join(part for part in parts if part)


def _summary(tasks: Sequence[dict[str, Any]], weights: str) -> str:
    rows = [
        (
            task["task"],
            f"{task['num_test_questions']:,}",
            _percent(task["accuracy"]),
            _percent(task["blind_accuracy"]),
            _percent(task["blank_image_accuracy"]),
            _percent(task["validation_accuracy"]),
        )
        for task in tasks
    ]
    return (
        "## How often it is right\n\n"
        + _table(("task", "test questions", "right", "blind", "blank image", "right on validation"), rows)
        + "\n*Blind*: the most frequent training answer to the same words. *Blank image*: this model, shown an empty\n"
        f"pale image. Measured with {weights}.\n"
    )


def _task(task: dict[str, Any]) -> str:
    rows = [
        (
            kind,
            f"{score['n']:,}",
            _percent(score["accuracy"]),
            _percent(task["blind_kinds"][kind]["accuracy"]),
            _percent(task["blank_image_kinds"][kind]["accuracy"]),
        )
        for kind, score in task["kinds"].items()
    ]
    return f"### {task['task']} by type of question\n\n" + _table(
        ("type of question", "n", "right", "blind", "blank image"), rows
    )


def _joint(alone: Sequence[dict[str, Any]]) -> str:
    if not alone:
        return ""
    rows = [(row["task"], _percent(row["accuracy"]), _percent(row["joint_accuracy"])) for row in alone]
    return "### What learning both tasks cost\n\n" + _table(("task", "learned alone", "learned with the other"), rows)


def _recipe(card: dict[str, Any], prose: Prose) -> str:
    cost, versions = card["cost"], card["versions"]
    rows = [
        (stage["name"], f"{stage['num_steps']:,}", stage["num_images"], stage["num_questions"], stage["learning_rate"])
        for stage in card["plan"]
    ]
    return (
        "## How it was trained\n\n"
        f"{card.get('command', prose.command)}, seed {card['seed']}, {card['date']}: {cost['wall_s'] / 60:.0f} minutes "
        f"({cost['cpu_s']:,.0f} CPU seconds) on {cost['device']} with {cost['threads']} thread(s); "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + ".\n\n"
        + _table(("stage", "steps", "images a task and step", "questions an image", "highest rate"), rows)
        + "\n"
        + prose.recipe
    )


def _profile(profile: dict[str, Any]) -> str:
    rows = [
        (
            layer,
            f"{vision:.4f}",
            f"{profile['text'][layer]:.4f}",
            f"{profile['var'][layer]:.2f}",
            *(_percent(profile[name][layer]) for name in ("whole", "frozen", "absent", "exit", "entry")),
        )
        for layer, vision in enumerate(profile["vision"])
    ]
    head = ("layer", "vision distance", "text distance", "VAR", "skip it whole", "vision frozen", "vision absent")
    return (
        f"## What its layers look like: {profile['task']}\n\n"
        f"Measured on {profile['n']:,} test questions (`limit={profile.get('limit', 500)}`, seed 0{_in(profile)}); "
        f"{_percent(profile['base'])} are right with every layer running. Distance is 1 - cos between a token's state "
        "before and after the layer, 0 to 2, low for a redundant layer. VAR is the share of its attention that the "
        "last word of the prompt gives to the image.\n\n"
        + _table((*head, "vision exits before it", "vision enters after it"), rows)
    )


def _in(profile: dict[str, Any]) -> str:
    return f", in {profile['dtype']}" if "dtype" in profile else ""


def _remarks(remarks: Iterable[str]) -> str:
    lines = [f"- {remark}" for remark in remarks]
    return "## What was tried\n\n" + "\n".join(lines) + "\n" if lines else ""


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
