"""One question for the whole studio: what the explorer shows is what the builder asks."""

from collections.abc import Iterator

import pytest

from skipit_nb.studio import Studio
from tests.widgets.asked_session import AskedSession


@pytest.fixture
def studio() -> Iterator[Studio]:
    port = AskedSession()
    with Studio(port, limit=12) as made:  # type: ignore[arg-type]
        yield made
    port.close()


def test_the_builder_asks_the_question_that_the_explorer_shows(studio: Studio) -> None:
    shown = studio.explorer.sample[5]
    studio.explorer.set(question=5)
    assert studio.builder.state.question == shown.key
    assert studio.builder.what_if().question == shown.question


def test_the_explorer_shows_the_question_that_the_builder_asks(studio: Studio) -> None:
    studio.builder.set(question=studio.explorer.sample[7].key)
    assert studio.explorer.state.question == 7


def test_a_question_that_the_explorer_s_sample_lacks_leaves_it_as_it_was(studio: Studio) -> None:
    studio.explorer.set(limit=2, question=1)
    others = [one for one in studio.session.examples("shapes") if one not in studio.explorer.sample]
    studio.builder.set(question=others[-1].key)
    assert studio.explorer.state.question == 1
    assert studio.builder.state.question == others[-1].key


def test_another_task_has_another_question_in_both(studio: Studio) -> None:
    studio.explorer.set(question=3)
    studio.explorer.set(task="counts")
    assert (studio.builder.state.task, studio.explorer.state.question) == ("counts", 3)
    assert studio.builder.state.question == studio.explorer.sample[3].key


def test_before_anybody_chose_the_builder_names_no_question(studio: Studio) -> None:
    studio.explorer.look()
    assert studio.builder.state.question == ""
    assert "what_if" not in studio.builder.code()


def test_a_place_beyond_the_sample_is_no_question_for_the_builder(studio: Studio) -> None:
    studio.explorer.set(question=2)
    before = studio.builder.state
    studio.explorer.set(question=10_000)  # refused once it is looked at: only then is the sample's length known
    assert studio.builder.state == before
