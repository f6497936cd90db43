"""Small pictures of a task's images, for a page."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 96
"""Longest side."""


def data_url(image: Image) -> str:
    """The image as a PNG of at most 96 pixels, written out as an address that needs no network."""
    small = image.convert("RGB")
    small.thumbnail((MOST_PIXELS, MOST_PIXELS))
    buffer = io.BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
