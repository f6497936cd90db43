"""The written form of a skip set: `none`, or clauses such as `vision absent 0-7; whole 28` joined by `;`."""

from __future__ import annotations

import re

from skipit_nb.errors import SkipSetConflictError, SkipSetSyntaxError
from skipit_nb.skipset.cells import LAYER_ACTIONS, MODALITY_ACTIONS, MOST_LAYERS, RUN, Cell, Pattern

NONE = "none"

_SPAN = re.compile(r"(\d+)(?:(-)(\d+)?)?")
_NAME = re.compile(r"[a-z][a-z_]*")


def write(pattern: Pattern, *, is_open: bool) -> str:
    """Write the cells: one clause per kind of action, modalities before whole layers, spans in order."""
    head, tail = pattern
    names = sorted({name for cell in (*head, tail) for name in cell.clauses()}, key=_clause_order)
    clauses = []
    for name in names:
        hits = [layer for layer, cell in enumerate(head) if name in cell.clauses()]
        to_last = is_open and name in tail.clauses()
        clauses.append(f"{name} {_spans(hits, len(head) if to_last else None)}")
    return "; ".join(clauses) or NONE


def read(text: str) -> Pattern:
    """Read the written form.

    Raises:
        SkipSetSyntaxError: If a clause cannot be read.
        SkipSetConflictError: If two clauses give one layer two actions.
    """
    if not isinstance(text, str):
        raise SkipSetSyntaxError(repr(text), "it is not text")
    result = Pattern(())
    if text.strip().lower() == NONE:
        return result
    for clause in text.split(";"):
        added = _read_clause(clause, text)
        _refuse_conflict(result, added, text)
        result = result.joined(added)
    return result


def _clause_order(name: str) -> tuple[bool, bool, str]:
    return (name in LAYER_ACTIONS, not name.startswith("vision"), name)


def _spans(layers: list[int], to_last: int | None) -> str:
    """Write layers as spans: [0, 1, 2, 5] is '0-2+5'; with a start of "to the last" also '7-'."""
    runs: list[list[int]] = []
    for layer in layers:
        if runs and layer == runs[-1][-1] + 1:
            runs[-1].append(layer)
        else:
            runs.append([layer])
    spans = [f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    if to_last is not None:
        joins = bool(runs) and runs[-1][-1] + 1 == to_last
        spans = [*spans[:-1], f"{runs[-1][0]}-"] if joins else [*spans, f"{to_last}-"]
    return "+".join(spans)


def _read_clause(clause: str, text: str) -> Pattern:
    words = clause.lower().split()
    if "," in clause:
        raise SkipSetSyntaxError(text, f"{clause.strip()!r} has a comma; join layers with '+'")
    match words:
        case [action, layers] if action in LAYER_ACTIONS:
            cell = Cell(action)
        case [modality, action, layers] if action in MODALITY_ACTIONS and _NAME.fullmatch(modality):
            cell = Cell("run", ((modality, action),))
        case _:
            raise SkipSetSyntaxError(text, _what_is_wrong(words, clause))
    result = Pattern(())
    for span in layers.split("+"):
        result = result.joined(_read_span(span, cell, text))
    return result


def _what_is_wrong(words: list[str], clause: str) -> str:
    if not words:
        return "it has an empty clause"
    if any(word in MODALITY_ACTIONS for word in words):
        return f"{clause.strip()!r} is not '<modality> frozen|absent <layers>' (write spans such as 0-3+5, no spaces)"
    return f"{clause.strip()!r} has no action that is known ({', '.join((*MODALITY_ACTIONS, *LAYER_ACTIONS))})"


def _read_span(span: str, cell: Cell, text: str) -> Pattern:
    match = _SPAN.fullmatch(span)
    if match is None:
        raise SkipSetSyntaxError(text, f"{span!r} is not a layer (3), a span (0-3) or a span to the last (16-)")
    start, stop = int(match[1]), int(match[3] or match[1])
    if max(start, stop) > MOST_LAYERS:
        raise SkipSetSyntaxError(text, f"no model has a layer {max(start, stop)}")
    if stop < start:
        raise SkipSetSyntaxError(text, f"the span {span!r} runs backwards")
    goes_to_the_last = match[2] and match[3] is None
    return Pattern.band(cell, start, None if goes_to_the_last else stop + 1)


def _refuse_conflict(one: Pattern, two: Pattern, text: str) -> None:
    """Refuse a string whose clauses disagree about a layer; joining with `|` is the way to overrule."""
    for layer in range(max(len(one.head), len(two.head)) + 1):
        a, b = one.at(layer), two.at(layer)
        if RUN in (a, b) or a == b:
            continue
        theirs = dict(b.modalities)
        clash = any(theirs.get(name, action) != action for name, action in a.modalities)
        if clash or "whole" in (a.layer, b.layer) or (a.layer != b.layer and "run" not in (a.layer, b.layer)):
            raise SkipSetConflictError(text, layer, [*a.clauses(), *b.clauses()])
