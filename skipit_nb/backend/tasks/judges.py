"""A user's own rule: `process_results`, as lmms-eval calls it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from skipit_nb.backend.tasks.cells import is_missing
from skipit_nb.backend.tasks.scoring.score import Score
from skipit_nb.errors import SettingError

_USUAL = ("exact_match", "acc", "score")
"""Names of the number that counts, where a rule gives several."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Scores answers to one question by a function of its row."""

    process_results: Callable[[Mapping[str, Any], list[str]], Any]
    row: Mapping[str, Any]
    score_key: str | None
    key: str
    """Of the question, for messages."""

    def __call__(self, answer_text: str) -> Score:
        """Score an answer. The function gets a copy of the row: what it changes there stays there.

        Raises:
            SettingError: If it gives anything but a number from 0 to 1, or several and none that counts.
        """
        try:
            given = self.process_results(_copied(self.row), [answer_text])
        except Exception as error:
            error.add_note(f"while process_results scored an answer to {self.key}")
            raise
        numbers = given if isinstance(given, Mapping) else {"score": given}
        name = self._counting(numbers)
        return Score(
            value=_share(numbers[name], name),
            parsed=bool(numbers.get("parsed", answer_text.strip())),
            rule=f"process_results {name}",
        )

    def _counting(self, numbers: Mapping[str, Any]) -> str:
        names = [name for name in numbers if name != "parsed"]
        wanted = [self.score_key] if self.score_key else names if len(names) == 1 else _USUAL
        found = next((name for name in wanted if name in names), None)
        if found is None:
            raise SettingError("score_key", self.score_key, f"one of what process_results gives: {', '.join(names)}")
        return found


def _share(value: Any, name: str) -> float:
    try:
        share = math.nan if is_missing(value) else float(value)
    except (TypeError, ValueError):
        share = math.nan
    if not 0 <= share <= 1:
        raise SettingError(f"what process_results gives as {name}", value, "a number from 0 to 1")
    return share


def _copied(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row, its lists and dicts copied; images and other heavy things are handed over as they are."""
    return {name: copy.deepcopy(value) if isinstance(value, list | dict) else value for name, value in row.items()}
