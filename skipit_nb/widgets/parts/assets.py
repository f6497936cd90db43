"""The widgets' scripts and styles, read as text.

Text, not paths: a class whose `_esm` is a path keeps its widgets alive after `close()` (anywidget#929).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

_STATIC = files("skipit_nb.widgets") / "static"


@cache
def script(*names: str) -> str:
    """One ES module: the files `static/<name>.js`, one after the other; the last one has the export."""
    return "\n".join((_STATIC / f"{name}.js").read_text("utf-8") for name in names)


@cache
def style(*names: str) -> str:
    """The theme, and the style sheets `static/<name>.css` after it."""
    return "\n".join((_STATIC / f"{name}.css").read_text("utf-8") for name in ("theme", *names))
