"""Read a skip set from whatever people copy: its written form, code, or JSON. Nothing of it is ever executed."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from typing import Any

from skipit_nb.errors import ResultFormatError, SkipitError, SkipSetSyntaxError
from skipit_nb.results.stored import FORMAT
from skipit_nb.skipset import SkipSet
from skipit_nb.skipset.cells import MOST_LAYERS

MOST_CODE, MOST_JSON = 100_000, 2_000_000
"""Characters: more than any tool writes; what is longer was copied by mistake."""

MOST_WRITTEN = 2_000
"""A written form of hundreds of layers, each for itself, is shorter."""

MAKERS = ("absent", "attn", "early_exit", "freeze", "late_entry", "mlp", "none", "parse", "whole")
"""What may be called on `SkipSet`."""

CHANGES = ("bind", "open", "replace")
"""What may be called on a skip set."""


def read_skipset(text: str) -> SkipSet:
    """Read a skip set from text.

    Taken are the written form (`vision absent 0-3`), code (`SkipSet.late_entry(4) | SkipSet.whole(9)`, a whole cell
    that assigns one, the last counts) and JSON (a stored skip set, or a builder saved as JSON).

    Raises:
        SkipSetSyntaxError: If it is none of these.
        ResultFormatError: If it is JSON of something else, or of another version.
        SkipitError: Whatever the code itself would raise, such as for a layer below 0.
    """
    if not isinstance(text, str) or len(text) > (MOST_JSON if is_json(text) else MOST_CODE):
        raise _refusal(str(text), "it is no text, or longer than any tool writes")
    try:
        return _from_json(text) if is_json(text) else _from_code(text)
    except (RecursionError, MemoryError) as error:
        raise _refusal(text, "its brackets are nested too deeply") from error


def is_json(text: str) -> bool:
    """Whether text can only be meant as JSON: no written form and no code of a skip set begins so."""
    return text.lstrip().startswith("{")


def _from_json(text: str) -> SkipSet:
    """A stored skip set, or that of a stored builder."""
    try:
        stored = json.loads(text)
    except ValueError as error:
        raise ResultFormatError("skip set", f"{type(error).__name__}: {error}") from error
    if "skipit" not in stored:
        return SkipSet.from_json(text)
    try:
        found = stored["state"]["format"]
        inner = stored["state"]["value"]["skipset"]
    except (KeyError, TypeError) as error:
        raise ResultFormatError("skip set", f"it holds a {stored['skipit']}") from error
    if found != FORMAT:
        raise ResultFormatError("skip set", f"it has format {found}, this version reads {FORMAT}")
    return SkipSet.from_json(json.dumps(inner))


def _from_code(text: str) -> SkipSet:
    """The last skip set that the code makes; text that is no such code is read as the written form."""
    known: dict[str, SkipSet] = {}
    last: SkipSet | None = None
    for name, node in _values(text):
        if _is_about_skipsets(node, known):
            last = known[name] = _Reader(known, text).skipset(node)
    if last is None and len(text) > MOST_WRITTEN:
        raise _refusal(text, "it is neither the written form nor code that makes one")
    return SkipSet.parse(text) if last is None else last


def _values(text: str) -> Iterator[tuple[str, ast.expr]]:
    """Every value that a line of code stands for or gives a name to; nothing if it is no code."""
    try:
        lines = ast.parse(text.strip()).body
    except (SyntaxError, ValueError):  # ValueError: a null byte
        return
    for line in lines:
        if isinstance(line, ast.Expr):
            yield "", line.value
        elif isinstance(line, ast.Assign | ast.AnnAssign) and line.value is not None:
            target = line.targets[0] if isinstance(line, ast.Assign) else line.target
            yield (target.id if isinstance(target, ast.Name) else ""), line.value


def _is_about_skipsets(node: ast.expr, known: dict[str, SkipSet]) -> bool:
    """Whether a value is a skip set: it begins with `SkipSet`, with one that has a name, or is its written form.

    A call of anything else, such as `SkipSetBuilder(session, skipset=skipset).data`, is passed over.
    """
    while isinstance(node, ast.Call | ast.Attribute | ast.Subscript | ast.BinOp):
        node = node.func if isinstance(node, ast.Call) else node.left if isinstance(node, ast.BinOp) else node.value
    if isinstance(node, ast.Name):
        return node.id == "SkipSet" or node.id in known
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


class _Reader:
    """Reads one value, node by node; a node that it does not know is refused."""

    def __init__(self, known: dict[str, SkipSet], text: str) -> None:
        self._known = known
        self._text = text

    def skipset(self, node: ast.expr) -> SkipSet:
        """A skip set, however it is written."""
        match node:
            case ast.Constant(value=str(written)):
                return SkipSet.parse(written)
            case ast.Name(id=name) if name in self._known:
                return self._known[name]
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return self.skipset(left) | self.skipset(right)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="SkipSet"), attr=name)) if name in MAKERS:
                return self._called(getattr(SkipSet, name), node)
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if name in CHANGES:
                return self._called(getattr(self.skipset(owner), name), node)
        raise _refusal(self._text, f"{_quoted(node)} is not a call that makes one")

    def _called(self, function: Any, call: ast.Call) -> SkipSet:
        if any(word.arg is None for word in call.keywords):
            raise _refusal(self._text, f"{_quoted(call)} has arguments that are not written out")
        words = {str(word.arg): self._plain(word.value) for word in call.keywords}
        try:
            made: SkipSet = function(*map(self._plain, call.args), **words)
        except SkipitError:
            raise
        except TypeError as error:
            raise _refusal(self._text, f"{_quoted(call)}: {error}") from error
        return made

    def _plain(self, node: ast.expr) -> Any:
        """A number, some text, None, a list of numbers, or a range."""
        match node:
            case ast.Constant(value=int() | str() | None as value):
                return value
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value))):
                return -value
            case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
                return [self._plain(item) for item in items]
            case ast.Call(func=ast.Name(id="range"), args=args, keywords=[]):
                return self._range(node, [self._plain(arg) for arg in args])
        raise _refusal(self._text, f"{_quoted(node)} is not a number, a list of numbers, a range or text")

    def _range(self, node: ast.expr, bounds: list[Any]) -> range:
        try:
            layers = range(*bounds)
        except (TypeError, ValueError) as error:
            raise _refusal(self._text, f"{_quoted(node)}: {error}") from error
        if len(layers) > MOST_LAYERS:
            raise _refusal(self._text, f"no model has the layers of {_quoted(node)}")
        return layers


def _refusal(text: str, why: str) -> SkipSetSyntaxError:
    return SkipSetSyntaxError(_short(text, 80), why)


def _quoted(node: ast.expr) -> str:
    return repr(_short(ast.unparse(node), 60))


def _short(text: str, most: int) -> str:
    line = " ".join(text[: 4 * most].split())
    return line if len(line) <= most and len(text) <= 4 * most else f"{line[: most - 2]} …"
