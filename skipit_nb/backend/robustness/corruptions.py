"""Images made worse without asking the model: Gaussian noise, Gaussian blur, a grey square.

The same seed and key give the same image on every machine. For one key, noise of twice the strength is the same noise
doubled, and a larger square holds the smaller one: severities differ by strength alone.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageFilter

GREY = (128, 128, 128)
"""The middle of the scale."""

Corruption = Callable[[Image.Image, float, np.random.Generator], Image.Image]
"""An RGB image, a severity and a source of chance become an image of the same size."""


def noise(image: Image.Image, sigma: float, draw: np.random.Generator) -> Image.Image:
    """Add Gaussian noise, independent for every pixel and colour, and cut off at black and white.

    Args:
        image: RGB.
        sigma: Standard deviation where values run from 0 to 1; 0 changes nothing.
        draw: Source of chance.
    """
    values = np.asarray(image, dtype=np.float64)
    added = values + 255 * sigma * draw.standard_normal(values.shape)
    return Image.fromarray(np.clip(np.rint(added), 0, 255).astype(np.uint8))


def blur(image: Image.Image, radius: float, _: np.random.Generator) -> Image.Image:
    """Blur by a Gaussian.

    Args:
        image: RGB.
        radius: Standard deviation in pixels of this image; 0 changes nothing.
    """
    return image.filter(ImageFilter.GaussianBlur(radius))


def occlusion(image: Image.Image, share: float, draw: np.random.Generator) -> Image.Image:
    """Cover a share of the area by a grey square at a random place, wholly inside the image.

    Where a square of that size does not fit, it is as square as fits.

    Args:
        image: RGB.
        share: Of the area, 0 to 1, up to whole pixels; 0 changes nothing.
        draw: Source of chance.
    """
    (width, height), across, down = image.size, draw.random(), draw.random()
    area = share * width * height
    wide, high = _sides(area, width, height)
    left, top = round(across * (width - wide)), round(down * (height - high))
    covered = image.copy()
    covered.paste(GREY, (left, top, left + wide, top + high))
    return covered


def _sides(area: float, width: int, height: int) -> tuple[int, int]:
    """The sides of the rectangle of that area that is as square as fits."""
    side = math.sqrt(area)
    wide = round(area / height if side > height else min(side, width))
    high = round(area / width if side > width else min(side, height))
    return wide, high


CORRUPTIONS: dict[str, Corruption] = {"noise": noise, "blur": blur, "occlusion": occlusion}


def corrupted(image: Image.Image, kind: str, severity: float, *, seed: int, key: str) -> Image.Image:
    """The image, made worse.

    Args:
        image: RGB.
        kind: One of `CORRUPTIONS`.
        severity: In the kind's own unit; 0 gives an equal image.
        seed: Of the measurement.
        key: Of the question.
    """
    draw = np.random.default_rng([seed, zlib.crc32(f"{kind}/{key}".encode())])
    return CORRUPTIONS[kind](image, severity, draw)
