"""A folder that is written completely or not at all."""

from __future__ import annotations

import contextlib
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from skipit_nb.errors import ExportError

CHECKPOINT_FILE = "config.json"
"""Only a folder that has it is ever replaced."""


@contextlib.contextmanager
def new_folder(target: Path, *, needed_bytes: int) -> Iterator[Path]:
    """Give a hidden folder beside `target` to write into; on success it becomes `target`, otherwise it goes away.

    Raises:
        ExportError: If the disk is too small, or writing failed. `target` is as before then.
    """
    partial = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.partial"
    try:
        partial.mkdir(parents=True)
        _refuse_small_disk(target, needed_bytes)
        yield partial
        _move(partial, target)
    except ExportError:
        raise
    except (OSError, SafetensorError, ValueError) as error:
        raise ExportError(str(target), _first_line(error), "Mend that, or choose another folder.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def refuse_taken(target: Path, *, overwrite: bool) -> None:
    """Refuse a place that holds something: anything without `overwrite`, with it all but a checkpoint.

    Raises:
        ExportError: With what is there.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not target.is_dir():
        raise ExportError(str(target), "it is a file", "Choose a new folder.")
    if not overwrite:
        raise ExportError(str(target), "the folder is not empty", "Choose a new folder, or pass overwrite=True.")
    if not (target / CHECKPOINT_FILE).is_file():
        raise ExportError(
            str(target), f"it has no {CHECKPOINT_FILE}, so it holds something else", "Choose a new folder."
        )


def _refuse_small_disk(target: Path, needed_bytes: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if free < needed_bytes:
        raise ExportError(
            str(target),
            f"it needs {needed_bytes / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free",
            "Free some space, or choose another disk.",
        )


def _move(partial: Path, target: Path) -> None:
    """Put the finished folder in its place; an older one leaves only after the new one is there."""
    if not target.exists():
        partial.rename(target)
        return
    old = partial.with_suffix(".old")
    target.rename(old)
    try:
        partial.rename(target)
    except BaseException:
        old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
