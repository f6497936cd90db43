"""Compiled models run as they are written while a skip set is on them: compiled code would not see it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import torch

_lock = threading.Lock()
_inside = 0
_earlier: contextlib.ExitStack | None = None


@contextlib.contextmanager
def uncompiled() -> Iterator[None]:
    """Let `torch.compile`d functions run uncompiled inside the block, in every thread.

    The setting is the process's own, so blocks of several threads share it: the first one in sets it, the last one
    out puts the earlier one back. What was compiled stays compiled for afterwards.
    """
    global _inside, _earlier  # noqa: PLW0603 - what it guards is global too
    with _lock:
        _inside += 1
        if _inside == 1:
            _earlier = contextlib.ExitStack()
            _earlier.enter_context(torch.compiler.set_stance("force_eager"))
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _earlier is not None:
                _earlier.close()
