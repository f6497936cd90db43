"""Our docstrings, as Sphinx's autodoc wants them: it reads reStructuredText, we write Markdown under Google's headings.

Three things differ in what we write: one backtick means code, tables are drawn with pipes, and a formula is simply
indented under its prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

HEADINGS = ("Args", "Returns", "Raises", "Yields", "Example", "Source", "Shapes")

_CODE = re.compile(r"(?<![`:\w])`([^`\n]+)`(?!`)")


def rewrite(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Rewrite one docstring in place: a handler of `autodoc-process-docstring`, to run before napoleon's."""
    lines[:] = rewritten(lines)


class Plain:
    """Keeps napoleon from properties: it takes what stands before a colon in their first line for a type."""

    def __init__(self) -> None:
        self._before: list[str] | None = None

    def note(self, _app: Any, what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
        """Remember a property's lines; a handler to run right before napoleon's."""
        self._before = [*lines] if what in ("attribute", "data", "property") else None

    def restore(self, _app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
        """Put them back; a handler to run right after it."""
        if self._before is not None:
            lines[:] = self._before


def rewritten(lines: Sequence[str]) -> list[str]:
    """The docstring in reStructuredText, its sections left to napoleon."""
    return [line for kind, block in _blocks(lines) for line in _WRITTEN[kind](block)]


def _blocks(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Runs of lines of one kind: a table, a formula, or prose (which sections are, with all that is in them)."""
    kinds, section, is_formula = [], False, False
    for line in lines:
        if line and not line.startswith(" "):
            section, is_formula = line.rstrip(":") in HEADINGS and line.endswith(":"), False
        elif line.startswith("    ") and not section:
            is_formula = True
        if line.lstrip().startswith("|"):
            kinds.append("table")
        else:
            kinds.append("formula" if is_formula else "prose")
    for kind, block in groupby(zip(kinds, lines, strict=True), key=lambda pair: pair[0]):
        yield kind, [line for _, line in block]


def _prose(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        # Where no code stands a bar is a bar: |x| is a length, not the name of a substitution.
        parts = _CODE.sub(r"``\1``", line).split("``")
        parts[::2] = [part.replace("|", r"\|") for part in parts[::2]]
        yield line if line.lstrip().startswith(">>>") else "``".join(parts)


def _formula(lines: Sequence[str]) -> Iterator[str]:
    yield from ("::", "", *lines)
    if lines[-1].strip():
        yield ""


def _table(lines: Sequence[str]) -> Iterator[str]:
    """A table of pipes, its second line the rule below the heading."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    indent = " " * (len(lines[0]) - len(lines[0].lstrip()))
    yield from ("", f"{indent}.. list-table::", f"{indent}   :header-rows: 1", "")
    for row in rows[:1] + rows[2:]:
        for number, cell in enumerate(row):
            lead = "  -" if number else "* -"
            yield f"{indent}   {lead} " + _CODE.sub(r"``\1``", cell)
    yield ""


_WRITTEN = {"prose": _prose, "formula": _formula, "table": _table}
