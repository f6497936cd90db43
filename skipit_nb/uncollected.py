"""Python's garbage collection held off while much is made and little thrown away, as when torch is imported."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside the block; afterwards it is collected as before, or not, if the user had it off.

    Each collection walks through everything that was imported so far, and an import calls for many: a fifth of the
    seconds in which a session opens. Blocks may overlap in several threads: whoever found it on puts it back on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
