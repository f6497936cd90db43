"""The gallery of flips: pages, question types, and the question that stays in view."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from skipit_nb.results import Comparison
from skipit_nb.widgets import ABEvaluator
from skipit_nb.widgets.evaluator.flips import PAGE
from tests.widgets.fake_session import FakeSession


@pytest.fixture
def port() -> Iterator[FakeSession]:
    fake = FakeSession()
    yield fake
    fake.worker.close()


@pytest.fixture
def many(port: FakeSession) -> Iterator[ABEvaluator]:
    """60 questions, of which 60 are flips: 20 worse of type "color", 40 in other words."""
    found = port.compare("shapes", None, "vision absent 0-3")
    answers = tuple(one if one.kind == "color" else replace(one, b=one.b + "!") for one in found.answers)
    with ABEvaluator.from_result(replace(found, answers=answers)) as made:
        yield made


@pytest.fixture
def evaluator(port: FakeSession) -> Iterator[ABEvaluator]:
    with ABEvaluator(port, b="vision absent 0-3", limit=45) as made:
        made.run()
        yield made


def ask(evaluator: ABEvaluator, **wish: Any) -> Any:
    """What the page sends; gives the gallery."""
    flips = evaluator.view.flips  # type: ignore[attr-defined]
    flips._handle_custom_msg(wish, [])
    return flips


def keys(flips: Any) -> list[str]:
    return [item["key"] for item in flips.items]


def test_every_flip_can_be_paged_to_and_none_comes_twice(many: ABEvaluator) -> None:
    flips = ask(many, flips="changed")
    assert (flips.counts["changed"], flips.pages, flips.page) == (60, 3, 0)
    seen = []
    for page in range(3):
        flips = ask(many, page=page)
        assert (flips.page, flips.first, len(flips.items)) == (page, PAGE * page, min(PAGE, 60 - PAGE * page))
        seen += keys(flips)
    assert seen == [answer.key for answer in many.result.answers]  # type: ignore[union-attr]


def test_another_filter_begins_at_its_first_page(many: ABEvaluator) -> None:
    ask(many, flips="changed")
    ask(many, page=2)
    flips = ask(many, flips="worse")
    assert (many.state.page, flips.page, flips.pages, len(flips.items)) == (0, 0, 1, 20)


def test_a_page_past_the_end_shows_the_last_one(many: ABEvaluator) -> None:
    flips = ask(many, flips="worse")
    ask(many, page=99)
    assert (flips.page, len(flips.items)) == (0, 20)
    ask(many, page=-1)
    assert many.view.message.text.startswith("SettingError: page is -1, but should be a page, from 0")
    assert many.state.page == 99


def test_the_gallery_can_be_narrowed_to_one_question_type(many: ABEvaluator) -> None:
    flips = ask(many, flips="changed")
    assert flips.kinds == ["color", "presence", "shape"]
    flips = ask(many, kind="shape")
    assert {item["kind"] for item in flips.items} == {"shape"}
    assert (flips.counts["worse"], flips.counts["changed"], flips.kind) == (0, 20, "shape")
    assert len(ask(many, kind="").items) == PAGE


def test_a_pinned_question_stays_whatever_is_filtered(evaluator: ABEvaluator) -> None:
    key = keys(ask(evaluator, flips="worse"))[3]
    flips = ask(evaluator, pinned=key)
    assert flips.pinned["key"] == key
    flips = ask(evaluator, flips="better")
    assert (flips.items, flips.pinned["key"], flips.pinned["change"]) == ([], key, "worse")
    assert ask(evaluator, pinned="").pinned == {}


def test_a_pinned_question_remembers_what_earlier_skip_sets_said(evaluator: ABEvaluator) -> None:
    flips = ask(evaluator, pinned=keys(ask(evaluator, flips="worse"))[0])
    assert (flips.pinned["b"], flips.pinned["earlier"]) == ("purple", [])
    evaluator.set(b="whole 9")
    evaluator.run()
    assert (flips.pinned["b"], flips.pinned["change"]) == ("red", "same")  # no flip any more, but in view
    assert flips.pinned["earlier"] == [["vision absent 0-3", "purple"]]
    evaluator.set(b="vision absent 0-3")
    evaluator.run()
    assert flips.pinned["earlier"] == [["whole 9", "red"]]  # what is shown now is not told twice


def test_a_pinned_question_of_another_sample_is_not_shown(evaluator: ABEvaluator) -> None:
    flips = ask(evaluator, pinned="counts/00/color")
    assert flips.pinned == {}


def test_of_several_images_the_first_is_shown(evaluator: ABEvaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    image_of = evaluator.image_of
    monkeypatch.setattr(evaluator, "image_of", lambda answer: [image_of(answer), image_of(answer)])
    assert ask(evaluator, flips="worse").items[0]["image"].startswith("data:image/png;base64,")


def test_the_gallery_of_a_stored_comparison_has_words_and_pages(many: ABEvaluator) -> None:
    stored = ABEvaluator.from_result(Comparison.from_json(many.result.to_json()))  # type: ignore[union-attr]
    assert ask(stored, flips="changed").pages == 3
    stored.close()
