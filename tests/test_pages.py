"""What the how-to pages tell a reader to type, typed: every Python block of a page, in order, on the model in the box.

The pages of notions, tasks, clusters, harnesses, the gallery and the README have tests of their own.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForImageTextToText

import skipit_nb
from skipit_nb import SkipSet, TokenDrop, charts
from skipit_nb.cost import cost
from skipit_nb.session import Session

DOCS = Path(__file__).parents[1] / "docs"


def nothing(_: Session) -> dict[str, Any]:
    return {}


def prompt(session: Session) -> dict[str, Any]:
    example = session.examples("easy-vqa", limit=1)[0]
    return {"inputs": session._open.inputs([example.image], [example.question])}


def exported(session: Session) -> dict[str, Any]:
    folder = Path("exported")
    session.export("vision absent 8-", folder)
    return prompt(session) | {"folder": folder}


def scores(_: Session) -> dict[str, Any]:
    kinds, images = np.repeat(["color", "shape"], 60), np.repeat(np.arange(40), 3)
    a = np.random.default_rng(0).integers(0, 2, 120).astype(float)
    return {"scores_a": a, "scores_b": a[::-1].copy(), "image_ids": images, "question_types": kinds}


def trained(_: Session) -> dict[str, Any]:
    """What `skipit train smol` leaves: here the run whose result comes with the package."""
    shutil.copytree(Path(skipit_nb.__file__).parent / "zoo" / "weights" / "smol", "runs/smol")
    return {}


NEEDS: dict[str, Callable[[Session], dict[str, Any]]] = {
    "start": nothing,
    "verdict": scores,
    "skipping": exported,
    "methods": prompt,
    "likelihood": nothing,
    "efficiency": nothing,
    "information": nothing,
    "robustness": nothing,
    "reproduce": nothing,
    "models": trained,
}
"""Pages, and what a reader of each has already."""

GIVEN = {
    "AutoModelForImageTextToText": AutoModelForImageTextToText,
    "SkipSet": SkipSet,
    "TokenDrop": TokenDrop,
    "charts": charts,
    "cost": cost,
    "skipit_nb": skipit_nb,
}
"""What pages import further up, in words."""


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", NEEDS)
def test_every_line_of_the_page_runs(
    page: str, session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / f"{page}.md").read_text("utf-8"), re.DOTALL)
    assert blocks
    names = {**GIVEN, "session": session, **NEEDS[page](session)}
    for block in blocks:
        exec(compile(block, f"docs/{page}.md", "exec"), names)
