"""`docs/models.md` says what the cards say."""

from pathlib import Path

import pytest

from skipit_nb.results import Agreement
from skipit_nb.zoo import TRAINED_PART, model_names, shipped_folder
from skipit_nb.zoo.card import read_card
from skipit_nb.zoo.smol.backbone import INSTALL

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "models.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("task", ["easy-vqa", "digits-vqa"])
def test_the_page_gives_the_accuracy_of_every_card(task: str) -> None:
    line = next(line for line in PAGE.splitlines() if line.startswith(f"| {task}"))
    cards = [read_card(shipped_folder(name)) for name in reversed(model_names())]
    for card in cards:
        accuracy = next(row["accuracy"] for row in card["tasks"] if row["task"] == task)
        assert f"{accuracy:.1%}".replace("%", " %") in line


def test_the_page_gives_the_line_that_installs_the_language_model() -> None:
    assert INSTALL in PAGE


def test_the_page_gives_the_size_of_the_trained_part() -> None:
    size = (shipped_folder("smol") / TRAINED_PART).stat().st_size
    assert f"{size / 1e6:.1f} MB" in PAGE


@pytest.mark.parametrize("task", ["easy-vqa", "digits-vqa"])
def test_the_page_counts_the_correlations_above_chance(task: str) -> None:
    agreement = Agreement.from_json((DOCS / "results" / f"smol-{task}-agreement.json").read_text(encoding="utf-8"))
    rows = [row for row in agreement.rows if row.outcome == "log_likelihood"]
    above = sum(row.rho is not None and row.chance is not None and row.rho > row.chance for row in rows)
    assert f"{above} of {len(rows)}" in PAGE
