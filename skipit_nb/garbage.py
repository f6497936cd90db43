"""Python's garbage collection held off while much is made and little thrown away, as when torch is imported."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

MANY = 50_000
"""Objects among which a collection takes more than a few milliseconds; fewer may stay young."""


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage inside the block; afterwards it is collected as before, or not, if the user had it off.

    Each collection walks through what was made since the last ones, and an import calls for many. Nor are the next
    ones to walk through much: what there is counts as old, which a collection of everything still reaches.
    Blocks may overlap in several threads: whoever found the collection on puts it back on.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if len(gc.get_objects(0)) > MANY and not gc.get_freeze_count():  # what somebody froze would thaw
                gc.freeze()
                gc.unfreeze()
            gc.enable()
