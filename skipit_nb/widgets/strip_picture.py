"""The strip as a small PNG, drawn by Pillow in milliseconds: Altair would take seconds before the builder shows."""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFont

from skipit_nb.charts.action_looks import ACTION_LOOKS
from skipit_nb.errors import UnboundSkipSetError
from skipit_nb.skipset import MODALITIES, SkipSet

HEAD, TOP, ROW = 56, 44, 28
MOST_WIDTH = 900
INK, QUIET = "#212121", "#5C5C5C"


def strip_png(skipset: SkipSet) -> bytes:
    """A bound skip set as a PNG: a cell for each layer and kind of token, its action in letters and colour.

    Raises:
        UnboundSkipSetError: If the set does not know how many layers there are.
    """
    if skipset.num_layers is None:
        raise UnboundSkipSetError(skipset)
    cell = max(8, min(40, (MOST_WIDTH - HEAD) // skipset.num_layers))
    image = Image.new("RGB", (HEAD + cell * skipset.num_layers + 8, TOP + ROW * len(MODALITIES) + 8), "white")
    draw = ImageDraw.Draw(image)
    draw.text((8, 6), str(skipset), INK, _font(13))
    for layer in range(0, skipset.num_layers, 1 if cell >= 20 else 5):  # noqa: PLR2004 - room for two digits
        _centred(draw, HEAD + cell * layer + cell / 2, TOP - 9, str(layer), QUIET)
    for row, modality in enumerate(MODALITIES):
        top = TOP + ROW * row
        draw.text((8, top + 6), modality, INK, _font(12))
        for layer in range(skipset.num_layers):
            letters, color = ACTION_LOOKS[skipset.action(layer, modality)]
            left = HEAD + cell * layer
            draw.rectangle((left, top, left + cell - 3, top + ROW - 4), color)
            _centred(draw, left + cell / 2 - 1, top + ROW / 2 - 2, letters if cell >= 14 else "", INK)  # noqa: PLR2004
    buffer = io.BytesIO()
    image.quantize(32, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _centred(draw: ImageDraw.ImageDraw, x: float, y: float, text: str, color: str) -> None:
    draw.text((x, y), text, color, _font(11), anchor="mm")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
