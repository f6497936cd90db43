"""`skipit train`: the recipe with a progress line, and the layers of what came out, on its card."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from skipit_nb.session import Session
from skipit_nb.skipset import SkipSet
from skipit_nb.zoo.card import read_card, write_card
from skipit_nb.zoo.recipe import TASKS, train
from skipit_nb.zoo.stages import StageProgress

QUESTIONS = 500
"""Questions of each sweep on the card."""
SECONDS_A_LINE = 5


def train_tiny(out: Path, *, seed: int, device: str | None, steps_scale: float) -> None:
    """Train, with one line on stderr now and then."""
    told = 0.0

    def progress(at: StageProgress) -> None:
        nonlocal told
        if time.monotonic() - told > SECONDS_A_LINE or at.step == at.num_steps:
            told = time.monotonic()
            print(f"{at.stage} {at.step}/{at.num_steps}, loss {at.loss:.3f}", file=sys.stderr, flush=True)

    train(out, seed=seed, device=device, steps_scale=steps_scale, progress=progress)


def complete_card(folder: Path, *, scale: float = 1.0) -> None:
    """Measure what the layers of the model in `folder` look like, and write it on its card.

    Args:
        folder: A model with its card.
        scale: Share of the questions, below 1 for a try-out.
    """
    questions = max(1, round(min(scale, 1.0) * QUESTIONS))
    with Session.open(str(folder), device="cpu", dtype="float32") as session:
        profiles = [layers_of(session, task, questions) for task in TASKS]
    write_card(read_card(folder) | {"profiles": profiles}, folder)


def layers_of(session: Session, task: str, limit: int = QUESTIONS) -> dict[str, Any]:
    """One task's tables of the card: distances, flow, and accuracy of late entry, early exit and single skips."""
    n = session.num_layers
    profile = session.profile(task, limit=limit)
    families = {
        "entry": [SkipSet.late_entry(k, num_layers=n) for k in range(1, n + 1)],
        "exit": [SkipSet.early_exit(k, num_layers=n) for k in range(n)],
        "whole": [SkipSet.whole(layer, num_layers=n) for layer in range(n)],
        "frozen": [SkipSet.freeze(layer, num_layers=n) for layer in range(n)],
        "absent": [SkipSet.absent(layer, num_layers=n) for layer in range(n)],
    }
    sweep = session.sweep(task, [skipset for family in families.values() for skipset in family], limit=limit)
    rows = iter(sweep.rows)
    return {
        "task": task,
        "n": len(sweep.provenance.samples),
        "base": sweep.baseline,
        "vision": list(profile.distances("vision")),
        "text": list(profile.distances("text")),
        "var": [row.var for row in profile.flow],
        **{name: [next(rows).accuracy for _ in family] for name, family in families.items()},
    }
