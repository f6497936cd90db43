"""The scoreboard's words: what B changes, the right way round, and how sure it is."""

from dataclasses import replace

import pytest

from skipit_nb.results import Metric
from skipit_nb.widgets.evaluator.scoreboard import SHOWN, Scoreboard
from tests.widgets.fake_session import FakeSession


def tile(name: str, effect: str, value: float, low: float, high: float) -> tuple[str, str]:
    fake = FakeSession()
    found = fake.compare("shapes", "none", "whole 3", limit=6)
    fake.worker.close()
    board = Scoreboard()
    board.draw(replace(found, metrics=(Metric(name, "ms", 2.0, 1.0, effect, value, low, high, "how"),)))
    (made,) = board.tiles
    return made["effect"], made["note"]


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("prefill time", (2.0, 1.5, 2.5), ("2.00× faster", "95 %: 1.50× to 2.50×")),
        ("prefill time", (0.5, 0.4, 0.8), ("2.00× slower", "95 %: 1.25× to 2.50×")),
        ("prefill time", (1.02, 0.98, 1.06), ("no clear change", "95 %: 0.98× to 1.06×")),
        ("KV cache", (1.25, 1.25, 1.25), ("1.25× smaller", "predicted")),
        ("KV cache", (0.8, 0.8, 0.8), ("1.25× larger", "predicted")),
        ("prefill FLOPs", (1.0, 1.0, 1.0), ("the same", "predicted")),
    ],
)
def test_a_ratio_is_said_with_its_direction(name: str, numbers: tuple[float, ...], words: tuple[str, str]) -> None:
    assert tile(name, "A / B", *numbers) == words


def test_a_comparison_s_tiles_are_its_own_numbers() -> None:
    fake = FakeSession()
    found = fake.compare("shapes", "none", "vision absent 0-3", limit=45)
    fake.worker.close()
    board = Scoreboard()
    board.draw(found)
    assert [one["name"] for one in board.tiles] == [one.name for one in found.metrics if one.name in SHOWN]
    first = board.tiles[0]
    assert (first["name"], first["effect"], first["a"], first["b"]) == ("accuracy", "−33.3 points", "100.0 %", "66.7 %")
    assert first["lengths"] == [1.0, pytest.approx(2 / 3)]
