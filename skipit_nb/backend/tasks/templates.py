"""Texts with fields of a row in them: ``{{question}}``. Fields are looked up, and nothing is run."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from skipit_nb.backend.tasks.cells import as_text
from skipit_nb.errors import TaskDataError

_FIELD = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_PATH = re.compile(r"(?:doc\.)?(?P<name>[^\W\d][\w-]*)(?P<steps>(?:\.[^\W\d]\w*|\[\d+\]|\['[^']*'\]|\[\"[^\"]*\"\])*)")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_ENDINGS: dict[str, Callable[[str], str]] = {
    ".strip()": str.strip, "|trim": str.strip, ".lower()": str.lower, "|lower": str.lower,
    ".upper()": str.upper, "|upper": str.upper, ".capitalize()": str.capitalize, "|capitalize": str.capitalize,
}  # fmt: skip


def is_template(text: str) -> bool:
    """Whether a text has fields, or wants statements that only a template language could run."""
    return "{{" in text or "{%" in text


def filled(template: str, row: Mapping[str, Any]) -> str:
    """Fill the fields of a template in from a row.

    A field is a column's name, with ``.part`` or ``[0]`` to look inside it, and may end in ``|trim``, ``|lower``,
    ``|upper``, ``|capitalize`` or the methods of these names.

    Raises:
        TaskDataError: If a field is anything else, or not in the row.
    """
    if "{%" in template:
        raise TaskDataError(f"the template {template!r}", "it has statements", "only fields such as {{question}}")
    return _FIELD.sub(lambda found: as_text(field(found[1].strip(), row)), template)


def field(expression: str, row: Mapping[str, Any]) -> Any:
    """The value that one field names.

    Raises:
        TaskDataError: If it is not a field of the row.
    """
    path = expression.replace(" ", "") if "|" in expression else expression
    endings: list[str] = []
    while ending := next((one for one in _ENDINGS if path.endswith(one)), None):
        path = path.removesuffix(ending)
        endings.append(ending)
    value = _looked_up(path.strip(), row, expression)
    for ending in reversed(endings):
        value = _ENDINGS[ending](as_text(value))
    return value


def _looked_up(path: str, row: Mapping[str, Any], expression: str) -> Any:
    found = _PATH.fullmatch(path)
    if found is None:
        raise TaskDataError(
            f"the field {{{{{expression}}}}}",
            "it is more than a column and its parts",
            "{{question}} or {{choices[0]}}",
        )
    try:
        value = row[found["name"]]
        for dotted, number, quoted, double in _STEP.findall(found["steps"]):
            value = value[int(number)] if number else value[dotted or quoted or double]
    except (KeyError, IndexError, TypeError) as error:
        columns = ", ".join(map(str, row))
        raise TaskDataError(
            f"the field {{{{{expression}}}}}", "the row does not have it", f"one of {columns}"
        ) from error
    return value
