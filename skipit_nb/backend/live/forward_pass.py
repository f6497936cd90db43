"""What all skipped layers need to know of the forward pass at hand; found once, shared by every layer."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.rows import Rows
from skipit_nb.backend.live.shortened_cache import KeyRows
from skipit_nb.errors import UnsupportedSkipError

T = TypeVar("T")


class NoVisionTokensWarning(UserWarning):
    """A skip set names vision tokens, but a prompt has none; it ran as it is."""


class ForwardPass:
    """Which rows of the pass are vision tokens, and what follows from it for rows, keys and masks.

    Layers with the same action ask the same things; each answer is computed once a pass. Answers are remembered by
    the identity of what they were made from, which is kept alive beside them.
    """

    def __init__(self, anatomy: Anatomy, *, names_vision: bool) -> None:
        self._anatomy = anatomy
        self._names_vision = names_vision
        self._has_warned = False
        self._vision: Tensor | None = None
        self._found: dict[tuple[object, ...], tuple[object, Any]] = {}

    def begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Read the vision rows of a new pass from its token ids. A pre-hook of the whole model."""
        self._found = {}
        input_ids = kwargs.get("input_ids", args[0] if args else None)
        if input_ids is None:
            self._vision = None
            return
        self._vision = self._anatomy.vision_rows(input_ids)
        cache = kwargs.get("past_key_values")
        if cache is not None and cache.get_seq_length() > 0 and kwargs.get("pixel_values") is None:
            self._vision = torch.zeros_like(self._vision)  # new tokens are text, whatever the model wrote
        elif self._names_vision and not self._has_warned and not self._vision.any(1).all():
            self._has_warned = True
            message = "a prompt without vision tokens ran as it is: the skip set's vision actions found nothing to skip"
            warnings.warn(message, NoVisionTokensWarning, stacklevel=2)

    def rows_without(self, modality: str, hidden: Tensor) -> Rows | None:
        """The rows that are not of this modality; None if that is all of them.

        Raises:
            UnsupportedSkipError: If the call gave no token ids to find vision tokens by.
        """
        return self._once(("rows", modality), None, lambda: self._find(modality, hidden))

    def all_rows(self, hidden: Tensor) -> Rows:
        """Every row of the pass."""
        return self._once(("rows",), None, lambda: Rows.all_of(hidden))

    def keys_after(self, before: KeyRows | None, seen: int, rows: Rows) -> KeyRows:
        """What a cache layer holds after `rows` ran, given what it held before (None: all of the `seen` positions)."""

        def follow() -> KeyRows:
            batch, device = rows.index.shape[0], rows.index.device
            return (before or KeyRows.all_of(batch, seen, device)).followed_by(rows)

        return self._once(("keys", id(before), seen, id(rows)), (before, rows), follow)

    def mask(self, keys: KeyRows, whole: Tensor | None, queries: Rows, width: int | None) -> Tensor | None:
        """The attention mask of `queries` over `keys`, cut from the model's own."""
        made_from = (keys, whole, queries)
        return self._once(
            ("mask", *map(id, made_from), width), made_from, lambda: keys.mask(whole, queries, width=width)
        )

    def others(self, rows: Rows) -> Rows:
        """The rows that are not in `rows`."""
        return self._once(("others", id(rows)), rows, rows.others)

    def frozen_mask(self, whole: Tensor | None, queries: Rows, seen: int, width: int | None) -> Tensor:
        """The lines of `queries` in the model's mask over all keys; causal by original position if it has none."""

        def lines() -> Tensor:
            if whole is not None:
                return queries.lines(whole)
            positions = torch.arange(width or seen + queries.seq, device=queries.index.device)
            return (positions[None, None, :] <= (seen + queries.index)[:, :, None]).unsqueeze(1)

        return self._once(("lines", id(whole), id(queries), seen, width), (whole, queries), lines)

    def _once(self, key: tuple[object, ...], made_from: object, make: Callable[[], T]) -> T:
        if key not in self._found:
            self._found[key] = (made_from, make())
        return self._found[key][1]  # type: ignore[no-any-return]

    def _find(self, modality: str, hidden: Tensor) -> Rows | None:
        if self._vision is None or self._vision.shape != hidden.shape[:2]:
            raise UnsupportedSkipError(
                f"{modality} actions",
                "this call gives no input_ids, so its vision tokens cannot be found",
                "Call the model with input_ids.",
            )
        stopped = self._vision if modality == "vision" else ~self._vision
        return Rows.where(~stopped.to(hidden.device)) if stopped.any() else None
