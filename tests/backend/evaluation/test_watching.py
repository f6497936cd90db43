"""A comparison that somebody watches: the same answers, and looks at whole images that one may trust."""

from itertools import pairwise

import pytest

from skipit_nb.backend.evaluation import watching
from skipit_nb.backend.evaluation.statistics import anytime_interval

TASK, B = "digits-vqa", "vision absent 3-"
ASKED = {"b": B, "limit": 40, "batch_size": 7, "measure": ("accuracy",)}


@pytest.fixture(scope="module")
def watched(session):
    """The comparison, and every look at it."""
    looks = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(watching, "SECONDS_BETWEEN_LOOKS", 0.0)
        found = session.compare(TASK, so_far=looks.append, **ASKED)
    return found, looks


def test_watching_changes_no_answer_and_no_number(session, watched):
    plain = session.compare(TASK, **ASKED)
    found, _ = watched
    assert found.answers == plain.answers
    assert (found.metrics, found.verdict, found.tests) == (plain.metrics, plain.verdict, plain.tests)


def test_every_look_is_at_whole_images(session, watched):
    _, looks = watched
    clusters = [example.cluster for example in session.examples(TASK, limit=40)]
    whole = {n for n in range(1, len(clusters) + 1) if n == len(clusters) or clusters[n] != clusters[n - 1]}
    counts = [look.num_questions for look in looks]
    assert len(counts) >= 4
    assert set(counts) <= whole
    assert not {7, 14, 21, 28, 35} <= set(counts), "a batch of 7 ends within an image"
    assert counts == sorted(counts)


def test_a_look_is_the_anytime_valid_interval_of_what_was_answered(watched):
    found, looks = watched
    for look in looks:
        first = found.answers[: look.num_questions]
        a, b = [one.score_a for one in first], [one.score_b for one in first]
        interval = anytime_interval(a, b, [one.cluster for one in first])
        assert (look.delta, look.low, look.high, look.method) == (
            interval.value,
            interval.low,
            interval.high,
            interval.method,
        )
        assert look.delta == pytest.approx(look.accuracy_b - look.accuracy_a)
        assert look.worse == sum(one.score_b < one.score_a for one in first)
    assert looks[-1].num_questions == look.planned == found.num_questions
    assert "anytime" in look.method


def test_looks_are_a_quarter_of_a_second_apart(session):
    looks = []
    session.compare(TASK, so_far=lambda look: looks.append(watching.time.monotonic()), **ASKED)
    gaps = [late - early for early, late in pairwise(looks)]
    assert looks
    assert all(gap >= watching.SECONDS_BETWEEN_LOOKS for gap in gaps)


def test_a_run_that_stops_early_can_be_watched_too(session, monkeypatch):
    monkeypatch.setattr(watching, "SECONDS_BETWEEN_LOOKS", 0.0)
    looks, asked = [], {"b": "vision absent 0-", "limit": 300, "measure": ("accuracy",), "stop_early": True}
    found = session.compare(TASK, so_far=looks.append, **asked)
    order = [example.key for example in session.examples(TASK, limit=300)]
    assert order[: found.num_questions] == list(found.frame.key)
    assert looks[-1].num_questions == found.num_questions < looks[-1].planned
