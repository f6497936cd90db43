import random
from collections import Counter

import pytest
import torch
from PIL import Image

from skipit_nb.backend.tasks import Example, load_task
from skipit_nb.errors import UnknownTaskError
from skipit_nb.zoo.architecture import make_dialect, make_processor
from skipit_nb.zoo.augment import movable
from skipit_nb.zoo.corpus import Item, make_corpus, pixel_values
from skipit_nb.zoo.lessons import draw_items, make_lesson

pytestmark = pytest.mark.model


def item(question: str, answer: str, weight: float = 1.0) -> Item:
    return Item((0,), (0,), weight, Example("k", question, answer, "kind", "c", lambda: Image.new("RGB", (1, 1))))


def test_a_moved_shape_is_whole_and_of_its_own_colour_on_its_own_ground() -> None:
    images = make_corpus(load_task("easy-vqa", "validation"), make_dialect(), max_images=40).images
    moved = movable(images).moved(torch.arange(40), torch.Generator().manual_seed(0))
    assert not torch.equal(moved, images)
    for before, after in zip(images.flatten(2), moved.flatten(2), strict=True):
        assert Counter(map(tuple, before.T.tolist())) == Counter(map(tuple, after.T.tolist()))


def test_the_mask_follows_the_moved_shape() -> None:
    images, chosen = (
        make_corpus(load_task("easy-vqa", "validation"), make_dialect(), max_images=9).images,
        torch.arange(9),
    )
    pool = movable(images)
    moved = pool.moved(chosen, torch.Generator().manual_seed(1))
    before, after = pool.mask(images, chosen), pool.mask(moved, chosen)
    assert torch.equal(before.sum(dim=(1, 2)), after.sum(dim=(1, 2)))
    assert not torch.equal(before, after)


def test_a_lesson_shows_pictures_beside_what_is_to_be_seen_in_them() -> None:
    for task, facets in (("easy-vqa", (0, 1)), ("digits-vqa", (2, 3, 4))):
        lesson = make_lesson(task, make_dialect(), max_images=12)
        pictures, scenes = lesson.look(lesson.told, torch.Generator().manual_seed(0))
        assert pictures.shape == (len(lesson.told), 3, 64, 64)
        seen = (scenes != 0).any(dim=1)
        assert seen[:, facets].all()
        assert int(seen.sum()) == len(lesson.told) * len(facets)


def test_pixels_are_those_of_the_processor() -> None:
    corpus = make_corpus(load_task("digits-vqa", "validation"), make_dialect(), max_images=2)
    images = [row[0].example.image for row in corpus.items]
    expected = make_processor().image_processor(images, return_tensors="pt")["pixel_values"]
    assert torch.allclose(pixel_values(corpus.images), expected, atol=1e-6)


def test_a_rare_answer_weighs_one_over_its_share_up_to_five() -> None:
    corpus = make_corpus(load_task("easy-vqa", "train"), make_dialect(), max_images=400)
    weights = {(i.example.question, i.example.answer): i.weight for row in corpus.items for i in row}
    examples = load_task("easy-vqa", "train").examples
    asked = [e.answer for e in examples if e.question == "is a circle present?"]
    assert weights["is a circle present?", "yes"] == pytest.approx(len(asked) / asked.count("yes"))
    assert weights["is a red shape present?", "yes"] == 5.0


def test_questions_are_drawn_without_repetition_and_by_weight() -> None:
    items = [item(f"q{number}", "no", weight) for number, weight in enumerate([1.0, 1.0, 5.0])]
    rng = random.Random(0)
    draws = [draw_items(items, 2, rng) for _ in range(400)]
    assert all(len({id(one) for one in draw}) == 2 for draw in draws)
    heavy = sum(items[2] in draw for draw in draws) / 400
    # 1 - P(both light ones first) = 1 - 2 * 1/7 * 1/6
    assert heavy == pytest.approx(1 - 2 / 42, abs=0.03)


def test_a_lesson_for_an_unknown_task_is_refused() -> None:
    with pytest.raises(UnknownTaskError, match=r"no task 'vqa'\. Known tasks: easy-vqa, digits-vqa"):
        make_lesson("vqa", make_dialect())
