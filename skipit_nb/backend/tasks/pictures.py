"""Images as data sets keep them: encoded bytes, a file, a PIL image, an array, several of these, or none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from skipit_nb.backend.live.images import as_image
from skipit_nb.errors import ImageError

_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What PIL raises for a file that is cut short, of another kind, or of more pixels than it will decode."""


def opened(value: Any, what: str = "this value") -> Any:
    """Open an image as a data set keeps it, in RGB.

    Args:
        value: Encoded bytes; a dict with `bytes` or `path`, as parquet files have; a path; a PIL image; an array; a
            list of these; or None.
        what: Whose image it is, for the message.

    Returns:
        One image; a list for a list of several; None for None and for an empty list.

    Raises:
        ImageError: If it cannot be opened: cut short, no image, too many pixels, or not there.
    """
    if value is None:
        return None
    if isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
        images = [opened(one, what) for one in value]
        return images if len(images) > 1 else (images or [None])[0]
    try:
        return _one(value)
    except ImageError as error:
        error.add_note(f"while opening the image of {what}")
        raise


def digest(value: Any) -> str:
    """A name for the image's content: the same for the same bytes, pixels or path."""
    found = hashlib.blake2b(digest_size=8)
    _feed(found, value)
    return found.hexdigest()


def _one(value: Any) -> Image.Image:
    if isinstance(value, Mapping):
        if not value.keys() & {"bytes", "path"}:
            raise ImageError("a dict", f"it has neither bytes nor path, but {', '.join(map(str, value)) or 'nothing'}")
        value = value.get("bytes") or value.get("path") or b""
    if isinstance(value, bytes | bytearray | memoryview):
        return _decoded(bytes(value))
    return as_image(value)


def _decoded(encoded: bytes) -> Image.Image:
    what = f"an encoded image of {len(encoded):,} bytes"
    try:
        with Image.open(BytesIO(encoded)) as image:
            image.load()
            return as_image(image)
    except ImageError:
        raise
    except _UNREADABLE as error:
        raise ImageError(what, str(error).split(" <_io")[0]) from error  # the buffer's address helps nobody


def _feed(found: Any, value: Any) -> None:
    if isinstance(value, Mapping):
        value = value.get("bytes") or str(value.get("path"))
    if isinstance(value, list | tuple):
        for one in value:
            _feed(found, one)
    elif isinstance(value, bytes | bytearray | memoryview):
        found.update(value)
    elif isinstance(value, Image.Image):
        found.update(f"{value.mode} {value.size}".encode())
        found.update(value.tobytes())
    elif isinstance(value, np.ndarray):
        found.update(f"{value.dtype} {value.shape}".encode())
        found.update(np.ascontiguousarray(value).tobytes() if value.dtype != object else repr(value).encode())
    else:
        found.update(str(Path(value) if isinstance(value, str | Path) else value).encode())
