"""What a person who watches gets: a profile that grows, and one question token by token."""

import pytest

from skipit_nb import Session
from skipit_nb.results import PatchPlace, RedundancyProfile

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.open(device="cpu")


def test_the_profile_so_far_is_that_of_the_first_questions_and_changes_nothing(session: Session) -> None:
    heard: list[RedundancyProfile] = []
    whole = session.profile("easy-vqa", limit=40, batch_size=16, progress=False, so_far=heard.append)
    assert whole == session.profile("easy-vqa", limit=40, batch_size=16, progress=False)
    assert [one.num_samples for one in heard] == [16, 32]
    first = session.profile(session.examples("easy-vqa", limit=40)[:16], batch_size=16, progress=False)
    assert heard[0].layers == first.layers
    assert heard[0].flow == first.flow
    assert heard[0].provenance.samples == first.provenance.samples
    assert heard[0].images == first.images < whole.images


def test_a_look_says_where_each_vision_token_lies_and_how_long_each_state_is(session: Session) -> None:
    example = session.examples("easy-vqa", limit=1)[0]
    seen = session.look(example.image, example.question)
    assert len(seen.places) == sum(seen.is_vision) == 64
    assert seen.places[9] == PatchPlace(0, 0, 0.125, 0.125, 0.25, 0.25)
    assert len(seen.norm) == len(seen.distance) == 12
    alone = session.profile([example], progress=False)
    mean = sum(n for n, is_vision in zip(seen.norm[5], seen.is_vision, strict=True) if is_vision) / 64
    assert mean == pytest.approx(alone.of("vision")[5].norm, rel=1e-5)


def test_two_images_have_a_grid_each(session: Session) -> None:
    image = session.examples("easy-vqa", limit=1)[0].image
    seen = session.look([image, image], "what shape is it?")
    assert [place.image for place in seen.places if place] == [0] * 64 + [1] * 64
