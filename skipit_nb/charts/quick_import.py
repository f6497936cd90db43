"""Altair imported without a second of work that no chart needs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from skipit_nb.garbage import uncollected

CHECKER = "rfc3987_syntax"
"""Checks international addresses for jsonschema. JupyterLab brings it, and its import parses a grammar for 0.9 s."""


@contextlib.contextmanager
def importing_quickly() -> Iterator[None]:
    """Inside the block, importing Altair takes a quarter of the time; what was imported works as ever.

    Altair imports jsonschema, which imports the checker of addresses where there is one. Here it gets a function that
    imports the checker when an address is to be checked.
    """
    with uncollected():
        if {CHECKER, "jsonschema"} & set(sys.modules) or find_spec(CHECKER) is None:
            yield
            return
        stand_in = sys.modules[CHECKER] = ModuleType(CHECKER)
        stand_in.is_valid_syntax = _is_valid_syntax  # type: ignore[attr-defined]
        try:
            yield
        finally:
            if sys.modules.get(CHECKER) is stand_in:
                del sys.modules[CHECKER]


def _is_valid_syntax(term: str, value: str) -> bool:
    return bool(import_module(CHECKER).is_valid_syntax(term, value))
