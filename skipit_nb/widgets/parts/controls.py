"""`Controls`: a row of labelled fields and buttons. Our own, so that it looks and reads the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypedDict

import anywidget
import traitlets

from skipit_nb.errors import SettingError
from skipit_nb.widgets.parts.assets import script, style


class Field(TypedDict, total=False):
    """One control."""

    name: str
    label: str
    """What stands above a field, or on a button."""
    kind: Literal["choice", "check", "text", "code", "int", "number", "button", "main"]
    """"check" is a box to tick: True or False; "code" is text in the code font; "main" is the button that matters."""
    options: list[str]
    """Of a choice."""
    min: float
    max: float
    step: float
    optional: bool
    """Whether a number may be left empty: None."""
    hint: str
    """A sentence, shown when the pointer rests on it and read out by a screen reader."""
    disabled: bool
    hidden: bool


class Controls(anywidget.AnyWidget):
    """Fields and buttons. What the user enters is checked and handed on; `values` changes only from Python."""

    _esm = script("controls")
    _css = style("controls")

    label = traitlets.Unicode("").tag(sync=True)
    """Name of the group, for a screen reader."""
    fields: traitlets.List[dict[str, Any]] = traitlets.List([]).tag(sync=True)
    """In order, see `Field`."""
    values = traitlets.Dict({}).tag(sync=True)
    """What each field shows."""
    revision = traitlets.Int(0).tag(sync=True)
    """Grows when a value that was entered has been dealt with, so that the field shows what became of it."""

    refused = traitlets.Unicode("").tag(sync=True)
    """The field whose last entry was refused: it keeps what was typed, to be mended."""

    def on_enter(self, enter: Callable[[str, Any], bool]) -> None:
        """Call `enter(name, value)` when the user has entered a value; it says whether the value was taken.

        Nobody has checked the value before that, see `checked`.
        """

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and "enter" in content:
                was_taken = enter(content["enter"], content.get("value"))
                with self.hold_sync():
                    self.refused = "" if was_taken else str(content["enter"])
                    self.revision += 1

        self.on_msg(hear)

    def on_press(self, press: Callable[[str], object]) -> None:
        """Call `press(name)` when the user has pressed a button."""

        def hear(_: object, content: Any, __: object) -> None:
            if isinstance(content, dict) and "press" in content:
                press(content["press"])

        self.on_msg(hear)

    def show(self, **values: Any) -> None:
        """Show these values."""
        self.values = {**self.values, **values}

    def change(self, name: str, **changes: Any) -> None:
        """Change one field itself, such as its options, or whether it is disabled."""
        self.fields = [{**field, **changes} if field["name"] == name else field for field in self.fields]

    def checked(self, name: str, value: Any) -> Any:
        """The value, if this field takes it.

        Raises:
            SettingError: If it does not.
        """
        field = self._field(name)
        label, kind = field["label"], field["kind"]
        if kind == "choice":
            expected, fits = f"one of {', '.join(field['options'])}", value in field["options"]
        elif kind == "check":
            expected, fits = "True or False", isinstance(value, bool)
        elif kind in ("text", "code"):
            expected, fits = "text", isinstance(value, str)
        else:
            expected, fits = _range(field), _in_range(field, value)
        if not fits:
            raise SettingError(label, value, expected)
        return value

    def _field(self, name: str) -> dict[str, Any]:
        for field in self.fields:
            if field["name"] == name:
                return dict(field)
        raise SettingError("field", name, f"one of {', '.join(field['name'] for field in self.fields)}")

    def __repr__(self) -> str:
        return f"Controls({self.label!r}, {self.values})"


def _range(field: dict[str, Any]) -> str:
    kind = "a whole number" if field["kind"] == "int" else "a number"
    low, high = field.get("min"), field.get("max")
    return kind + ("" if low is None else f" from {low}") + ("" if high is None else f" to {high}")


def _in_range(field: dict[str, Any], value: Any) -> bool:
    types = (int,) if field["kind"] == "int" else (int, float)
    if value is None:
        return bool(field.get("optional"))
    if isinstance(value, bool) or not isinstance(value, types):
        return False
    return bool(field.get("min", value) <= value <= field.get("max", value))
