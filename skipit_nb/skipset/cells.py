"""What one layer does, and a row of such cells: the algebra under `SkipSet`.

cell      whole | attn | mlp, or nothing, for the layer · and per modality: frozen | absent, or nothing
pattern   a head, the cells of layers 0, 1, ..., and a tail, the cell of every layer after the head
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Action = Literal["run", "attn", "mlp", "frozen", "absent", "whole"]
"""What is done at one layer, weakest first: run, skip attention, skip the MLP, frozen, absent, whole layer."""

LAYER_ACTIONS = ("attn", "mlp", "whole")
MODALITY_ACTIONS = ("frozen", "absent")
MODALITIES = ("vision", "text")
MOST_LAYERS = 9_999
"""A layer above this is a slip of the finger, not a model."""

_STRENGTH = {"run": 0, "attn": 1, "mlp": 1, "frozen": 2, "absent": 3, "whole": 4}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one layer does. Canonical: where no modality runs, `layer` is "whole" and `modalities` is empty."""

    layer: str = "run"
    modalities: tuple[tuple[str, str], ...] = ()

    @classmethod
    def canonical(cls, layer: str, modalities: Mapping[str, str]) -> Cell:
        """The one cell that says this: `whole` where neither vision nor text runs."""
        stopped = {name: action for name, action in modalities.items() if action != "run"}
        if layer == "whole" or stopped.keys() >= set(MODALITIES):
            return cls("whole")
        return cls(layer, tuple(sorted(stopped.items())))

    def action(self, modality: str) -> str:
        """The stronger of what the layer does and what the modality does."""
        return max(self.layer, dict(self.modalities).get(modality, "run"), key=_STRENGTH.__getitem__)

    def __or__(self, other: Cell) -> Cell:
        """Join two cells: the stronger action wins; attention with MLP is the whole layer."""
        layers = {self.layer, other.layer} - {"run"}
        layer = "whole" if layers >= {"attn", "mlp"} else max(layers, key=_STRENGTH.__getitem__, default="run")
        mine, theirs = dict(self.modalities), dict(other.modalities)
        both = {
            name: max(mine.get(name, "run"), theirs.get(name, "run"), key=_STRENGTH.__getitem__)
            for name in mine.keys() | theirs.keys()
        }
        return Cell.canonical(layer, both)

    def clauses(self) -> Iterator[str]:
        """The clause names of this cell, such as 'vision absent' or 'whole'."""
        yield from (f"{name} {action}" for name, action in self.modalities)
        if self.layer != "run":
            yield self.layer

    def replaced(self, action: str, modality: str | None) -> Cell:
        """The cell after one choice: a layer action replaces everything, a modality's only its own and `whole`."""
        if modality is None:
            return Cell(action)
        layer = "run" if self.layer == "whole" else self.layer
        return Cell.canonical(layer, dict(self.modalities) | {modality: action})


RUN = Cell()


class Pattern(NamedTuple):
    """The cells of a model's layers: a head, and what every later layer does."""

    head: tuple[Cell, ...]
    tail: Cell = RUN

    @classmethod
    def band(cls, cell: Cell, start: int, stop: int | None) -> Pattern:
        """`cell` in the layers [start, stop); a stop of None goes on to the last layer."""
        if stop is None:
            return cls((RUN,) * start, cell)
        return cls((RUN,) * start + (cell,) * (stop - start))

    def at(self, layer: int) -> Cell:
        """The cell of a layer."""
        return self.head[layer] if layer < len(self.head) else self.tail

    def joined(self, other: Pattern) -> Pattern:
        """The stronger action of both, layer by layer."""
        length = max(len(self.head), len(other.head))
        return Pattern(tuple(self.at(i) | other.at(i) for i in range(length)), self.tail | other.tail)

    def trimmed(self) -> Pattern:
        """The same pattern without cells at the end of the head that the tail says too."""
        head = self.head
        while head and head[-1] == self.tail:
            head = head[:-1]
        return Pattern(head, self.tail)

    def last_named_layer(self) -> int:
        """The largest layer the pattern insists on: its last cell, or the first of what goes on to the last layer.

        "To the last" starts as early as stronger cells hide it: `vision absent 0-10+12-; whole 11` fits 12 layers.
        """
        last = len(self.head) - 1
        if self.tail == RUN:
            return last
        start = last + 1
        while start and self.head[start - 1] | self.tail == self.head[start - 1]:
            start -= 1
        return max(start, last)
