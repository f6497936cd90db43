"""Files that a tool writes and reads: a picture, its data, or its state and results."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skipit_nb.errors import LayerCountError, ResultFormatError, SettingError
from skipit_nb.results.stored import FORMAT, Stored

if TYPE_CHECKING:
    from skipit_nb.widgets.tool import Tool

PICTURE_SCALE = 2
"""Pixels of a saved PNG per pixel on the screen."""

MOST_LETTERS = 1000
"""Of one text in a picture: a question may have any number."""

UNDRAWABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def save(tool: Tool[Any, Any], path: Path) -> Path:
    """Write the tool as what the file's name ends in. A draft beside it is renamed, so no half file is ever seen."""
    kind = path.suffix.lower()
    if kind == ".json":
        content = to_json(tool).encode()
    elif kind == ".csv":
        content = tool.data.to_csv(index=False).encode()
    elif kind in (".png", ".svg"):
        content = picture(tool.chart, kind[1:])
    else:
        raise SettingError("file name", path.name, "one that ends in .png, .svg, .csv or .json")
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return path


def picture(chart: Any, kind: str, scale: float = PICTURE_SCALE) -> bytes:
    """An Altair chart as the bytes of a PNG or SVG file; needs no browser and no network."""
    import vl_convert

    spec = _drawable(chart.to_dict())
    if kind == "svg":
        return str(vl_convert.vegalite_to_svg(spec)).encode()
    return bytes(vl_convert.vegalite_to_png(spec, scale=scale))


def _drawable(value: Any) -> Any:
    """A specification whose texts can be drawn: vl-convert measures long ones for minutes, and ends the kernel on a
    control character that no XML may hold.
    """
    if isinstance(value, str):
        whole = value if len(value) <= MOST_LETTERS or value.startswith("data:") else f"{value[:MOST_LETTERS]}…"
        return UNDRAWABLE.sub("\N{REPLACEMENT CHARACTER}", whole)
    if isinstance(value, dict):
        return {_drawable(key): _drawable(inner) for key, inner in value.items()}
    return [_drawable(inner) for inner in value] if isinstance(value, list) else value


def to_json(tool: Tool[Any, Any]) -> str:
    """State and results as JSON text; null for what was not measured."""
    stored = {"skipit": type(tool).__name__, "format": FORMAT, "state": json.loads(tool.state.to_json())}
    found = {name: getattr(tool, name) for name in tool.results}
    kept = {name: None if value is None else json.loads(value.to_json()) for name, value in found.items()}
    return json.dumps(stored | kept)


def load(tool: Tool[Any, Any], path: Path) -> tuple[Any, dict[str, Stored]]:
    """Read the state, and what was measured by its name, that `to_json` wrote for a tool of this kind."""
    name = type(tool).__name__
    try:
        stored = json.loads(path.read_text("utf-8"))
        if (found := stored["skipit"]) != name:
            raise ResultFormatError(name, f"it holds a {found}")
        state: Stored = type(tool.state).from_json(json.dumps(stored["state"]))
        kept = {name: stored.get(name) for name in tool.results}  # a file from before a result existed lacks it
        results = {
            name: tool.results[name].from_json(json.dumps(value)) for name, value in kept.items() if value is not None
        }
    except ResultFormatError:
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise ResultFormatError(name, f"{type(error).__name__}: {error}") from error
    for result in results.values():
        _refuse_another_model(tool, result)
    return state, results


def _refuse_another_model(tool: Tool[Any, Any], result: Any) -> None:
    """Refuse what was measured on another model than the one that is open, whole or in one of its parts.

    Raises:
        LayerCountError: If that model has another number of layers.
        SettingError: If it has another name.
    """
    if tool.port is None:
        return
    name, num_layers = tool.port.name, tool.port.shape.num_layers
    for part in (result, *(getattr(result, field.name) for field in dataclasses.fields(result))):
        made = getattr(part, "provenance", None)
        if made is None:
            continue
        what = type(part).__name__
        if made.num_layers != num_layers:
            raise LayerCountError(made.num_layers, num_layers, what)
        if made.model != name:
            raise SettingError(f"the model of the {what}", made.model, f"{name!r}, which is open: load it without one")
