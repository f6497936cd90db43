"""A fixed pool of 100 skip sets of the model in the box, each asked every question of digits-vqa's validation split.

`pool.npz` holds it. `python -m tests.backend.selection.pool` measures it again, in ten minutes of one core.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from skipit_nb import Session, SkipSet
from skipit_nb.backend.selection.calibration import Calibration, is_supported
from skipit_nb.backend.selection.search import MOVES
from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.scoring import score
from skipit_nb.jobs import Tick, no_tick
from skipit_nb.progress import shown

HERE = Path(__file__).with_name("pool.npz")
TASK, SPLIT = "digits-vqa", "validation"
OF_METHODS = OF_CHANCE = 50
CALIBRATION = 32
"""Questions of the train split that the methods go by."""
CALLS = [
    *(("vtw", {"max_kl": kl}) for kl in (0.001, 0.003, 0.01, 0.03, 0.1)),
    *(("shortv", {"layers": n}) for n in (2, 4, 6, 8, 10)),
    *(("shortgpt", {"layers": n}) for n in (1, 2, 3, 4)),
    *(("shortgpt", {"layers": n, "tokens": "last"}) for n in (2, 3)),
    *(("angular", {"layers": n}) for n in (2, 3, 4)),
    *(("llm-drop", {"sublayers": n}) for n in (2, 4, 6, 8)),
    *(("llm-drop", {"sublayers": n, "part": "attn"}) for n in (2, 4, 6)),
    *(("llm-drop", {"sublayers": n, "part": "mlp"}) for n in (2, 4)),
    *(("deepinsert", {"depth": depth}) for depth in (0.08, 0.14, 0.25, 0.4)),
]


@dataclass(frozen=True)
class Pool:
    """Shapes: set (100), question."""

    skipsets: tuple[SkipSet, ...]
    """The first half by methods and moves around them, the second random at equal cost."""
    flops_ratios: tuple[float, ...]
    right: np.ndarray
    """[question, set] 1 where the answer was right, else 0."""
    full: np.ndarray
    """[question] the same of the full model."""
    clusters: tuple[str, ...]
    """The image of each question."""


@cache
def stored() -> Pool:
    """The committed pool."""
    with np.load(HERE) as held:
        names, num_questions = held["skipsets"].tolist(), len(held["clusters"])
        full, *right = np.unpackbits(held["right"], axis=0, count=num_questions).T
        skipsets = tuple(SkipSet.parse(name, num_layers=int(held["num_layers"])) for name in names)
        return Pool(
            skipsets, tuple(held["flops_ratios"].tolist()), np.array(right).T, full, tuple(held["clusters"].tolist())
        )


def skipsets_of(session: Session) -> tuple[SkipSet, ...]:
    """50 sets that methods propose or that lie a move away, and for each a random one of the same cost."""
    found = dict.fromkeys(
        session.propose(method, load_task(TASK, "train"), limit=CALIBRATION, **knobs).skipset for method, knobs in CALLS
    )
    found.pop(SkipSet.none(num_layers=session.num_layers), None)
    draw, proposed = random.Random(0), list(found)
    while len(found) < OF_METHODS:
        move = MOVES[draw.choice(list(MOVES))](draw.randrange(session.num_layers), num_layers=session.num_layers)
        moved = draw.choice(proposed) | move
        if is_supported(session._open, moved):
            found[moved] = None
    seed, chosen = 0, list(found)[:OF_METHODS]
    pool = dict.fromkeys(chosen)
    while len(pool) < OF_METHODS + OF_CHANCE:
        drawn = session.controls(chosen[seed % OF_METHODS], count=1, seed=seed)
        pool |= dict.fromkeys(drawn)
        seed += 1
    return tuple(pool)


def answers_right(session: Session, skipsets: tuple[SkipSet, ...], examples, tick: Tick = no_tick) -> np.ndarray:
    """[question, 1 + set] 1 where the full model, or the set, answers the question right, else 0."""
    rows = Calibration(session._open, examples, session.provenance, 32, tick).prefilled(skipsets)
    right = [[score(text, e).value for text in row.texts] for e, row in zip(examples, rows, strict=True)]
    return np.array(right, dtype=np.uint8)


def store(session: Session, skipsets: tuple[SkipSet, ...], right: np.ndarray, clusters: list[str]) -> None:
    """Write the pool."""
    np.savez_compressed(
        HERE,
        num_layers=session.num_layers,
        skipsets=[str(skipset) for skipset in skipsets],
        flops_ratios=[session.cost(skipset).speedup_over(session.cost()) for skipset in skipsets],
        right=np.packbits(right, axis=0),
        clusters=clusters,
    )


if __name__ == "__main__":
    with Session.open(device="cpu") as opened:
        pool = skipsets_of(opened)
        questions = load_task(TASK, SPLIT).examples
        with shown(True, "pool") as bar:
            found = answers_right(opened, pool, questions, bar)
        store(opened, pool, found, [question.cluster for question in questions])
