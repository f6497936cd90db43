"""A progress bar where a person watches a terminal, and silence elsewhere."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from skipit_nb.jobs import Tick, no_tick


@contextlib.contextmanager
def shown(progress: Tick | bool | None, what: str) -> Iterator[Tick]:
    """The `Tick` for a long call.

    Args:
        progress: A tick of the caller's own; True for a bar on stderr; False for none; None for a bar if stderr is a
            terminal. Notebooks have the widgets' own bars: a bar on stderr would stay in the saved notebook.
        what: The bar's label.
    """
    if callable(progress):
        yield progress
    elif progress or (progress is None and sys.stderr.isatty()):
        from tqdm import tqdm

        with tqdm(desc=what, leave=False, unit="q") as bar:

            def tick(done: int, total: int, /) -> None:
                bar.total = total
                bar.update(done - bar.n)

            yield tick
    else:
        yield no_tick
