"""JSON, one object a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from skipit_nb.errors import LogError


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file.

    Raises:
        LogError: If it is no text, or a line is none; a run that was killed may leave half a line.
    """
    rows: list[dict[str, Any]] = []
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise LogError(path, f"it cannot be read ({error})", "JSON lines in UTF-8") from error
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise LogError(
                path, f"line {number} is no JSON ({error})", "one object a line, of a run that ended"
            ) from error
        if not isinstance(row, dict):
            raise LogError(path, f"line {number} is a {type(row).__name__}", "one object a line")
        rows.append(row)
    return rows


def score_of(value: Any) -> Any:
    """The number in a metric's value: itself, or the entry "score" of a dict; None if there is none."""
    number = value.get("score") if isinstance(value, dict) else value
    return number if isinstance(number, int | float) else None
