import hashlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from skipit_nb.backend.tasks import load_task
from skipit_nb.backend.tasks.digits_vqa import Box, Canvas, canvases, source_digits

SPLITS = ("train", "validation", "test")


def test_no_digit_image_is_in_two_splits_and_none_is_left_out() -> None:
    sources = [source for split in SPLITS for source in source_digits(split)]
    assert sorted(sources) == list(range(1797))


@pytest.mark.parametrize("split", SPLITS)
def test_canvases_draw_from_their_own_split(split: str) -> None:
    used = {source for canvas in canvases(split) for source in canvas.sources}
    assert used <= set(source_digits(split))


def test_the_test_split_has_a_thousand_images_and_nearly_five_thousand_questions() -> None:
    assert (len(canvases("test")), len(load_task("digits-vqa"))) == (1000, 4735)


def test_the_digits_read_are_those_that_the_data_set_labels() -> None:
    target = load_digits().target
    for canvas in canvases("test")[:50]:
        assert canvas.digits == tuple(target[list(canvas.sources)])


def test_digits_stand_inside_the_canvas_apart_and_in_order_from_left_to_right() -> None:
    for canvas in canvases("test"):
        centers = [box.center for box in canvas.boxes]
        assert centers == sorted(centers)
        for i, box in enumerate(canvas.boxes):
            assert min(box.left, box.top) >= 0
            assert max(box.left, box.top) + box.size <= 64
            assert not any(box.overlaps(other) for other in canvas.boxes[:i])


def test_leftmost_and_rightmost_digit_lead_by_a_patch() -> None:
    for canvas in canvases("test"):
        centers = [box.center for box in canvas.boxes]
        if len(centers) > 1:
            assert min(centers[1] - centers[0], centers[-1] - centers[-2]) >= 8


def test_boxes_that_share_a_pixel_overlap_and_neighbours_do_not() -> None:
    assert Box(0, 0, 16).overlaps(Box(15, 15, 16))
    assert not Box(0, 0, 16).overlaps(Box(16, 0, 16))
    assert not Box(0, 0, 16).overlaps(Box(0, 16, 16))


def test_every_answer_agrees_with_the_digits_on_its_canvas() -> None:
    drawn = {f"digits-vqa/test/image-{number:04d}": canvas for number, canvas in enumerate(canvases("test"))}
    for example in load_task("digits-vqa").examples:
        digits = drawn[example.cluster].digits
        expected = {
            "single digit": str(digits[0]),
            "left digit": str(digits[0]),
            "right digit": str(digits[-1]),
            "count": str(len(digits)),
            "comparison": "yes" if digits[0] > digits[-1] else "no",
        }
        if example.kind == "presence":
            asked = int(example.question.removeprefix("is there a ").removesuffix("?"))
            expected["presence"] = "yes" if asked in digits else "no"
        assert example.answer == expected[example.kind]


def test_presence_questions_are_balanced() -> None:
    answers = [example.answer for example in load_task("digits-vqa").examples if example.kind == "presence"]
    assert answers.count("yes") / len(answers) == pytest.approx(0.5, abs=0.03)


def test_a_canvas_shows_its_ground_and_its_ink() -> None:
    ink = int(np.argmax(load_digits().images.sum(axis=(1, 2))))
    image = np.asarray(Canvas((ink,), (Box(40, 8, 16),), (10, 20, 30), (240, 250, 230)).draw())
    assert image[0, 0].tolist() == [240, 250, 230]
    assert (image[:, :40] == [240, 250, 230]).all()
    assert image[8:24, 40:56].min(axis=(0, 1)).tolist() == pytest.approx([10, 20, 30], abs=12)


def test_the_same_image_is_drawn_every_time() -> None:
    first = load_task("digits-vqa").examples[0]
    assert first.image is not first.image
    assert first.image.tobytes() == first.image.tobytes()


def test_the_questions_are_the_same_on_every_machine() -> None:
    lines = "\n".join(f"{e.key} {e.question} {e.answer}" for e in load_task("digits-vqa").examples)
    boxes = "\n".join(f"{c.sources} {c.boxes} {c.ink} {c.ground}" for c in canvases("test"))
    assert hashlib.sha256(f"{lines}\n{boxes}".encode()).hexdigest()[:16] == "df89bf1ea2fd035f"
