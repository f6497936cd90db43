"""The prompt on which a draft and the skipped model must agree."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from PIL import Image
from torch import Tensor
from transformers import PreTrainedConfig

from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.errors import MissingProcessorError

QUESTION = "what is in the image?"
SIDE = 96
"""Pixels of the image, each of another colour than its neighbours."""
LENGTH = 8
"""Text tokens where there is no processor."""


def trial_prompt(live: LiveModel) -> Inputs:
    """An image and a question; text alone where the session has no processor to read an image."""
    try:
        return live.inputs([_colours()], [QUESTION])
    except MissingProcessorError:
        return {"input_ids": _plain_ids(live), "attention_mask": torch.ones_like(_plain_ids(live))}


def _colours() -> Image.Image:
    ramp = torch.arange(SIDE * SIDE * 3, dtype=torch.int64) * 7919 % 256
    return Image.fromarray(ramp.reshape(SIDE, SIDE, 3).to(torch.uint8).numpy())


def _plain_ids(live: LiveModel) -> Tensor:
    """Ids from all over the vocabulary that stand for no image, padding or end."""
    vocabulary = live.model.get_input_embeddings().weight.shape[0]
    special = set(_token_ids(live.model.config))
    plain = [token for token in range(vocabulary) if token not in special]
    return torch.tensor([plain[:: max(len(plain) // LENGTH, 1)][:LENGTH]], device=live.device)


def _token_ids(config: PreTrainedConfig) -> Iterator[int]:
    """Every token id that a configuration names, at any depth."""
    for name, value in vars(config).items():
        if isinstance(value, PreTrainedConfig):
            yield from _token_ids(value)
        elif "token" in name:
            yield from (token for token in (value if isinstance(value, list) else [value]) if isinstance(token, int))
