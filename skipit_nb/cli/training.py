"""`skipit train`: the recipe with a progress line, and the layers of what came out, on its card."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from skipit_nb.errors import ModelNotFoundError
from skipit_nb.session import Session
from skipit_nb.skipset import SkipSet
from skipit_nb.zoo import whole_checkpoint
from skipit_nb.zoo.card import CARD, read_card, write_card
from skipit_nb.zoo.classroom import StageProgress
from skipit_nb.zoo.course import TASKS
from skipit_nb.zoo.recipe import train
from skipit_nb.zoo.smol import recipe as smol

SECONDS_A_LINE = 5
RECIPES = {"tiny": train, "smol": smol.train}
"""What trains each model in the box."""
MEASURED = {"tiny": (500, "float32"), "smol": (200, "bfloat16")}
"""Questions of each sweep on a model's card, and the precision it is measured in."""
BATCH_SIZE = 32


def train_model(model: str, out: Path, *, seed: int, device: str | None, steps_scale: float) -> None:
    """Train, with one line on stderr now and then."""
    told = 0.0

    def progress(at: StageProgress) -> None:
        nonlocal told
        if time.monotonic() - told > SECONDS_A_LINE or at.step == at.num_steps:
            told = time.monotonic()
            print(f"{at.stage} {at.step}/{at.num_steps}, loss {at.loss:.3f}", file=sys.stderr, flush=True)

    RECIPES[model](out, seed=seed, device=device, steps_scale=steps_scale, progress=progress)


def complete_card(model: str, folder: Path, *, scale: float = 1.0) -> None:
    """Measure what the layers of the model in `folder` look like, and write it on its card.

    Args:
        model: Which model in the box it is.
        folder: What `train_model` left.
        scale: Share of the questions, below 1 for a try-out.

    Raises:
        ModelNotFoundError: If there is no trained model.
    """
    if not (folder / CARD).is_file():
        raise ModelNotFoundError(str(folder), f"there is no {CARD} in it, which `skipit train` leaves")
    card = read_card(folder)
    most, dtype = MEASURED[model]
    questions = max(1, round(min(scale, 1.0) * most))
    with Session.open(str(whole_checkpoint(folder)), device="cpu", dtype=dtype) as session:
        profiles = [layers_of(session, task, questions) for task in TASKS]
    write_card(card | {"profiles": profiles}, folder)


def layers_of(session: Session, task: str, limit: int) -> dict[str, Any]:
    """One task's tables of the card: distances, flow, and accuracy of late entry, early exit and single skips."""
    n = session.num_layers
    profile = session.profile(task, limit=limit, batch_size=BATCH_SIZE)
    families = {
        "entry": [SkipSet.late_entry(k, num_layers=n) for k in range(1, n + 1)],
        "exit": [SkipSet.early_exit(k, num_layers=n) for k in range(n)],
        "whole": [SkipSet.whole(layer, num_layers=n) for layer in range(n)],
        "frozen": [SkipSet.freeze(layer, num_layers=n) for layer in range(n)],
        "absent": [SkipSet.absent(layer, num_layers=n) for layer in range(n)],
    }
    sets = [skipset for family in families.values() for skipset in family]
    sweep = session.sweep(task, sets, limit=limit, batch_size=BATCH_SIZE)
    rows = iter(sweep.rows)
    return {
        "task": task,
        "limit": limit,
        "dtype": session.provenance.dtype,
        "n": len(sweep.provenance.samples),
        "base": sweep.baseline,
        "vision": list(profile.distances("vision")),
        "text": list(profile.distances("text")),
        "var": [row.var for row in profile.flow],
        **{name: [next(rows).accuracy for _ in family] for name, family in families.items()},
    }
