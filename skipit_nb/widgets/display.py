"""What a notebook gets when a tool is the last line of a cell: a live view, a picture, and facts about the kernel."""

from __future__ import annotations

import io
import sys
from typing import Any

from skipit_nb.errors import BrokenInstallError
from skipit_nb.widgets.saving import picture

WIDGET_MIME = "application/vnd.jupyter.widget-view+json"

MOST_THUMBNAIL_BYTES = 40_000
"""A saved notebook grows by no more than this for each tool it shows, and by a third for base64."""


def thumbnail(chart: Any) -> bytes:
    """An Altair chart as a PNG that is small enough for a notebook; nothing if it cannot be drawn."""
    try:
        for scale in (1.0, 0.7, 0.5):
            png = shrunk(picture(chart, "png", scale))
            if len(png) <= MOST_THUMBNAIL_BYTES:
                return png
    except (ImportError, ValueError, OSError):
        return b""  # the live view and the text still stand
    return b""


def shrunk(png: bytes) -> bytes:
    """The same picture on white with 64 colours: a third of the bytes."""
    from PIL import Image

    drawn = Image.open(io.BytesIO(png)).convert("RGBA")
    flat = Image.new("RGB", drawn.size, "white")
    flat.paste(drawn, mask=drawn.getchannel("A"))
    buffer = io.BytesIO()
    flat.quantize(64, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def check_kernel() -> None:
    """Refuse the kernels in which a widget cannot be updated from a worker thread.

    Raises:
        BrokenInstallError: In ipykernel 7.0.
    """
    kernel = sys.modules.get("ipykernel")
    version = str(getattr(kernel, "__version__", ""))
    if version.startswith("7.0."):
        raise BrokenInstallError(
            f"ipykernel {version} loses every update that a widget gets from a worker thread, "
            "so progress and results would never appear",
            "Install another one and restart the kernel: pip install 'ipykernel>=7.1'",
        )


def colab_metadata() -> dict[str, Any]:
    """What Colab needs beside the view to show widgets that are not ipywidgets' own; nothing elsewhere.

    Colab adds it to `display(...)` by itself, but may miss a cell's last expression (colabtools#498).
    """
    colab = sys.modules.get("google.colab.output")
    if colab is None:
        return {}
    colab.enable_custom_widget_manager()
    url = getattr(getattr(colab, "_widgets", None), "_installed_url", None)
    return {WIDGET_MIME: {"colab": {"custom_widget_manager": {"url": url}}}} if url else {}
