"""Every family there is a replica of."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable

from tests.families.replica import Replica

MODULES = ("llava", "other_llama", "instructblip", "qwen", "gemma", "further", "molmo2")

BUILDERS: dict[str, Callable[[str], Replica]] = {}
"""For each family, how to build it with one of the attention implementations."""

MISSING: dict[str, str] = {}
"""Why the families of a module are left out: this transformers does not have them."""

for name in MODULES:
    try:
        BUILDERS |= importlib.import_module(f"tests.families.{name}_family").BUILDERS
    except ImportError as error:
        MISSING[name] = str(error)


@functools.lru_cache(maxsize=4)
def family(name: str, attention: str = "sdpa") -> Replica:
    """A replica; the same object when asked again soon, so that tests of one family build it once."""
    return BUILDERS[name](attention)
