"""Folders that are made once, kept for this user, and never half there."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from skipit_nb.errors import SettingError

CACHE_VARIABLE = "SKIPIT_CACHE"
"""Environment variable that names another folder to keep them in."""


def cache_folder() -> Path:
    """Give the folder in which they are kept."""
    if given := os.environ.get(CACHE_VARIABLE):
        return Path(given).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "skipit-nb"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "skipit-nb"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "skipit-nb"


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """Give a folder of the cache; make it if it is not there.

    It is made under another name and then renamed, so that two processes at once, or one that is killed, never leave
    half a folder.

    Args:
        name: Of the folder. It should name all that the folder is made of, so that nothing old is ever taken for new.
        make: Fills an empty folder.

    Raises:
        SettingError: If nothing can be written into the cache.
    """
    whole = cache_folder() / name
    if not whole.is_dir():
        with _unfinished(whole) as made:
            make(made)
            with contextlib.suppress(OSError):  # another process was quicker: its folder is as good
                made.rename(whole)
    return whole


@contextlib.contextmanager
def _unfinished(whole: Path) -> Iterator[Path]:
    """An empty folder beside another one, for a while."""
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        place = tempfile.TemporaryDirectory(dir=whole.parent, prefix=f"{whole.name}-unfinished-")
    except OSError as error:
        expected = f"a folder to write into ({error.strerror}); {CACHE_VARIABLE} in the environment names another"
        raise SettingError("the cache", str(whole.parent), expected) from error
    with place as unfinished:
        made = Path(unfinished) / whole.name
        made.mkdir()
        yield made
