"""Prompts built by hand: rows of token ids, padded as a tokenizer pads them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedConfig, PreTrainedModel

from tests.families.replica import Inputs


def left_padded(rows: Sequence[Sequence[int]], pad: int) -> Inputs:
    """The rows' ids and mask, made equally long so that all rows end together."""
    length = max(map(len, rows))
    gaps = [length - len(row) for row in rows]
    return {
        "input_ids": torch.tensor([[pad] * gap + [*row] for gap, row in zip(gaps, rows, strict=True)]),
        "attention_mask": torch.tensor([[0] * gap + [1] * (length - gap) for gap in gaps]),
    }


def built(model_class: type[PreTrainedModel], config: PreTrainedConfig, attention: str) -> PreTrainedModel:
    """The model with random weights, the same on every call, whose text and vision attend as asked."""
    torch.manual_seed(0)
    model = model_class(config).eval()
    model.set_attn_implementation(attention)
    return model
