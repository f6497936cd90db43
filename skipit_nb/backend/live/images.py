"""Images as users hand them over, made into what a processor takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from skipit_nb.errors import ImageError

RGB_AXES = 3


def as_images(value: Any) -> list[Image.Image]:
    """Make the RGB images of one question: of one image, of a list of them, of None none.

    Raises:
        ImageError: If something is not an image.
    """
    if value is None:
        return []
    return [as_image(one) for one in value] if isinstance(value, list | tuple) else [as_image(value)]


def as_image(value: Any) -> Image.Image:
    """Make an RGB image of a PIL image, an array [height, width, 3] of 0..255, or the path of a file.

    Raises:
        ImageError: If it is none of these, cannot be read, or has no pixels.
    """
    if isinstance(value, Image.Image):
        return _loaded(value, "this PIL image")
    if isinstance(value, str | Path):
        return _read(Path(value))
    if isinstance(value, np.ndarray):
        return _from_array(value)
    raise ImageError(f"an object of type {type(value).__name__}", "it holds no pixels")


def _read(path: Path) -> Image.Image:
    if not path.is_file():
        raise ImageError(f"'{path}'", "there is no such file")
    try:
        with Image.open(path) as image:
            return _loaded(image, f"'{path}'")
    except ImageError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"'{path}'", str(error)) from error


def _from_array(array: np.ndarray) -> Image.Image:
    if array.ndim != RGB_AXES or array.shape[2] != RGB_AXES or array.dtype != np.uint8:
        raise ImageError(f"an array of shape {array.shape} and type {array.dtype}", "it is not uint8 RGB")
    return _loaded(Image.fromarray(array), "this array")


def _loaded(image: Image.Image, what: str) -> Image.Image:
    if 0 in image.size:
        raise ImageError(what, f"its size is {image.size[0]} x {image.size[1]}")
    try:
        # Upright, as transformers and datasets load it: a camera's file says by a tag how it was held.
        return _eight_bits(ImageOps.exif_transpose(image), what).convert("RGB")
    except ImageError:
        raise
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError(what, str(error)) from error


def _eight_bits(image: Image.Image, what: str) -> Image.Image:
    """Bring deeper pixels to 8 bits: PIL's own conversion makes white of all above 255."""
    if image.mode == "F":
        raise ImageError(what, "its pixels are fractions, and nothing says what is white")
    if image.mode == "P" and isinstance(image.info.get("transparency"), bytes):
        return image.convert("RGBA")  # PIL warns of the direct way
    if not image.mode.startswith("I"):
        return image
    grey = np.asarray(image)
    is_deep = image.mode != "I" or grey.max(initial=0) > 255  # noqa: PLR2004  32-bit pixels may hold 8-bit values
    return Image.fromarray((grey >> 8 if is_deep else grey).clip(0, 255).astype(np.uint8))
