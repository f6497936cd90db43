"""Prompts that were read once and are continued many times, each time from the same cache.

Shapes: batch, token (of a continuation), vocab.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import Cache, DynamicCache

from skipit_nb.backend.live.cache_argument import NAME as CACHE
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.trie.logits import last_rows

_MASKS = ("attention_mask", "cross_attention_mask")
"""What has to be said again when a prompt goes on."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """A batch of prompts that was read."""

    first: Tensor
    """[batch, vocab] log-probabilities of the token after each prompt, float32."""
    masks: Inputs
    """The prompts' masks, each [batch, seq, ...]."""
    cache: Cache
    """Keys and values of the prompts; continuations write to copies."""

    @classmethod
    def of(cls, live: LiveModel, inputs: Inputs) -> Prefix:
        """Read prompts. Call it inside `skipping`."""
        cache = DynamicCache(config=live.anatomy.decoder.config)
        _forget_positions(live.model)
        with last_rows(live.anatomy, 1):
            logits = live.model(**inputs, **{CACHE: cache}, use_cache=True).logits
        masks = {name: inputs[name] for name in _MASKS if name in inputs}
        return cls(logits[:, -1].float().log_softmax(-1), masks, cache)

    def after(self, live: LiveModel, tokens: Tensor) -> Tensor:
        """Log-probabilities [batch, token, vocab] of what comes after each of these tokens [batch, token].

        Call it inside the same `skipping`. The prefix is as before afterwards.
        """
        masks = {name: _grown(mask, tokens.shape[1]) for name, mask in self.masks.items()}
        # A copy, because not every cache can be cut back: one with a sliding window has let go of its first keys.
        branch = {CACHE: copy.deepcopy(self.cache)}
        with _last_positions(live.anatomy.decoder, tokens.shape[1]):
            logits = _goes_on(live.model)(input_ids=tokens, **masks, **branch, use_cache=True).logits
        return logits.float().log_softmax(-1)  # type: ignore[no-any-return]


def _grown(mask: Tensor, tokens: int) -> Tensor:
    """A mask with rows for further tokens, which see what the prompt's last one sees."""
    return torch.cat([mask, mask[:, -1:].expand(-1, tokens, *mask.shape[2:])], dim=1)


def _goes_on(model: nn.Module) -> nn.Module:
    """What continues from a cache: the model, or its language model where the whole wants the image again."""
    pixels = inspect.signature(type(model).forward).parameters.get("pixel_values")
    wants_images = pixels is not None and pixels.default is pixels.empty
    return model.language_model if wants_images else model  # type: ignore[return-value]


def _forget_positions(model: nn.Module) -> None:
    """M-RoPE's models remember how far an image shifts what follows, and would shift a prompt without one too."""
    for module in model.modules():
        if getattr(module, "rope_deltas", None) is not None:
            module.rope_deltas = None  # type: ignore[assignment]


@contextlib.contextmanager
def _last_positions(decoder: nn.Module, tokens: int) -> Iterator[None]:
    """Let the decoder see the last positions: M-RoPE's models number all that a mask covers, and `generate` cuts."""

    def cut(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        positions = kwargs.get("position_ids")
        return args, kwargs if positions is None else {**kwargs, "position_ids": positions[..., -tokens:]}

    with decoder.register_forward_pre_hook(cut, with_kwargs=True):  # a handle removes its hook on leaving
        yield
