"""Several questions about one image in one sequence, each as if it were alone.

    opening <image> x 64 | question 1 asking answer | question 2 asking answer | ...

Each question sees the prefix and itself, not its neighbours, and its positions start right after the
prefix. So its logits are those of a prompt of its own, and the image is computed once.

Shapes:
    row       sequences of the batch
    seq       tokens of the longest sequence
    question  all questions of the batch
    d_model   width of the decoder
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from transformers import LlavaForConditionalGeneration

from skipit_nb.zoo.corpus import Item
from skipit_nb.zoo.dialect import Dialect

_PADDING = -1
_NO_TARGET = -1


@dataclass(frozen=True)
class Prefix:
    """What all questions of a sequence see: the image, or some of its patches."""

    ids: tuple[int, ...]
    """Token ids."""
    positions: tuple[int, ...]
    """Position of each token."""


@dataclass(frozen=True)
class Packed:
    """A batch of packed sequences."""

    input_ids: Tensor
    """Token ids, row x seq."""
    position_ids: Tensor
    """Positions, row x seq."""
    segments: Tensor
    """0 for the prefix, 1, 2, ... for the questions, -1 for padding; row x seq."""
    targets: Tensor
    """The token to be said next where that is part of an answer or its end, -1 elsewhere; row x seq."""
    end: int
    """Id that ends an answer."""

    @property
    def answer_places(self) -> tuple[Tensor, Tensor]:
        """Rows and columns at which a token of an answer is to be said, row by row."""
        rows, columns = ((self.targets != _NO_TARGET) & (self.targets != self.end)).nonzero(as_tuple=True)
        return rows, columns

    @property
    def end_places(self) -> tuple[Tensor, Tensor]:
        """Rows and columns at which an answer is to be ended, row by row."""
        rows, columns = (self.targets == self.end).nonzero(as_tuple=True)
        return rows, columns

    @property
    def attention_mask(self) -> Tensor:
        """What each token sees, row x 1 x seq x seq: the prefix, its own question so far, itself."""
        mine, theirs = self.segments[:, :, None], self.segments[:, None, :]
        length = self.segments.shape[1]
        before = torch.ones(length, length, dtype=torch.bool, device=self.segments.device).tril()
        seen = before & ((theirs == 0) | (theirs == mine)) & (theirs != _PADDING)
        # Padding sees itself: a row of nothing would be NaN.
        return (seen | torch.eye(length, dtype=torch.bool, device=seen.device))[:, None]

    def are_right(self, said: Tensor) -> list[bool]:
        """Say for each question whether every token of its answer is right.

        Args:
            said: The tokens said at `answer_places`.
        """
        rows, columns = self.answer_places
        question = torch.stack([rows, self.segments[rows, columns]])
        _, inverse = question.unique_consecutive(dim=1, return_inverse=True)
        wrong = torch.zeros(int(inverse.max()) + 1, dtype=torch.long, device=said.device)
        wrong.index_add_(0, inverse, (said != self.targets[rows, columns]).long())
        right: list[bool] = (wrong == 0).tolist()
        return right

    def to(self, device: torch.device) -> Packed:
        """Move the batch to a device."""
        tensors: dict[str, Any] = {key: own.to(device) for key, own in vars(self).items() if isinstance(own, Tensor)}
        return replace(self, **tensors)


def image_prefix(dialect: Dialect, patches: Sequence[int] | None = None) -> Prefix:
    """Give the prefix of an image: the opening and an image token for each patch, at the patch's own position.

    Args:
        dialect: The model's.
        patches: Numbers of the patches; None for all.
    """
    chosen = range(dialect.num_vision_tokens) if patches is None else patches
    first = len(dialect.opening)
    ids = (*dialect.opening, *[dialect.image] * len(chosen))
    return Prefix(ids, (*range(first), *(first + patch for patch in chosen)))


def pack(dialect: Dialect, prefixes: Sequence[Prefix], items: Sequence[Sequence[Item]]) -> Packed:
    """Lay the questions of each row behind its prefix.

    Args:
        dialect: The model's.
        prefixes: One a row.
        items: The questions of each row.

    Returns:
        The batch; rows are padded on the right.
    """
    rows = [_lay_out(dialect, prefix, row) for prefix, row in zip(prefixes, items, strict=True)]
    length = max(len(ids) for ids, *_ in rows)
    fill = (dialect.pad, 0, _PADDING, _NO_TARGET)
    filled = torch.tensor(
        [[column + [with_] * (length - len(column)) for column, with_ in zip(row, fill, strict=True)] for row in rows]
    )
    input_ids, position_ids, segments, targets = filled.unbind(1)
    return Packed(input_ids, position_ids, segments, targets, dialect.end)


def hidden_states(model: LlavaForConditionalGeneration, batch: Packed, vision: Tensor) -> Tensor:
    """Give the decoder's output for a packed batch.

    Args:
        model: The model.
        batch: The packed batch.
        vision: A vector for each image token, row by row: row x 64 x d_model, or token x d_model.

    Returns:
        The normed output of the last layer, row x seq x d_model.
    """
    embeds = model.get_input_embeddings()(batch.input_ids)
    is_vision = batch.input_ids == model.config.image_token_id
    embeds = embeds.masked_scatter(is_vision[..., None], vision.to(embeds.dtype))
    output = model.model.language_model(
        inputs_embeds=embeds,
        attention_mask=_mask_for(model, batch.attention_mask, embeds),
        position_ids=batch.position_ids,
        use_cache=False,
    )
    hidden: Tensor = output.last_hidden_state
    return hidden


def vision_tokens(model: LlavaForConditionalGeneration, pixels: Tensor) -> Tensor:
    """Give the projected vision tokens of images, row x 64 x d_model."""
    return torch.stack(list(model.get_image_features(pixel_values=pixels).pooler_output))


def _mask_for(model: LlavaForConditionalGeneration, seen: Tensor, embeds: Tensor) -> Tensor:
    """Give the mask in the form that the decoder's attention takes: written out by hand, it adds its mask."""
    if model.model.language_model.config._attn_implementation != "eager":
        return seen
    return torch.zeros_like(seen, dtype=embeds.dtype).masked_fill_(~seen, torch.finfo(embeds.dtype).min)


def _lay_out(dialect: Dialect, prefix: Prefix, items: Sequence[Item]) -> tuple[list[int], ...]:
    ids, positions, segments = list(prefix.ids), list(prefix.positions), [0] * len(prefix.ids)
    targets = [_NO_TARGET] * len(ids)
    start = dialect.prefix_length
    for number, item in enumerate(items, start=1):
        before = [*item.question, *dialect.asking]
        words = [*before, *item.answer]
        ids += words
        positions += range(start, start + len(words))
        segments += [number] * len(words)
        targets += [_NO_TARGET] * (len(before) - 1) + [*item.answer, dialect.end]
    return ids, positions, segments, targets
