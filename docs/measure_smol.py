"""Measures what `docs/models.md` says of the layers of smol, and stores it: `python docs/measure_smol.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from notion_results import RESULTS, TASKS, shortened

from skipit_nb import Session

LIMIT = 200
BATCH_SIZE = 32
MEASURES: dict[str, Callable[[Session, str], Any]] = {
    "profile": lambda session, task: session.profile(task, limit=LIMIT, batch_size=BATCH_SIZE),
    "agreement": lambda session, task: session.agreement(task, limit=LIMIT, batch_size=BATCH_SIZE),
}
"""Name in the file's name → how it is measured."""


def measure() -> None:
    """Measure everything anew, and store it."""
    with Session.open("smol", device="cpu", dtype="bfloat16") as session:
        for task in TASKS:
            for name, ask in MEASURES.items():
                file = RESULTS / f"smol-{task}-{name}.json"
                file.write_text(shortened(ask(session, task).to_json()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    measure()
