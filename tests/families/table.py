"""What each family can skip: the first part of docs/families.md, as the code says.

`python -m tests.families.table` writes it anew; the part on exactness stays, which the test that measures it writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from transformers import DynamicCache

from skipit_nb import SkipSet
from skipit_nb.backend.live.anatomy import Anatomy, anatomy_of
from skipit_nb.backend.live.limits import limits
from tests.families.all_families import BUILDERS, family
from tests.families.conformance import BEGIN

PAGE = Path(__file__).parents[2] / "docs" / "families.md"
ACTIONS = ("whole", "attn", "mlp", "vision frozen", "vision absent", "text frozen", "text absent")

INTRO = """# Families

Skipping is found by structure, not by a table of names, so a family that is not listed works too if it is built
alike. Those listed are tested: their **real transformers class**, built small with random weights, under every kind of
skip set. That proves mechanics (which rows run, at which positions, seen by whom); it says nothing about what a trained
model loses. No published weights were run here, and the batches are ours.

## What each family can skip

Read from the code that refuses. Layers are those of the small replica; a large model has the same kinds of layers.
"but 0–1" means: not in those layers, and the number says why.

"""


def write(exactness: str | None = None) -> None:
    """Write the page, with what it said on exactness so far, unless that is new."""
    if exactness is None:
        exactness = "".join(PAGE.read_text("utf-8").partition(BEGIN)[1:])
    PAGE.write_text(INTRO + capabilities() + "\n" + exactness, encoding="utf-8")


def capabilities() -> str:
    """The table, and the reasons below it."""
    reasons: dict[str, int] = {}
    head = ("family", "model", "layer", "attention", "cache", *ACTIONS)
    lines = [head, ["---"] * len(head), *(_row(name, reasons) for name in BUILDERS)]
    notes = "".join(f"{number}. The layer {reason}.\n" for reason, number in reasons.items())
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines) + f"\n{notes}"


def _row(name: str, reasons: dict[str, int]) -> Iterator[str]:
    model = family(name).model
    anatomy = anatomy_of(model)
    slots = DynamicCache(config=anatomy.decoder.config).layers
    yield name
    yield f"`{type(model).__name__}`"
    yield _each(f"`{type(layer).__name__}`" for layer in anatomy.layers)
    yield _each(kind.removesuffix("_attention") for kind in anatomy.layer_types)
    yield _each(type(slot).__name__.removesuffix("Layer") for slot in slots)
    for action in ACTIONS:
        yield _where(anatomy, action, reasons)


def _each(names: Iterator[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _where(anatomy: Anatomy, action: str, reasons: dict[str, int]) -> str:
    """Where an action works: "yes", "no" or "but" some layers, with the numbers of the reasons."""
    count = len(anatomy.layers)
    refused = dict(limits(anatomy, SkipSet.parse(f"{action} 0-", num_layers=count)))
    if not refused:
        return "yes"
    numbers = sorted({_number(why, reasons) for why in refused.values()})
    notes = "<sup>" + ", ".join(map(str, numbers)) + "</sup>"
    return f"no {notes}" if len(refused) == count else f"but {_spans(sorted(refused))} {notes}"


def _number(why: str, reasons: dict[str, int]) -> int:
    plain = re.sub(r" \(up to layer \d+\)", "", why)
    return reasons.setdefault(plain, len(reasons) + 1)


def _spans(layers: list[int]) -> str:
    """0, 1, 2, 5 as "0–2, 5"."""
    starts = [layer for layer in layers if layer - 1 not in layers]
    ends = [layer for layer in layers if layer + 1 not in layers]
    return ", ".join(f"{a}–{b}" if a < b else str(a) for a, b in zip(starts, ends, strict=True))


if __name__ == "__main__":
    write()
