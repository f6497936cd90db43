"""What is in a tool: the tools in it, the widgets of its view, and the errors that they show."""

from collections.abc import Iterator
from typing import Any

from skipit_nb.widgets.parts.note import Note


def tools_of(tool: Any) -> list[Any]:
    """The tool, and the tools in it."""
    return [tool, *getattr(tool, "tools", {}).values()]


def parts_of(widget: Any) -> Iterator[Any]:
    """A widget and all that is in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts_of(child)


def complaints(tool: Any) -> list[str]:
    """The errors that the tool's view shows."""
    notes = (one for one in parts_of(tool.view.box) if isinstance(one, Note))
    return [note.text for note in notes if note.tone == "error" and note.text]
