"""The strip as a small PNG, drawn by Pillow in milliseconds: Altair would take seconds before the builder shows."""

from __future__ import annotations

import io
from collections.abc import Mapping

from PIL import Image, ImageColor, ImageDraw, ImageFont

from skipit_nb.charts.action_looks import ACTION_LOOKS
from skipit_nb.errors import UnboundSkipSetError
from skipit_nb.skipset import MODALITIES, SkipSet
from skipit_nb.widgets.builder.layer_strip import Measure

HEAD, TOP, ROW = 56, 44, 28
MEASURED = 44
"""Height of a row with bars."""
MOST_WIDTH = 900
INK, QUIET = "#212121", "#5C5C5C"
BAR = 0.72
"""How dark a bar is: the share of its action's colour that is left."""


def strip_png(skipset: SkipSet, behind: Mapping[str, Measure] | None = None) -> bytes:
    """A bound skip set as a PNG: a cell for each layer and kind of token, its action in letters and colour.

    Args:
        skipset: What is skipped.
        behind: For each row that has one, the bars that stand behind its cells.

    Raises:
        UnboundSkipSetError: If the set does not know how many layers there are.
    """
    if skipset.num_layers is None:
        raise UnboundSkipSetError(skipset)
    behind = behind or {}
    cell = max(8, min(40, (MOST_WIDTH - HEAD) // skipset.num_layers))
    heights = [MEASURED if modality in behind else ROW for modality in MODALITIES]
    image = Image.new("RGB", (HEAD + cell * skipset.num_layers + 8, TOP + sum(heights) + 8), "white")
    draw = ImageDraw.Draw(image)
    draw.text((8, 6), str(skipset), INK, _font(13))
    for layer in range(0, skipset.num_layers, 1 if cell >= 20 else 5):  # noqa: PLR2004 - room for two digits
        _centred(draw, HEAD + cell * layer + cell / 2, TOP - 9, str(layer), QUIET)
    for modality, top, height in zip(MODALITIES, (TOP, TOP + heights[0]), heights, strict=True):
        _draw_row(draw, skipset, modality, behind.get(modality), (top, height, cell))
    buffer = io.BytesIO()
    image.quantize(32, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _draw_row(
    draw: ImageDraw.ImageDraw, skipset: SkipSet, modality: str, measure: Measure | None, place: tuple[int, int, int]
) -> None:
    """A row of cells, with its bars; `place` is its top, its height and the width of a cell."""
    top, height, cell = place
    bottom = top + height - 4
    draw.text((8, (top + bottom) / 2), modality, INK, _font(12), anchor="lm")
    for layer in range(len(skipset.head)):
        letters, color = ACTION_LOOKS[skipset.action(layer, modality)]
        left = HEAD + cell * layer
        right = left + cell - 3
        draw.rectangle((left, top, right, bottom), color)
        if measure is not None:
            draw.rectangle((left, bottom - measure["heights"][layer] * (bottom - top), right, bottom), _darker(color))
        if measure is not None and measure["line"] is not None:
            level = bottom - measure["line"] * (bottom - top)
            draw.line((left, level, right, level), QUIET)
        _centred(draw, left + cell / 2 - 1, (top + bottom) / 2, letters if cell >= 14 else "", INK)  # noqa: PLR2004


def _darker(color: str) -> tuple[int, ...]:
    return tuple(round(BAR * part) for part in ImageColor.getrgb(color))


def _centred(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, color: str) -> None:
    draw.text((x, y), text, color, _font(11), anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
