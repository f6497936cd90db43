"""The cache among the arguments of a layer: transformers calls it `cache` from 5.24 on, `past_key_values` before."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from transformers import Cache
from transformers.models.llama.modeling_llama import LlamaDecoderLayer

NAMES = ("cache", "past_key_values")

NAME = next(name for name in NAMES if name in inspect.signature(LlamaDecoderLayer.forward).parameters)
"""What the installed transformers calls it."""


def cache_in(kwargs: Mapping[str, Any]) -> Cache | None:
    """The cache of a call, whatever its name; None without one."""
    return next((kwargs[name] for name in NAMES if kwargs.get(name) is not None), None)


def with_cache(kwargs: Mapping[str, Any], cache: object) -> dict[str, Any]:
    """The arguments of a call with another cache, under the name that this caller uses: code of a model may be older
    than the installed transformers.
    """
    name = next((name for name in NAMES if name in kwargs), NAME)
    return {**kwargs, name: cache}
