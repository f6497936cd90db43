import copy
import json
from pathlib import Path

import pytest

from skipit_nb.zoo import model_path
from skipit_nb.zoo.card import read_card, render_card, write_card

KIND = {"accuracy": 0.9, "n": 10}
CARD = {
    "name": "tiny",
    "date": "2026-01-02",
    "versions": {"python": "3.11.9", "torch": "2.13.0"},
    "seed": 7,
    "plan": [{"name": "all", "num_steps": 1200, "num_images": 16, "learning_rate": 0.001, "num_questions": 6}],
    "tasks": [
        {
            "task": "toy",
            "num_test_questions": 9673,
            "accuracy": 0.9512,
            "blind_accuracy": 0.67,
            "blank_image_accuracy": 0.5,
            "validation_accuracy": 0.96,
            "kinds": {"color": KIND},
            "blind_kinds": {"color": {"accuracy": 0.25, "n": 10}},
            "blank_image_kinds": {"color": {"accuracy": 0.125, "n": 10}},
        }
    ],
    "num_parameters": 2803840,
    "cost": {"wall_s": 1800.0, "cpu_s": 1700.0, "device": "cpu", "threads": 1, "cores": 2},
}
PROFILE = {
    "task": "toy",
    "n": 1003,
    "base": 0.97,
    "vision": [0.007, 0.004],
    "text": [0.228, 0.095],
    "var": [0.4, 0.05],
    "entry": [0.909, 0.5],
    "exit": [0.612, 0.708],
    "whole": [0.869, 0.939],
    "frozen": [0.965, 0.964],
    "absent": [0.901, 0.943],
}


def test_the_card_shows_accuracy_beside_both_baselines() -> None:
    text = render_card(CARD)
    assert "| toy | 9,673 | 95.1 % | 67.0 % | 50.0 % | 96.0 % |" in text
    assert "| color | 10 | 90.0 % | 25.0 % | 12.5 % |" in text


def test_the_card_says_how_to_train_it_again() -> None:
    text = render_card(CARD)
    assert "seed 7, 2026-01-02: 30 minutes (1,700 CPU seconds) on cpu" in text
    assert "| all | 1,200 | 16 | 6 | 0.001 |" in text


def test_the_card_leaves_out_what_was_not_measured() -> None:
    text = render_card(CARD)
    assert "## What its layers look like" not in text
    assert "What learning both tasks cost" not in text


def test_the_card_shows_a_profile_where_there_is_one() -> None:
    text = render_card({**CARD, "profiles": [PROFILE]})
    assert "## What its layers look like: toy" in text
    assert "Measured on 1,003 test questions (`limit=500`, seed 0); 97.0 % are right" in text
    assert "| 1 | 0.0040 | 0.0950 | 0.05 | 93.9 % | 96.4 % | 94.3 % | 70.8 % | 50.0 % |" in text


def test_the_card_says_what_learning_both_tasks_cost() -> None:
    alone = [{"task": "toy", "accuracy": 0.97, "joint_accuracy": 0.9512}]
    assert "| toy | 97.0 % | 95.1 % |" in render_card({**CARD, "alone": alone})


def test_a_written_card_is_read_back(tmp_path: Path) -> None:
    write_card(copy.deepcopy(CARD), tmp_path)
    assert read_card(tmp_path) == CARD
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == render_card(CARD)


def test_the_shipped_readme_is_its_card_rendered() -> None:
    folder = model_path()
    assert (folder / "README.md").read_text(encoding="utf-8") == render_card(read_card(folder))


@pytest.mark.parametrize("key", ["tasks", "plan", "cost", "versions"])
def test_the_shipped_card_holds_what_the_rendering_needs(key: str) -> None:
    assert json.dumps(read_card(model_path())[key])
