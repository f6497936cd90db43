"""Images as data sets keep them, whole and broken."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from skipit_nb.backend.tasks.pictures import digest, opened
from skipit_nb.errors import ImageError


def encoded(image, kind="PNG"):
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


RED = Image.new("RGB", (6, 5), (250, 3, 4))


def test_every_way_of_keeping_an_image_gives_the_same_pixels(tmp_path):
    path = tmp_path / "red.png"
    RED.save(path)
    ways = [
        RED, encoded(RED), bytearray(encoded(RED)), path, str(path), np.asarray(RED), [RED],
        {"bytes": encoded(RED), "path": None}, {"bytes": None, "path": str(path)},
    ]  # fmt: skip
    for way in ways:
        assert opened(way).tobytes() == RED.tobytes()


def test_none_and_nothing_are_no_image_and_several_are_a_list():
    assert opened(None) is None
    assert opened([]) is None
    assert [image.size for image in opened([RED, encoded(RED)])] == [(6, 5), (6, 5)]


@pytest.mark.parametrize("size", [(1, 1), (20_000, 1), (1, 20_000), (20_000, 30)])
def test_small_and_very_long_images_are_opened_as_they_are(size):
    assert opened(encoded(Image.new("RGB", size))).size == size


def test_more_pixels_than_pil_decodes_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(ImageError, match=r"Image size .* exceeds limit"):
        opened(encoded(Image.new("1", (200, 200))))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_every_mode_becomes_rgb(mode):
    kind = "TIFF" if mode in ("CMYK", "I") else "PNG"
    image = opened(encoded(Image.new(mode, (3, 2)), kind))
    assert (image.mode, image.size) == ("RGB", (3, 2))


def test_sixteen_bits_of_grey_become_eight_and_not_white():
    grey = np.array([[0, 255, 256, 0x8000, 0xFFFF]], np.uint16)
    for image in (Image.fromarray(grey), Image.fromarray(grey.astype(np.int32))):
        assert np.asarray(opened(image))[0, :, 0].tolist() == [0, 0, 1, 0x80, 0xFF]


def test_eight_bit_values_in_32_bits_stay_what_they_are():
    assert np.asarray(opened(Image.fromarray(np.array([[0, 7, 255]], np.int32))))[0, :, 0].tolist() == [0, 7, 255]


def test_a_palette_with_transparency_is_opened_without_a_warning():
    image = Image.new("P", (4, 4))
    image.putpalette([10, 20, 30] * 256)
    image.info["transparency"] = bytes([0, 128])
    assert opened(image).getpixel((0, 0)) == (10, 20, 30)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"", "cannot identify image file"),
        (b"<html></html>", "cannot identify image file"),
        (encoded(Image.effect_noise((64, 64), 9), "PNG")[:200], "truncated|broken|cannot identify"),
        (encoded(Image.effect_noise((64, 64), 9), "JPEG")[:600], "truncated|broken|cannot identify"),
        ({"url": "x"}, "neither bytes nor path, but url"),
        ({}, "neither bytes nor path, but nothing"),
        ({"bytes": None, "path": "/no/such.png"}, "there is no such file"),
        (7, "an object of type int is not an image"),
        (np.zeros((2, 2)), "not uint8 RGB"),
        (Image.new("F", (2, 2)), "its pixels are fractions"),
    ],
)
def test_what_is_no_image_is_refused_and_named(value, why):
    with pytest.raises(ImageError, match=why) as caught:
        opened(value, "row 7")
    assert caught.value.__notes__ == ["while opening the image of row 7"]


def test_a_digest_tells_contents_apart_and_nothing_else(tmp_path):
    same = {digest(encoded(RED)), digest({"bytes": encoded(RED), "path": "a.png"}), digest([encoded(RED)])}
    assert len(same) == 1
    values = [
        RED,
        Image.new("RGB", (5, 6), (250, 3, 4)),
        RED.convert("L"),
        encoded(RED),
        "a.png",
        np.asarray(RED),
        np.asarray(RED)[:2],
    ]
    assert len({digest(value) for value in values}) == len(values)
