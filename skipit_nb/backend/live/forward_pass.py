"""What all skipped layers need to know of the forward pass at hand; found once, shared by every layer."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle
from transformers import PreTrainedModel

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.backend.live.cache_argument import cache_in
from skipit_nb.backend.live.key_rows import KeyRows, Span
from skipit_nb.backend.live.rows import Rows
from skipit_nb.errors import PaddingError, UnsupportedSkipError

T = TypeVar("T")


class NoVisionTokensWarning(UserWarning):
    """A skip set names vision tokens, but a prompt has none; it ran as it is."""


class ForwardPass:
    """Which rows of the pass are vision tokens, and what follows from it for rows, keys and masks.

    Layers with the same action ask the same things; each answer is computed once a pass. Answers are remembered by
    the identity of what they were made from, which is kept alive beside them.
    """

    def __init__(self, anatomy: Anatomy, *, names_vision: bool = False, vision: Tensor | None = None) -> None:
        """Know the vision rows of every pass.

        Args:
            anatomy: Of the model.
            names_vision: Whether to warn of a prompt without vision tokens.
            vision: [batch, seq] bool, the vision rows of the prompt, where token ids cannot tell them.
        """
        self._anatomy = anatomy
        self._names_vision = names_vision
        self._given = vision
        self._has_warned = False
        self._vision: Tensor | None = vision
        self._ids: Tensor | None = None
        self._brings_images = False
        self._ends_in_padding = False
        self._found: dict[tuple[object, ...], tuple[object, Any]] = {}
        self._without_keys = weakref.WeakSet[Any]()

    def watch(self, model: PreTrainedModel) -> Iterator[RemovableHandle]:
        """Follow every pass of `model`: hooks on the whole, on its token embedding and on its decoder.

        Token ids reach the whole model in an ordinary call, but only the embedding where a family's `generate`
        goes round its own forward; positions and the cache reach the decoder in any case.
        """
        yield model.register_forward_pre_hook(self._read_call, with_kwargs=True)
        yield model.get_input_embeddings().register_forward_pre_hook(self._read_ids)
        yield self._anatomy.decoder.register_forward_pre_hook(self._begin, with_kwargs=True)
        yield self._anatomy.decoder.register_forward_hook(self._end, always_call=True)

    def _read_call(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        ids = kwargs.get("input_ids", args[0] if args else None)
        self._ids = ids if isinstance(ids, Tensor) else None
        self._brings_images = brings_images(kwargs)

    def _read_ids(self, _: nn.Module, args: tuple[Any, ...]) -> None:
        if self._ids is None and args and args[0].dim() == 2:  # noqa: PLR2004
            self._ids = args[0]

    def _begin(self, _: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._found = {}
        states = next((kwargs[k] for k in ("inputs_embeds", "input_ids") if kwargs.get(k) is not None), None)
        states = args[0] if states is None else states
        ids, self._ids = self._ids, None
        has_images, self._brings_images = self._brings_images, False
        if ids is None and kwargs.get("input_ids") is not None:
            ids = kwargs["input_ids"]
        cache = cache_in(kwargs)
        goes_on = cache is not None and int(cache.get_seq_length()) > 0
        if goes_on and not has_images:
            if self._ends_in_padding:
                raise PaddingError
            # New tokens are text, whatever the model wrote.
            self._vision = torch.zeros(states.shape[:2], dtype=torch.bool, device=states.device)
            return
        self._ends_in_padding = ends_in_padding(kwargs.get("attention_mask"))
        self._vision = self._prompt_rows(ids, *states.shape[:2])
        if self._vision is not None and not goes_on:
            self._warn_without_vision(self._vision)

    def _end(self, *_: Any) -> None:
        self._ids = None  # what the decoder embedded itself is no prompt of the next pass

    def _prompt_rows(self, ids: Tensor | None, batch: int, seq: int) -> Tensor | None:
        """Vision rows of a prompt: given by hand, or read from its token ids; repeated for beams."""
        vision = self._given
        if vision is None or vision.shape[1] != seq:
            vision = None if ids is None else self._anatomy.vision_rows(ids)
        if vision is None or vision.shape[1] != seq or batch % vision.shape[0]:
            return None
        return vision.repeat_interleave(batch // vision.shape[0], dim=0)

    def _warn_without_vision(self, vision: Tensor) -> None:
        if self._names_vision and not self._has_warned and not bool(vision.any(1).all()):
            self._has_warned = True
            message = "a prompt without vision tokens ran as it is: the skip set's vision actions found nothing to skip"
            warnings.warn(message, NoVisionTokensWarning, stacklevel=2)

    def rows_without(self, modality: str, hidden: Tensor) -> Rows | None:
        """The rows that are not of this modality; None if that is all of them.

        Raises:
            UnsupportedSkipError: If the call gave no token ids to find vision tokens by.
        """
        return self._once(
            ("rows", modality, hidden.shape[1], hidden.device), None, lambda: self._find(modality, hidden)
        )

    def all_rows(self, hidden: Tensor) -> Rows:
        """Every row of the pass."""
        return self._once(("rows", hidden.shape[1], hidden.device), None, lambda: Rows.all_of(hidden))

    def keys_after(self, before: KeyRows | None, held: int, seen: int, rows: Rows) -> KeyRows:
        """What a cache layer holds after `rows` ran, given what it held before (None: the last `held` positions)."""

        def follow() -> KeyRows:
            batch, device = rows.index.shape[0], rows.index.device
            return (before or KeyRows.last(batch, held, seen, device)).followed_by(rows)

        return self._once(("keys", id(before), held, seen, id(rows)), (before, rows), follow)

    def mask(self, keys: KeyRows, whole: Tensor | None, queries: Rows, span: Span) -> Tensor | None:
        """The attention mask of `queries` over `keys`, cut from the model's own."""
        made_from = (keys, whole, queries)
        return self._once(("mask", *map(id, made_from), span), made_from, lambda: keys.mask(whole, queries, span))

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

    def note_missing_keys(self, slot: Any | None) -> None:
        """Remember a cache layer that only counts frozen tokens, whose keys were not made."""
        if slot is not None:
            self._without_keys.add(slot)

    def refuse_missing_keys(self, slot: Any | None) -> None:
        """Raise if tokens are about to look for keys that were not made.

        Raises:
            UnsupportedSkipError: If an image comes after a token that was written while text was frozen.
        """
        if slot in self._without_keys and int(slot.get_seq_length()) > 0:  # type: ignore[union-attr]
            raise UnsupportedSkipError(
                "text frozen",
                "an image follows text that was frozen when no image came with it, so its keys are missing",
                "Begin a new prompt with all its images, or let text be absent at these layers.",
            )

    def _once(self, key: tuple[object, ...], made_from: object, make: Callable[[], T]) -> T:
        if key not in self._found:
            self._found[key] = (made_from, make())
        return self._found[key][1]  # type: ignore[no-any-return]

    def _find(self, modality: str, hidden: Tensor) -> Rows | None:
        batch, seq = hidden.shape[:2]
        # A model may drop all but the last rows on its way up, where only their logits were asked for.
        vision = None if self._vision is None else self._vision[:, -seq:]
        if vision is None or vision.shape != (batch, seq) or hidden.dim() != 3:  # noqa: PLR2004
            raise UnsupportedSkipError(
                f"{modality} actions",
                "this call gives no input_ids, so its vision tokens cannot be found",
                "Call the model with input_ids, or give their rows: session.skipping(skipset, vision=mask).",
            )
        stopped = vision if modality == "vision" else ~vision
        return Rows.where(~stopped.to(hidden.device)) if stopped.any() else None


def brings_images(kwargs: Mapping[str, Any]) -> bool:
    """Whether a call has images: as pixels, or as what `generate` made of them beforehand."""
    has_pixels = any("pixel" in name and value is not None for name, value in kwargs.items())
    return has_pixels or bool(kwargs.get("mm_encoder_outputs"))


def ends_in_padding(attention_mask: object) -> bool:
    """Whether some sequence of a batch has padding in its last place, where new tokens would follow it."""
    is_flat = isinstance(attention_mask, Tensor) and attention_mask.dim() == 2  # noqa: PLR2004
    return is_flat and bool((attention_mask[:, -1] == 0).any())  # type: ignore[index]
