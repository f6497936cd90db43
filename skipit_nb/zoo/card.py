"""The model card: numbers in card.json, and the same numbers in words and tables in README.md.

card.json may also hold "profiles", for each task what the layers of the finished model look like:

    task, n, base              the questions, how many, and the accuracy with every layer running
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

from skipit_nb.zoo.report import Report

CARD = "card.json"
README = "README.md"
COMMAND = "`skipit train tiny --out DIR`"
_PACKAGES = ("torch", "transformers", "tokenizers", "scikit-learn", "pillow", "numpy")

_INTRODUCTION = """\
# tiny: a vision-language model in a box

A small but genuine and trained vision-language model: `LlavaForConditionalGeneration` as transformers has it,
with a CLIP tower (64 x 64 pixels in patches of 8, so 8 x 8 vision tokens), a projector of two layers and a Llama
decoder of 12 layers with grouped keys and values. {parameters:.2f} million parameters, float16.

It answers questions of a few words about two kinds of images, and nothing else: one coloured shape
(easy-VQA) and one to four handwritten digits (Digits-VQA). It is there to show what our tools do, in seconds
and offline. It proves nothing about a model of seven billion parameters.
"""

_DATA = """\
## What it learned from

- **easy-VQA** (the package `easy-vqa` 1.0, MIT): its own test split; every 20th image of its train split is
  held out for validation. Questions are the same words in train and test, images are new.
- **Digits-VQA** (made here from the 1,797 handwritten digits that come with scikit-learn, UCI "Optical Recognition
  of Handwritten Digits", CC BY 4.0): one to four digits on a canvas; train, validation and test draw from
  different digit images.
"""

_RECIPE = """\
Stage *vision* teaches the tower what is over each patch: colour and shape (read out of easy-VQA's training questions),
or the digit, its place and the count. *Language* teaches the decoder to answer questions about symbolic images, a
vector for what is over each patch. *Align* teaches the projector to turn what the tower sees into these vectors.
*All* trains everything on questions about images. Several questions share one image in a sequence, each blind to the
others. easy-VQA's shapes are moved about their ground and mirrored. A question is asked the more often, the rarer its
answer is (up to five times): otherwise yes/no questions teach the model not to look. Everything was chosen on
validation images; the test split was read by the finished weights.
"""


def make_card(report: Report) -> dict[str, Any]:
    """Put a training run into the form of card.json."""
    return {
        "name": "tiny",
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
    parts = [
        _INTRODUCTION.format(parameters=card["num_parameters"] / 1e6),
        _summary(card["tasks"]),
        *(_task(task) for task in card["tasks"]),
        _joint(card.get("alone", [])),
        _DATA,
        _recipe(card),
        *(_profile(profile) for profile in card.get("profiles", [])),
        _remarks(card.get("remarks", [])),
    ]
    return "\n".join(part for part in parts if part)


def _summary(tasks: Sequence[dict[str, Any]]) -> str:
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
        "pale image. Measured with the float16 weights as shipped, computed in float32 on CPU.\n"
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


def _recipe(card: dict[str, Any]) -> str:
    cost, versions = card["cost"], card["versions"]
    rows = [
        (stage["name"], f"{stage['num_steps']:,}", stage["num_images"], stage["num_questions"], stage["learning_rate"])
        for stage in card["plan"]
    ]
    return (
        "## How it was trained\n\n"
        f"{card.get('command', COMMAND)}, seed {card['seed']}, {card['date']}: {cost['wall_s'] / 60:.0f} minutes "
        f"({cost['cpu_s']:,.0f} CPU seconds) on {cost['device']} with {cost['threads']} thread(s); "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
        + ".\n\n"
        + _table(("stage", "steps", "images a task and step", "questions an image", "highest rate"), rows)
        + "\n"
        + _RECIPE
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
        f"Measured on {profile['n']:,} test questions (`limit=500`, seed 0); {_percent(profile['base'])} are right "
        "with every layer running. Distance is 1 - cos between a token's state before and after the layer, 0 to 2, low "
        "for a redundant layer. VAR is the share of its attention that the last word of the prompt gives to the "
        "image.\n\n" + _table((*head, "vision exits before it", "vision enters after it"), rows)
    )


def _remarks(remarks: Iterable[str]) -> str:
    lines = [f"- {remark}" for remark in remarks]
    return "## What was tried\n\n" + "\n".join(lines) + "\n" if lines else ""


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
