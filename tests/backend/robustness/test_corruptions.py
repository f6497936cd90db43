"""Noise, blur and occlusion: known answers, the same image for the same key, and nothing at severity 0."""

import numpy as np
import pytest
from PIL import Image

from skipit_nb.backend.robustness.corruptions import CORRUPTIONS, GREY, corrupted
from skipit_nb.results import SEVERITY_UNITS

SEED, KEY = 3, "digits-vqa/test/00042"


def even(color, size=(64, 64)):
    return Image.new("RGB", size, color)


def picture(size=(40, 30)):
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(values)


def values(image):
    return np.asarray(image).astype(float)


def changed(image, kind, severity, key=KEY, seed=SEED):
    return values(corrupted(image, kind, severity, seed=seed, key=key))


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_severity_zero_changes_no_pixel(kind):
    assert np.array_equal(changed(picture(), kind, 0.0), values(picture()))


@pytest.mark.parametrize(("kind", "severity"), [("noise", 0.1), ("blur", 1.5), ("occlusion", 0.3)])
def test_the_same_key_and_seed_give_the_same_image_and_the_given_one_stays(kind, severity):
    image = picture()
    first = changed(image, kind, severity)
    assert np.array_equal(first, changed(picture(), kind, severity))
    assert not np.array_equal(first, values(image))
    assert np.array_equal(values(image), values(picture()))
    assert corrupted(image, kind, severity, seed=SEED, key=KEY).size == image.size


@pytest.mark.parametrize(("kind", "severity"), [("noise", 0.1), ("occlusion", 0.05)])
def test_another_key_or_seed_gives_another_image(kind, severity):
    first = changed(picture(), kind, severity)
    assert not np.array_equal(first, changed(picture(), kind, severity, key="other"))
    assert not np.array_equal(first, changed(picture(), kind, severity, seed=SEED + 1))


def test_noise_has_the_standard_deviation_asked_for_and_no_bias():
    difference = changed(even(GREY, (128, 128)), "noise", 0.05) - 128
    assert difference.std() == pytest.approx(0.05 * 255, rel=0.01)
    assert difference.mean() == pytest.approx(0, abs=0.2)
    assert abs(np.corrcoef(difference[..., 0].ravel(), difference[..., 1].ravel())[0, 1]) < 0.03


def test_noise_twice_as_strong_is_the_same_noise_doubled():
    one, two = (changed(even(GREY), "noise", sigma) - 128 for sigma in (0.04, 0.08))
    assert np.abs(two - 2 * one).max() <= 1.5  # each rounded to whole values


def test_noise_is_cut_off_at_white_and_does_not_come_round_to_black():
    noisy = changed(even((255, 255, 255)), "noise", 0.05)
    assert noisy.max() == 255
    assert noisy.min() > 255 - 6 * 0.05 * 255
    assert (noisy == 255).mean() == pytest.approx(0.5, abs=0.03)


def test_blur_spreads_a_point_by_its_standard_deviation_and_keeps_its_light():
    dot = np.zeros((61, 61, 3), dtype=np.uint8)
    dot[29:32, 29:32] = 255
    blurred = changed(Image.fromarray(dot), "blur", 4.0)[..., 0]
    at = np.arange(61) - 30
    share = blurred.sum(0) / blurred.sum()
    was = 2 / 3  # of the three pixels that were white
    assert (share * at).sum() == pytest.approx(0, abs=0.05)
    assert (share * at**2).sum() - was == pytest.approx(4.0**2, rel=0.15)
    assert blurred.sum() == pytest.approx(9 * 255, rel=0.15)


def test_blur_leaves_an_even_image_alone():
    assert np.array_equal(changed(even((10, 200, 90)), "blur", 3.0), values(even((10, 200, 90))))


@pytest.mark.parametrize("size", [(64, 64), (20, 80), (90, 30)])
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 1.0])
def test_a_grey_rectangle_covers_the_share_asked_for(size, share):
    covered = (changed(even((255, 0, 0), size), "occlusion", share) == GREY).all(2)
    rows, columns = covered.any(1), covered.any(0)
    assert covered.mean() == pytest.approx(share, abs=0.03)
    assert covered.sum() == rows.sum() * columns.sum(), "one rectangle"
    if share * max(size) / min(size) <= 1:
        assert abs(rows.sum() - columns.sum()) <= 1, "square where it fits"


def test_a_larger_square_holds_the_smaller_one_and_the_place_is_anywhere():
    places = []
    for number in range(40):
        small, large = (
            (changed(even((255, 0, 0)), "occlusion", share, key=str(number)) == GREY).all(2) for share in (0.1, 0.4)
        )
        assert (small & ~large).sum() <= 2 * small.any(0).sum(), "up to one pixel of rounding"
        places.append([axis.nonzero()[0][0] for axis in (small.any(1), small.any(0))])
    assert np.ptp(places, axis=0).min() > 30


def test_every_kind_has_a_unit():
    assert list(SEVERITY_UNITS)[:3] == list(CORRUPTIONS)
