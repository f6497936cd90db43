"""What the LLaVA-like families share: a decoder of four layers, and prompts of words and pictures of noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from tests.families.prompts import left_padded
from tests.families.replica import Inputs, Replica

PAD, BEGIN, END, IMAGE = range(4)
FIRST_MARK, FIRST_WORD, VOCAB = 4, 20, 80
"""Ids from 4 on are a family's own marks around images; those from 20 on are words."""


class Picture(NamedTuple):
    """An image in a prompt; its size is in pixels or in tiles, as the family counts."""

    height: int
    width: int


ONE_TILE = Picture(1, 1)

Row = Sequence[int | Picture]
"""A prompt: ids and, between them, pictures."""

Spell = Callable[[Picture], Sequence[int]]
"""The ids that stand for a picture."""


def text_config(kind: Callable[..., PreTrainedConfig], **more: object) -> PreTrainedConfig:
    return kind(**{
        "vocab_size": VOCAB, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4,
        "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256, "initializer_range": 0.3,
        "pad_token_id": PAD, "bos_token_id": BEGIN, "eos_token_id": END, **more,
    })  # fmt: skip


def replica(
    model: PreTrainedModel,
    process: Callable[[Sequence[Row]], Inputs],
    large: Picture = ONE_TILE,
    small: Picture = ONE_TILE,
) -> Replica:
    """Prompts with words around an image, after it only, and between two; `process` makes tensors of them."""
    around = [BEGIN, 20, 21, large, 22, 23, 24, 25, 26]
    after = [BEGIN, small, 30, 31, 32]
    between = [BEGIN, 40, small, 41, large, 42, 43]
    return Replica(
        model=model,
        one=process([around]),
        padded=process([around, after, between]),
        text_only=process([[BEGIN, *range(50, 62)]]),
        several=process([between]),
        suppress=tuple(range(FIRST_WORD)),
    )


def tokens(rows: Sequence[Row], spell: Spell) -> Inputs:
    """Ids and mask of the rows, with every picture spelled out."""
    return left_padded([spelled(row, spell) for row in rows], PAD)


def spelled(row: Row, spell: Spell) -> list[int]:
    return [token for item in row for token in (spell(item) if isinstance(item, Picture) else [item])]


def pictures(*rows: Row) -> list[Picture]:
    return [item for row in rows for item in row if isinstance(item, Picture)]


def noise(*shape: int) -> Tensor:
    """Pixels, the same on every call."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def tiles_of_noise(counts: Sequence[int], *shape: int) -> Tensor:
    """For each picture, or each prompt, so many tiles; the others are empty."""
    pixels = noise(len(counts), max(counts), *shape)
    for image, count in zip(pixels, counts, strict=True):
        image[count:] = 0
    return pixels
