"""A job that was cancelled stops within a layer, not at the end of its batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.jobs import stop_if_cancelled


@contextmanager
def stoppable(anatomy: Anatomy) -> Iterator[None]:
    """While this is open, a decoder layer that a cancelled job calls raises `CancelledError`.

    Only the job of the calling thread counts: nobody else's calls of the model are stopped.
    """
    handles = [layer.register_forward_pre_hook(stop) for layer in anatomy.layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def stop(_layer: nn.Module, _arguments: object) -> None:
    """The hook."""
    stop_if_cancelled()
