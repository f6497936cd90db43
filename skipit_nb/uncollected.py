"""Python's garbage collection held off while much is made and little thrown away, as when torch is imported."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside the block; afterwards it is collected as before, or not, if the user had it off.

    Each collection walks through what was made since the last ones, and an import calls for many. Nor are the next
    ones to walk through all of it: what there is counts as old, which a collection of everything still reaches.
    Blocks may overlap in several threads: whoever found the collection on puts it back on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if not gc.get_freeze_count():  # else somebody's frozen objects would thaw
                gc.freeze()
                gc.unfreeze()
            gc.enable()
