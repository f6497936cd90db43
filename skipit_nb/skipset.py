"""`SkipSet`: which layers each modality skips, and how. The word everything else is written in.

A skip set is a row of *cells*, one per layer. A cell says what happens at that layer:

    cell      whole | attn | mlp, or nothing, for the layer · and per modality: frozen | absent, or nothing
    head      the cells of layers 0, 1, ...
    tail      the cell of every layer after the head; only an *open* set has one

An open set does not know how many layers the model has ("vision absent 16-"); `bind(num_layers)` closes it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Self

from skipit_nb.errors import (
    LayerCountError,
    LayerIndexError,
    ResultFormatError,
    SettingError,
    SkipSetConflictError,
    SkipSetSyntaxError,
    UnboundSkipSetError,
)

Action = Literal["run", "attn", "mlp", "frozen", "absent", "whole"]
"""What is done at one layer, weakest first: run, skip attention, skip the MLP, frozen, absent, whole layer."""

Layers = int | Iterable[int]
"""One layer, or several: ints from 0, a list of them, or a half-open `range(a, b)`."""

LAYER_ACTIONS = ("attn", "mlp", "whole")
MODALITY_ACTIONS = ("frozen", "absent")
MODALITIES = ("vision", "text")
MOST_LAYERS = 9_999
"""A written layer above this is a slip of the finger, not a model."""

_STRENGTH = {"run": 0, "attn": 1, "mlp": 1, "frozen": 2, "absent": 3, "whole": 4}
_SPAN = re.compile(r"(\d+)(?:(-)(\d+)?)?")
_NAME = re.compile(r"[a-z][a-z_]*")


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one layer does. Canonical: where no modality runs, `layer` is "whole" and `modalities` is empty."""

    layer: str = "run"
    modalities: tuple[tuple[str, str], ...] = ()

    @classmethod
    def canonical(cls, layer: str, modalities: Mapping[str, str]) -> _Cell:
        stopped = {name: action for name, action in modalities.items() if action != "run"}
        if layer == "whole" or stopped.keys() >= set(MODALITIES):
            return cls("whole")
        return cls(layer, tuple(sorted(stopped.items())))

    def action(self, modality: str) -> str:
        """The stronger of what the layer does and what the modality does."""
        return max(self.layer, dict(self.modalities).get(modality, "run"), key=_STRENGTH.__getitem__)

    def __or__(self, other: _Cell) -> _Cell:
        """Join two cells: the stronger action wins; attention with MLP is the whole layer."""
        layers = {self.layer, other.layer} - {"run"}
        layer = "whole" if layers >= {"attn", "mlp"} else max(layers, key=_STRENGTH.__getitem__, default="run")
        mine, theirs = dict(self.modalities), dict(other.modalities)
        both = {
            name: max(mine.get(name, "run"), theirs.get(name, "run"), key=_STRENGTH.__getitem__)
            for name in mine.keys() | theirs.keys()
        }
        return _Cell.canonical(layer, both)

    def clauses(self) -> Iterator[str]:
        """The clause names of this cell, such as 'vision absent' or 'whole'."""
        yield from (f"{name} {action}" for name, action in self.modalities)
        if self.layer != "run":
            yield self.layer


_RUN = _Cell()


@functools.total_ordering
@dataclass(frozen=True, slots=True, repr=False)
class SkipSet:
    """Which layers each modality skips, and how; a value that can be written, joined, compared and stored.

    | action   | at that layer the modality's tokens …                                            |
    | -------- | -------------------------------------------------------------------------------- |
    | `run`    | are computed                                                                     |
    | `frozen` | keep their hidden state and stay visible as K/V computed from it                 |
    | `absent` | are not there: not updated, not attended to, no K/V                              |
    | `whole`  | (all tokens) nothing is computed, the hidden state passes on                     |
    | `attn`   | (all tokens) attention is skipped, the MLP runs                                  |
    | `mlp`    | (all tokens) the MLP is skipped, attention runs                                  |

    Layers are counted from 0. A set is *open* until `bind` tells it how many layers the model has; open and
    bound sets are never equal. The weights stay: nothing is pruned.

    Example:
        >>> early = SkipSet.early_exit(16)
        >>> str(early)
        'vision absent 16-'
        >>> str(early.bind(32) | SkipSet.whole(30, num_layers=32))
        'vision absent 16-29+31; whole 30'
        >>> SkipSet.parse("whole 3; vision frozen 0-1").layers("frozen", "vision")
        (0, 1)
    """

    head: tuple[_Cell, ...] = ()
    tail: _Cell = _RUN
    num_layers: int | None = None
    _text: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        head = self.head
        if self.num_layers is None:
            while head and head[-1] == self.tail:
                head = head[:-1]
        object.__setattr__(self, "head", head)
        object.__setattr__(self, "_text", _written(head, self.tail, self.num_layers))

    # -- making one -----------------------------------------------------------------------------------------------

    @classmethod
    def none(cls, *, num_layers: int | None = None) -> Self:
        """The empty skip set: every token runs through every layer."""
        return cls()._maybe_bind(num_layers)

    @classmethod
    def late_entry(cls, k: int, *, num_layers: int | None = None, modality: str = "vision") -> Self:
        """The modality's tokens join before layer `k`: absent in layers 0..k-1. `k = 0` skips nothing."""
        return cls._band(modality, "absent", 0, _boundary(k, num_layers), num_layers)

    @classmethod
    def early_exit(cls, k: int, *, num_layers: int | None = None, modality: str = "vision") -> Self:
        """The modality's tokens leave before layer `k`: absent from layer `k` to the last."""
        return cls._band(modality, "absent", _boundary(k, num_layers), num_layers, num_layers)

    @classmethod
    def absent(cls, layers: Layers, *, num_layers: int | None = None, modality: str = "vision") -> Self:
        """The modality's tokens are not there at `layers`; they come back, unchanged, at the next other layer."""
        return cls._of(layers, _Cell("run", ((modality, "absent"),)), num_layers)

    @classmethod
    def freeze(cls, layers: Layers, *, num_layers: int | None = None, modality: str = "vision") -> Self:
        """The modality's tokens keep their state at `layers` but stay visible as keys and values (ShortV)."""
        return cls._of(layers, _Cell("run", ((modality, "frozen"),)), num_layers)

    @classmethod
    def whole(cls, layers: Layers, *, num_layers: int | None = None) -> Self:
        """Nothing is computed at `layers`: the hidden state of every token passes on."""
        return cls._of(layers, _Cell("whole"), num_layers)

    @classmethod
    def attn(cls, layers: Layers, *, num_layers: int | None = None) -> Self:
        """Attention is skipped at `layers`; the MLP runs."""
        return cls._of(layers, _Cell("attn"), num_layers)

    @classmethod
    def mlp(cls, layers: Layers, *, num_layers: int | None = None) -> Self:
        """The MLP is skipped at `layers`; attention runs."""
        return cls._of(layers, _Cell("mlp"), num_layers)

    @classmethod
    def parse(cls, text: str, *, num_layers: int | None = None) -> Self:
        """Read the written form: `none`, or clauses such as `vision absent 0-7` or `whole 3+5` joined by `;`.

        `3` is one layer, `0-3` are four (both ends included), `16-` goes to the last layer, `+` joins them.

        Raises:
            SkipSetSyntaxError: If a clause cannot be read.
            SkipSetConflictError: If two clauses give one layer two actions.
            LayerIndexError: If `num_layers` is given and a layer is outside.
        """
        if not isinstance(text, str):
            raise SkipSetSyntaxError(repr(text), "it is not text")
        if text.strip().lower() == "none":
            return cls.none(num_layers=num_layers)
        result = cls()
        for clause in text.split(";"):
            added = _read_clause(clause, text)
            _refuse_conflict(result, added, text)
            result = result | added
        return result._maybe_bind(num_layers)

    @classmethod
    def of(cls, value: SkipSet | str | None, *, num_layers: int | None = None) -> SkipSet:
        """Take a skip set however it came: a `SkipSet`, its written form, or None for the empty one."""
        if value is None:
            return cls.none(num_layers=num_layers)
        skipset = cls.parse(value) if isinstance(value, str) else value
        if not isinstance(skipset, SkipSet):
            raise SkipSetSyntaxError(repr(value), f"it is a {type(value).__name__}")
        return skipset._maybe_bind(num_layers)

    # -- reading it -----------------------------------------------------------------------------------------------

    @property
    def is_bound(self) -> bool:
        """Whether the set knows how many layers the model has."""
        return self.num_layers is not None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is skipped anywhere."""
        return self.tail == _RUN and all(cell == _RUN for cell in self.head)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that a clause names, sorted."""
        return tuple(sorted({name for cell in (*self.head, self.tail) for name, _ in cell.modalities}))

    def action(self, layer: int, modality: str) -> Action:
        """What happens to the modality's tokens at `layer`: the strongest action that covers them."""
        _check_layer(layer, self.num_layers)
        cell = self.head[layer] if layer < len(self.head) else self.tail
        return cell.action(modality)  # type: ignore[return-value]

    def layers(self, action: str, modality: str = "vision") -> tuple[int, ...]:
        """The layers at which `modality` meets `action`, ascending.

        Raises:
            UnboundSkipSetError: If the set is open and goes on to the last layer with that action.
        """
        if not self.is_bound and self.tail.action(modality) == action:
            raise UnboundSkipSetError(self)
        return tuple(layer for layer, cell in enumerate(self.head) if cell.action(modality) == action)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that two skip sets share exactly when they are equal. Bound sets only."""
        if not self.is_bound:
            raise UnboundSkipSetError(self)
        return hashlib.sha256(f"{self.num_layers}|{self}".encode()).hexdigest()[:16]

    # -- deriving another -----------------------------------------------------------------------------------------

    def bind(self, num_layers: int, modalities: Iterable[str] = MODALITIES) -> Self:
        """Close the set for a model of `num_layers` layers.

        Raises:
            LayerIndexError: If the set names a layer that model does not have.
            LayerCountError: If the set is already bound to another number of layers.
            SettingError: If it names a modality the model does not have.
        """
        _check_count(num_layers)
        known = tuple(modalities)
        for name in self.modalities:
            if name not in known:
                raise SettingError("modality", name, f"one of {', '.join(known)} for this model")
        if self.num_layers is not None and self.num_layers != num_layers:
            raise LayerCountError(self.num_layers, num_layers)
        if not self.is_bound and (last := self._last_named_layer()) >= num_layers:
            raise LayerIndexError(last, num_layers)
        cells = self.head + (self.tail,) * (num_layers - len(self.head))
        return type(self)(cells, _RUN, num_layers)

    def open(self) -> Self:
        """The set without its number of layers: what reaches the last layer goes "to the last" again."""
        return type(self)(self.head, self.head[-1] if self.is_bound and self.head else self.tail)

    def replace(self, layers: Layers, action: str, modality: str | None = None) -> Self:
        """The set with `action` at `layers`, whatever was there before; what a click in a builder does.

        Args:
            layers: The layers to change.
            action: "run", "frozen" or "absent" with a modality; "run", "attn", "mlp" or "whole" without.
            modality: "vision" or "text"; None for the layer as a whole.
        """
        allowed = ("run", *(LAYER_ACTIONS if modality is None else MODALITY_ACTIONS))
        if action not in allowed:
            raise SettingError("action", action, f"one of {', '.join(allowed)}")
        wanted = _indices(layers)
        head = [*self.head, *(self.tail,) * (max(wanted, default=-1) + 1 - len(self.head))]
        for layer in wanted:
            _check_layer(layer, self.num_layers)
            head[layer] = _replaced(head[layer], action, modality)
        return type(self)(tuple(head), self.tail, self.num_layers)

    def __or__(self, other: SkipSet) -> Self:
        """Join two skip sets; the stronger action wins at every layer and modality, so it never conflicts."""
        if not isinstance(other, SkipSet):
            return NotImplemented
        one, two = self, other
        if one.is_bound and not two.is_bound:
            two = two.bind(one.num_layers)  # type: ignore[arg-type]
        elif two.is_bound:
            one = one.bind(two.num_layers)  # type: ignore[arg-type]
        length = max(len(one.head), len(two.head))
        head = tuple(_cell_at(one, layer) | _cell_at(two, layer) for layer in range(length))
        return type(self)(head, one.tail | two.tail, one.num_layers)

    # -- writing it -----------------------------------------------------------------------------------------------

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        bound = f", num_layers={self.num_layers}" if self.is_bound else ""
        return f"SkipSet.parse({self._text!r}{bound})"

    def __lt__(self, other: SkipSet) -> bool:
        """Order by written form, so that lists of skip sets sort the same everywhere."""
        if not isinstance(other, SkipSet):
            return NotImplemented
        return (self._text, self.num_layers or 0) < (other._text, other.num_layers or 0)

    def code(self) -> str:
        """A Python expression that makes this set, open, for any model with enough layers."""
        return f"SkipSet.parse({str(self.open())!r})"

    def to_json(self) -> str:
        """The set as JSON text; `from_json` reads it back equal."""
        return json.dumps({"skipset": str(self), "num_layers": self.num_layers})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises:
            ResultFormatError: If the text is not that.
        """
        try:
            stored = json.loads(text)
            return cls.parse(stored["skipset"], num_layers=stored["num_layers"])
        except (ValueError, KeyError, TypeError) as error:
            raise ResultFormatError("skip set", str(error)) from error

    # -- inside ---------------------------------------------------------------------------------------------------

    @classmethod
    def _of(cls, layers: Layers, cell: _Cell, num_layers: int | None) -> Self:
        wanted = set(_indices(layers))
        head = tuple(cell if layer in wanted else _RUN for layer in range(max(wanted, default=-1) + 1))
        return cls(head)._maybe_bind(num_layers)

    @classmethod
    def _band(cls, modality: str, action: str, start: int, stop: int | None, num_layers: int | None) -> Self:
        """The band [start, stop); a stop of None goes on to the last layer."""
        cell = _Cell("run", ((modality, action),))
        if stop is None:
            return cls((_RUN,) * start, cell)
        return cls((_RUN,) * start + (cell,) * (stop - start))._maybe_bind(num_layers)

    def _last_named_layer(self) -> int:
        """The largest layer an open set insists on: its last cell, or the first of what goes on to the last layer.

        "To the last" starts as early as stronger cells hide it: `vision absent 0-10+12-; whole 11` fits 12 layers.
        """
        if self.tail == _RUN:
            return len(self.head) - 1
        start = len(self.head)
        while start and self.head[start - 1] | self.tail == self.head[start - 1]:
            start -= 1
        return max(start, len(self.head) - 1)

    def _maybe_bind(self, num_layers: int | None) -> Self:
        return self if num_layers is None else self.bind(num_layers)


def _cell_at(skipset: SkipSet, layer: int) -> _Cell:
    return skipset.head[layer] if layer < len(skipset.head) else skipset.tail


def _replaced(cell: _Cell, action: str, modality: str | None) -> _Cell:
    """The cell after one choice: a layer action replaces everything, a modality's only its own and `whole`."""
    if modality is None:
        return _Cell(action)
    layer = "run" if cell.layer == "whole" else cell.layer
    return _Cell.canonical(layer, dict(cell.modalities) | {modality: action})


def _indices(layers: Layers) -> list[int]:
    wanted = [layers] if isinstance(layers, int) else list(layers)
    for layer in wanted:
        if isinstance(layer, bool) or not hasattr(layer, "__index__") or not 0 <= layer <= MOST_LAYERS:
            raise SettingError("layer", layer, "an int from 0 to the last layer")
    return [int(layer) for layer in wanted]


def _boundary(k: int, num_layers: int | None) -> int:
    """A boundary is 0..num_layers: before layer k, or after the last."""
    if isinstance(k, bool) or not hasattr(k, "__index__") or not 0 <= k <= MOST_LAYERS:
        raise SettingError("k", k, "an int from 0 to the number of layers")
    if num_layers is not None and k > num_layers:
        raise LayerIndexError(k, num_layers)
    return int(k)


def _check_layer(layer: int, num_layers: int | None) -> None:
    if layer < 0:
        raise SettingError("layer", layer, "an int from 0 to the last layer")
    if num_layers is not None and layer >= num_layers:
        raise LayerIndexError(layer, num_layers)


def _check_count(num_layers: int) -> None:
    if isinstance(num_layers, bool) or not isinstance(num_layers, int) or num_layers < 1:
        raise SettingError("num_layers", num_layers, "the number of decoder layers, an int of at least 1")


def _written(head: tuple[_Cell, ...], tail: _Cell, num_layers: int | None) -> str:
    """The written form: one clause per kind of action, modalities before whole layers, spans in order."""
    names = sorted({name for cell in (*head, tail) for name in cell.clauses()}, key=_clause_order)
    clauses = []
    for name in names:
        hits = [layer for layer, cell in enumerate(head) if name in cell.clauses()]
        to_last = num_layers is None and name in tail.clauses()
        clauses.append(f"{name} {_spans(hits, len(head) if to_last else None)}")
    return "; ".join(clauses) or "none"


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


def _read_clause(clause: str, text: str) -> SkipSet:
    words = clause.lower().split()
    if "," in clause:
        raise SkipSetSyntaxError(text, f"{clause.strip()!r} has a comma; join layers with '+'")
    if len(words) == 2 and words[0] in LAYER_ACTIONS:  # noqa: PLR2004 - "whole 28"
        cell = _Cell(words[0])
    elif len(words) == 3 and words[1] in MODALITY_ACTIONS and _NAME.fullmatch(words[0]):  # noqa: PLR2004
        cell = _Cell("run", ((words[0], words[1]),))
    else:
        raise SkipSetSyntaxError(text, _what_is_wrong(words, clause))
    result = SkipSet()
    for span in words[-1].split("+"):
        result = result | _read_span(span, cell, text)
    return result


def _what_is_wrong(words: list[str], clause: str) -> str:
    if not words:
        return "it has an empty clause"
    if any(word in MODALITY_ACTIONS for word in words):
        return f"{clause.strip()!r} is not '<modality> frozen|absent <layers>' (write spans such as 0-3+5, no spaces)"
    return f"{clause.strip()!r} has no action that is known ({', '.join((*MODALITY_ACTIONS, *LAYER_ACTIONS))})"


def _read_span(span: str, cell: _Cell, text: str) -> SkipSet:
    match = _SPAN.fullmatch(span)
    if match is None:
        raise SkipSetSyntaxError(text, f"{span!r} is not a layer (3), a span (0-3) or a span to the last (16-)")
    start, stop = int(match[1]), int(match[3] or match[1])
    if max(start, stop) > MOST_LAYERS:
        raise SkipSetSyntaxError(text, f"no model has a layer {max(start, stop)}")
    if match[2] and match[3] is None:
        return SkipSet((_RUN,) * start, cell)
    if stop < start:
        raise SkipSetSyntaxError(text, f"the span {span!r} runs backwards")
    return SkipSet((_RUN,) * start + (cell,) * (stop + 1 - start))


def _refuse_conflict(one: SkipSet, two: SkipSet, text: str) -> None:
    """Refuse a string whose clauses disagree about a layer; joining with `|` is the way to overrule."""
    for layer in range(max(len(one.head), len(two.head)) + 1):
        a, b = _cell_at(one, layer), _cell_at(two, layer)
        if _RUN in (a, b) or a == b:
            continue
        theirs = dict(b.modalities)
        clash = any(theirs.get(name, action) != action for name, action in a.modalities)
        if clash or "whole" in (a.layer, b.layer) or (a.layer != b.layer and "run" not in (a.layer, b.layer)):
            raise SkipSetConflictError(text, layer, [*a.clauses(), *b.clauses()])
