"""`SkipSet`: which layers each modality skips, and how. The word everything else is written in."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from skipit_nb.errors import (
    LayerCountError,
    LayerIndexError,
    ResultFormatError,
    SettingError,
    SkipSetSyntaxError,
    UnboundSkipSetError,
)
from skipit_nb.skipset import written
from skipit_nb.skipset.cells import (
    LAYER_ACTIONS,
    MODALITIES,
    MODALITY_ACTIONS,
    MOST_LAYERS,
    RUN,
    Action,
    Cell,
    Pattern,
)

Layers = int | Iterable[int]
"""One layer, or several: ints from 0, a list of them, or a half-open `range(a, b)`."""


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

    head: tuple[Cell, ...] = ()
    tail: Cell = RUN
    num_layers: int | None = None
    _text: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        pattern = self._pattern if self.is_bound else self._pattern.trimmed()
        object.__setattr__(self, "head", pattern.head)
        object.__setattr__(self, "_text", written.write(pattern, is_open=not self.is_bound))

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
        return cls._of(layers, Cell("run", ((modality, "absent"),)), num_layers)

    @classmethod
    def freeze(cls, layers: Layers, *, num_layers: int | None = None, modality: str = "vision") -> Self:
        """The modality's tokens keep their state at `layers` but stay visible as keys and values (ShortV)."""
        return cls._of(layers, Cell("run", ((modality, "frozen"),)), num_layers)

    @classmethod
    def whole(cls, layers: Layers, *, num_layers: int | None = None) -> Self:
        """Nothing is computed at `layers`: the hidden state of every token passes on."""
        return cls._of(layers, Cell("whole"), num_layers)

    @classmethod
    def attn(cls, layers: Layers, *, num_layers: int | None = None) -> Self:
        """Attention is skipped at `layers`; the MLP runs."""
        return cls._of(layers, Cell("attn"), num_layers)

    @classmethod
    def mlp(cls, layers: Layers, *, num_layers: int | None = None) -> Self:
        """The MLP is skipped at `layers`; attention runs."""
        return cls._of(layers, Cell("mlp"), num_layers)

    @classmethod
    def parse(cls, text: str, *, num_layers: int | None = None) -> Self:
        """Read the written form: `none`, or clauses such as `vision absent 0-7` or `whole 3+5` joined by `;`.

        `3` is one layer, `0-3` are four (both ends included), `16-` goes to the last layer, `+` joins them.

        Raises:
            SkipSetSyntaxError: If a clause cannot be read.
            SkipSetConflictError: If two clauses give one layer two actions.
            LayerIndexError: If `num_layers` is given and a layer is outside.
        """
        return cls(*written.read(text))._maybe_bind(num_layers)

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
        return self.tail == RUN and all(cell == RUN for cell in self.head)

    @property
    def modalities(self) -> tuple[str, ...]:
        """The modalities that a clause names, sorted."""
        return tuple(sorted({name for cell in (*self.head, self.tail) for name, _ in cell.modalities}))

    def action(self, layer: int, modality: str) -> Action:
        """What happens to the modality's tokens at `layer`: the strongest action that covers them."""
        _check_layer(layer, self.num_layers)
        return self._pattern.at(layer).action(modality)  # type: ignore[return-value]

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
        if not self.is_bound and (last := self._pattern.last_named_layer()) >= num_layers:
            raise LayerIndexError(last, num_layers)
        cells = self.head + (self.tail,) * (num_layers - len(self.head))
        return type(self)(cells, RUN, num_layers)

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
            head[layer] = head[layer].replaced(action, modality)
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
        return type(self)(*one._pattern.joined(two._pattern), one.num_layers)

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

    @property
    def _pattern(self) -> Pattern:
        return Pattern(self.head, self.tail)

    @classmethod
    def _of(cls, layers: Layers, cell: Cell, num_layers: int | None) -> Self:
        wanted = set(_indices(layers))
        head = tuple(cell if layer in wanted else RUN for layer in range(max(wanted, default=-1) + 1))
        return cls(head)._maybe_bind(num_layers)

    @classmethod
    def _band(cls, modality: str, action: str, start: int, stop: int | None, num_layers: int | None) -> Self:
        cell = Cell("run", ((modality, action),))
        return cls(*Pattern.band(cell, start, stop))._maybe_bind(num_layers)

    def _maybe_bind(self, num_layers: int | None) -> Self:
        return self if num_layers is None else self.bind(num_layers)


def _indices(layers: Layers) -> list[int]:
    is_one = not isinstance(layers, Iterable) or getattr(layers, "ndim", 1) == 0  # numpy's own whole numbers too
    wanted: list[Any] = [layers] if is_one else list(layers)  # type: ignore[arg-type]
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
