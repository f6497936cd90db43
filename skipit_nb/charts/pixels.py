"""An image as text that a chart or a page can show. No Altair."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from skipit_nb.errors import ImageError

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 256
"""Longest side of an embedded image: a saved notebook stays small."""


def image_url(image: Image, most_pixels: int = MOST_PIXELS) -> str:
    """The image as a PNG in a data URL, at most so many pixels a side.

    Raises:
        ImageError: If it is not a PIL image.
    """
    if not hasattr(image, "convert"):
        raise ImageError(type(image).__name__, "it has no pixels to draw")
    small = image.convert("RGB")
    small.thumbnail((most_pixels, most_pixels))
    stream = io.BytesIO()
    small.save(stream, format="PNG")
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
