"""What a batch's images look like to the model: found once for all arms, as skipping begins only behind it."""

from __future__ import annotations

import contextlib
import copy
import functools
from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor, nn

ENCODER = "get_image_features"
"""What transformers' models call to turn pixels into vision tokens."""


class SeenOnce:
    """Image features of one batch, kept until it is forgotten.

    A model that is given the very same tensors again gets what its vision tower and projector gave before; a family
    that finds its vision tokens in another way looks again.
    """

    def __init__(self) -> None:
        self._found: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []

    @contextlib.contextmanager
    def by(self, model: nn.Module) -> Iterator[None]:
        """Let `model` remember inside the block. Call it with the model's lock held, as inside `skipping`."""
        inner = getattr(model, "base_model", model)  # whose encoder forward passes call, and generation too
        if not hasattr(inner, ENCODER) or ENCODER in vars(inner):  # none, or one of the user's own
            yield
            return
        setattr(inner, ENCODER, self._remembering(getattr(inner, ENCODER)))
        try:
            yield
        finally:
            delattr(inner, ENCODER)

    def _remembering(self, encode: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(encode)
        def remembering(*args: Any, **kwargs: Any) -> Any:
            for which, earlier_args, earlier_kwargs, features in self._found:
                if which == encode and _is_same(earlier_args, args) and _is_same(earlier_kwargs, kwargs):
                    return copy.deepcopy(features)  # a model may work on in place what it is given
            features = encode(*args, **kwargs)
            self._found.append((encode, args, kwargs, copy.deepcopy(features)))
            return features

        return remembering


def _is_same(one: Any, other: Any) -> bool:
    """Whether two arguments are the same tensors, or equal values."""
    if isinstance(one, Tensor) or isinstance(other, Tensor):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, tuple | list) and type(one) is type(other):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)
