"""Texts that end an answer, as harnesses' `until` does."""

from __future__ import annotations

from collections.abc import Iterable


def cut(text: str, until: Iterable[str]) -> str:
    r"""The text before the first of some texts; all of it if none is in it. An empty one ends nothing.

    Example:
        >>> cut("red\\n\\nQuestion: what", ["\\n\\n", "Q"])
        'red'
    """
    return text[: min((at for end in until if end and (at := text.find(end)) >= 0), default=len(text))]
