"""Tasks of a few questions of which some cannot be asked, and images that are odd but whole."""

from dataclasses import replace
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image

from skipit_nb.backend.tasks.pictures import opened
from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.task import Task


def encoded(image, kind="PNG", **more):
    """An image as the bytes of a file."""
    out = BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


NOISE = Image.effect_noise((64, 48), 90).convert("RGB")
SIDEWAYS = Image.Exif()
SIDEWAYS[0x0112] = 6

BROKEN = {
    "truncated": (encoded(NOISE)[:300], "truncated|broken|cannot identify"),
    "truncated JPEG": (encoded(NOISE, "JPEG")[:700], "truncated|broken|cannot identify"),
    "no image": (b"<html>404</html>", "cannot identify image file"),
    "0 bytes": (b"", "cannot identify image file"),
    "missing file": ("/no/such/file.png", "'/no/such/file.png' is not an image: there is no such file"),
}
"""By name: the image of a row, and what the error says."""
ODD = {
    "1 x 1": encoded(Image.new("RGB", (1, 1), "red")),
    "20,000 px wide": encoded(Image.new("RGB", (20_000, 3), "red")),
    "palette": encoded(NOISE.convert("P")),
    "CMYK": encoded(NOISE.convert("CMYK"), "JPEG"),
    "RGBA": encoded(NOISE.convert("RGBA")),
    "16 bits": encoded(Image.fromarray(np.arange(4096, dtype=np.uint16).reshape(64, 64) * 16)),
    "sideways": encoded(NOISE, "JPEG", exif=SIDEWAYS),
}
"""By name: images that are no mistake."""


def digits(count):
    """The first questions of a task in the box, as if they were one's own."""
    asked = load_task("digits-vqa").examples[:count]
    return [replace(example, key=f"own/test/{place:05d}") for place, example in enumerate(asked)]


def task_with(images, count=12, **more):
    """A task whose questions at some places have the images given for them."""
    asked = digits(count)
    for place, image in images.items():
        asked[place] = replace(asked[place], loader=partial(opened, image, asked[place].key))
    return Task("own", "test", "", tuple(asked), **more)


def without(task, places):
    """The task without the questions at some places."""
    return replace(task, examples=tuple(one for place, one in enumerate(task.examples) if place not in places))
