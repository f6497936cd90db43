"""JSON for frozen results: a dataclass tree becomes plain data and back, without pickles."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, Self

from skipit_nb.errors import ResultFormatError
from skipit_nb.skipset import SkipSet

FORMAT = 1
"""Version of the stored form; a result of another version is refused, not guessed at."""


class Stored:
    """Mix-in for frozen dataclasses: `to_json` and `from_json`, exact both ways.

    Nothing is executed while reading: the fields' annotations say what each value must become.
    """

    __slots__ = ()

    def to_json(self) -> str:
        """The result as JSON text."""
        name = type(self).__name__
        return json.dumps({"skipit": name, "format": FORMAT, "value": _plain(self)}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; equal to the result that was stored.

        Raises:
            ResultFormatError: If the text is something else, of another version, or incomplete.
        """
        try:
            stored = json.loads(text)
            if stored["skipit"] != cls.__name__:
                raise ResultFormatError(cls.__name__, f"it holds a {stored['skipit']}")
            if stored["format"] != FORMAT:
                raise ResultFormatError(cls.__name__, f"it has format {stored['format']}, this version reads {FORMAT}")
            return _read(cls, stored["value"])  # type: ignore[no-any-return]
        except ResultFormatError:
            raise
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ResultFormatError(cls.__name__, f"{type(error).__name__}: {error}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, SkipSet):
        return {"skipset": str(value), "num_layers": value.num_layers}
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _read(kind: Any, value: Any) -> Any:
    """Turn plain data into `kind`, following its annotation."""
    origin = typing.get_origin(kind)
    if kind is SkipSet:
        return SkipSet.parse(value["skipset"], num_layers=value["num_layers"])
    if origin is types.UnionType:
        inner = [part for part in typing.get_args(kind) if part is not type(None)]
        return None if value is None else _read(inner[0], value)
    if origin is tuple:
        parts = typing.get_args(kind)
        kinds = [parts[0]] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(_read(part, item) for part, item in zip(kinds, value, strict=True))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _read(hints[name], item) for name, item in value.items()})  # type: ignore[operator]
    if kind is float:
        return float(value)
    if kind in (int, str, bool) and not isinstance(value, kind):
        raise TypeError(f"{value!r} is not {kind.__name__}")
    return value
