"""Rows of a batch: pick some positions of every sequence, run something on them, put them back.

Shapes:
    batch  sequences
    seq    positions of this forward pass
    row    picked positions; sequences with fewer repeat their first one in front, marked not valid
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Rows:
    """Which positions of every sequence are picked."""

    index: Tensor
    """[batch, row] position of each picked row, ascending."""
    valid: Tensor
    """[batch, row] False where a shorter sequence only repeats its first row."""
    mask: Tensor
    """[batch, seq] True at the picked positions."""
    is_ragged: bool
    """Whether some sequence has fewer rows than another."""
    is_shared: bool
    """Whether every sequence picks the same positions, which is faster to gather."""

    @classmethod
    def where(cls, mask: Tensor) -> Rows:
        """Pick the positions where `mask` [batch, seq] is True."""
        counts = mask.sum(1)
        rows = int(counts.max())
        # Picked positions sort last; what stands before them in a sequence with fewer is not one of its rows.
        order = torch.argsort(mask.int(), dim=1, stable=True)[:, mask.shape[1] - rows :]
        missing = (rows - counts)[:, None]
        valid = torch.arange(rows, device=mask.device)[None] >= missing
        first = order.gather(1, missing.clamp(max=rows - 1)) if rows else order
        index = torch.where(valid, order, first)
        is_ragged = not bool(valid.all())
        return cls(index, valid, mask, is_ragged, is_shared=not is_ragged and bool((index == index[:1]).all()))

    @classmethod
    def all_of(cls, hidden: Tensor) -> Rows:
        """Pick every position of `hidden` [batch, seq, d_model]."""
        return cls.where(torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device))

    def others(self) -> Rows:
        """The positions that were not picked."""
        return Rows.where(~self.mask)

    @property
    def seq(self) -> int:
        """Positions there are to pick from."""
        return self.mask.shape[1]

    def __len__(self) -> int:
        return self.index.shape[1]

    def take(self, value: Any) -> Any:
        """Gather the rows of everything that has one entry a position; leave the rest as it is.

        A tensor has one where its length is `seq` on the axis that transformers uses: the last but one of states and
        rotary tables, real or complex ([batch, seq, d], M-RoPE's [3, batch, seq, d]), the last of whole numbers such
        as position ids ([batch, seq]). Tuples and lists are gathered inside; dicts, by which layers hand things to
        later layers, pass on as they are.
        """
        if isinstance(value, tuple | list):
            return type(value)(self.take(item) for item in value)
        if not isinstance(value, Tensor) or value.dim() == 0:
            return value
        from_end = 2 if (value.is_floating_point() or value.is_complex()) and value.dim() > 1 else 1
        axis = value.dim() - from_end
        return self.along(value, axis) if value.shape[axis] == self.seq else value

    def take_each(self, values: dict[str, Any]) -> dict[str, Any]:
        """Gather the rows of every value of a call's keyword arguments."""
        return {name: self.take(value) for name, value in values.items()}

    def along(self, value: Tensor, axis: int) -> Tensor:
        """Gather along one axis; the batch is the axis before it (if `value` has one)."""
        if self.is_shared or axis == 0:
            return value.index_select(axis, self.index[0])
        shape = [1] * value.dim()
        shape[axis - 1], shape[axis] = self.index.shape
        return torch.take_along_dim(value, self.index.reshape(shape), axis)

    def lines(self, mask: Tensor) -> Tensor:
        """The picked rows' lines of an attention mask: [batch | 1, 1, seq, keys] -> [batch, 1, row, keys]."""
        every = mask.expand(self.index.shape[0], -1, -1, -1).transpose(1, 2)
        return self.along(every, 1).transpose(1, 2)

    def put(self, into: Tensor, rows: Tensor) -> Tensor:
        """A copy of `into` [batch, seq, d] with `rows` [batch, row, d] written at the picked positions."""
        if self.is_shared:
            return into.index_copy(1, self.index[0], rows.to(into.dtype))
        full = into.clone()
        sequence = torch.arange(into.shape[0], device=into.device)[:, None].expand_as(self.index)
        full[sequence[self.valid], self.index[self.valid]] = rows[self.valid].to(into.dtype)
        return full
