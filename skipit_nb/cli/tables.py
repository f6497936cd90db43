"""Results as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def show(text: str) -> None:
    """Print a text at once."""
    print(text, flush=True)


def as_table(frame: pd.DataFrame) -> str:
    """A data frame as text, four significant digits, nothing cut off."""
    return frame.to_string(index=False, float_format=lambda value: f"{value:.4g}", max_colwidth=80)
