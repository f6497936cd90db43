"""Cells of tables as text: what pandas, parquet and JSON make of a word, a number, a yes, or nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: None, a NaN, pandas' NA or NaT. An empty text is not nothing."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in ("NAType", "NaTType")


def as_text(value: Any) -> str:
    """A cell as the text of a question or an answer: True is "yes", and 3.0 is "3", as an integer with gaps beside it.

    A list, such as several people's answers, is no text; see `as_texts`.
    """
    value = value.item() if hasattr(value, "item") and not hasattr(value, "__len__") else value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def as_texts(value: Any) -> tuple[str, ...] | None:
    """The texts of a list of cells, or of VQA's dicts with an `answer` each; None if it is no list."""
    if hasattr(value, "tolist") and hasattr(value, "__len__"):
        value = value.tolist()
    if isinstance(value, str | bytes | Mapping) or not isinstance(value, Sequence | set | frozenset):
        return None
    cells = sorted(value, key=str) if isinstance(value, set | frozenset) else value
    return tuple(as_text(cell["answer"] if isinstance(cell, Mapping) and "answer" in cell else cell) for cell in cells)
