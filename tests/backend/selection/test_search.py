"""Search: a planted idle layer goes first, beams are no worse, and the winner is judged by what it never saw."""

import time

import pytest

from skipit_nb import SkipSet
from skipit_nb.backend.selection.search import undominated
from skipit_nb.backend.selection.splitting import halves
from skipit_nb.errors import SettingError
from skipit_nb.results import SearchResult, SweepRow

TASK = "digits-vqa"
LIMIT = 12
IDLE = 5
SLOW = 8


@pytest.fixture(scope="module")
def greedy(session):
    return session.search(TASK, speedup=1.2, limit=LIMIT)


def test_a_layer_that_does_nothing_goes_first(session):
    layer = session._open.anatomy.layers[IDLE]
    layer.forward = lambda hidden, *_, **__: hidden
    try:
        found = session.search(TASK, speedup=1.05, objective="kl", limit=LIMIT)
    finally:
        del layer.forward
    assert str(found.winner) == f"whole {IDLE}"
    assert found.confirmation.delta == 0
    assert found.confirmation.kl == pytest.approx(0, abs=1e-6), "some processors round a batch by its size"


def test_greedy_adds_one_layer_a_step_and_keeps_the_best(greedy):
    assert len(greedy.path) >= 2
    for step, (one, two) in enumerate(zip(greedy.path, greedy.path[1:], strict=False), start=2):
        assert one | two == two
        rows = [s.row for s in greedy.steps if s.step == step]
        assert len(rows) == 12 - step + 1
        assert rows[0].skipset == two
        assert rows[0].log_likelihood == max(row.log_likelihood for row in rows)
    assert greedy.winner == greedy.path[-1]
    assert greedy.steps[-1].row.flops_ratio >= 1.2


def test_the_winner_is_confirmed_on_images_the_search_never_saw(session, greedy):
    images = {example.key: example.cluster for example in session.examples(TASK, limit=LIMIT)}
    keys = greedy.provenance.samples
    searched, confirming = keys[: greedy.num_search], keys[greedy.num_search :]
    assert not {images[key] for key in searched} & {images[key] for key in confirming}
    assert set(keys) == set(images)
    alone = session.sweep(TASK, [greedy.winner], limit=LIMIT)
    row = greedy.confirmation
    assert row.low <= row.delta <= row.high
    searched_row = next(s.row for s in greedy.steps if s.row.skipset == greedy.winner)
    both = greedy.num_search * searched_row.accuracy + len(confirming) * row.accuracy
    assert both / len(keys) == pytest.approx(alone.rows[0].accuracy)


def test_a_wider_beam_starts_alike_and_ends_no_worse(session, greedy):
    wide = session.search(TASK, speedup=1.2, beam=2, limit=LIMIT)
    assert [s.row for s in wide.steps if s.step == 1] == [s.row for s in greedy.steps if s.step == 1]
    assert len(wide.steps) > len(greedy.steps)

    def score(found):
        return next(s.row.log_likelihood for s in found.steps if s.row.skipset == found.winner)

    assert score(wide) >= score(greedy)


def test_a_margin_finds_the_cheapest_set_within_it(session):
    moves = [SkipSet.absent(i) for i in (0, 9, 10, 11)]
    found = session.search(TASK, margin=0.1, moves=moves, objective="accuracy", limit=LIMIT)
    winner = next(s.row for s in found.steps if s.row.skipset == found.winner)
    assert winner.delta >= -0.1
    assert all(s.row.flops_ratio <= winner.flops_ratio for s in found.steps if s.row.delta >= -0.1)


def test_no_set_within_the_budget_is_no_winner(session):
    found = session.search(TASK, margin=0.0, moves=[SkipSet.whole(0)], limit=LIMIT)
    assert found.winner.is_empty
    assert found.confirmation is None
    assert len(found.steps) == 1


def test_a_search_reads_back_and_has_tables(greedy):
    assert SearchResult.from_json(greedy.to_json()) == greedy
    assert len(greedy.frame) == len(greedy.steps)
    ratios = list(greedy.pareto.flops_ratio)
    assert ratios == sorted(ratios, reverse=True)
    assert str(greedy.winner) in set(greedy.pareto.skipset)
    assert repr(greedy).startswith(f"SearchResult('{greedy.winner}', ")


def test_what_is_beaten_in_both_is_left_out():
    rows = [SweepRow(SkipSet.whole(i), accuracy=a, flops_ratio=f)
            for i, (a, f) in enumerate([(0.9, 1.1), (0.8, 1.2), (0.7, 1.15), (0.9, 1.05), (0.5, 1.5)])]  # fmt: skip
    assert [str(row.skipset) for row in undominated(rows)] == ["whole 4", "whole 1", "whole 0"]


def test_halves_share_no_image_and_keep_every_question(session):
    examples = session.examples(TASK, limit=40)
    first, second = halves(examples, seed=3)
    assert sorted(e.key for e in (*first, *second)) == sorted(e.key for e in examples)
    assert not {e.cluster for e in first} & {e.cluster for e in second}
    assert halves(examples, seed=3) == (first, second) != halves(examples, seed=4)
    with pytest.raises(SettingError, match="two images"):
        halves(examples[:1], seed=0)


@pytest.mark.parametrize(("settings", "words"), [
    ({}, "one of the three"),
    ({"speedup": 2, "margin": 0.1}, "one of the three"),
    ({"speedup": 1.0}, "above 1"),
    ({"margin": 1.0}, "below 1"),
    ({"speedup": 2, "beam": 0}, "beam is 0"),
    ({"speedup": 2, "objective": "loss"}, "log_likelihood, accuracy, kl"),
    ({"speedup": 2, "moves": "layers"}, "a list of skip sets"),
    ({"speedup": 2, "moves": []}, "at least one"),
])  # fmt: skip
def test_what_a_search_does_not_take_is_refused(session, settings, words):
    with pytest.raises(SettingError, match=words):
        session.search(TASK, limit=4, **settings)


@pytest.fixture
def slow_layer(session):
    """A layer of the model in the box that takes a tenth of a second."""
    layer = session._open.anatomy.layers[SLOW]
    run = layer.forward
    layer.forward = lambda *args, **kwargs: (time.sleep(0.1), run(*args, **kwargs))[1]
    yield SLOW
    del layer.forward


def test_time_is_a_budget_too(session, slow_layer):
    moves = [SkipSet.whole(slow_layer - 1), SkipSet.whole(slow_layer)]
    found = session.search(TASK, latency=2, moves=moves, limit=LIMIT)
    assert all((step.latency_ratio is not None) is step.kept for step in found.steps)
    assert slow_layer in found.winner.layers("whole")
    *before, last = [step for step in found.steps if step.kept]
    assert last.latency_ratio > 2 > max((step.latency_ratio for step in before), default=1)
    assert "sooner" in repr(found)
    assert SearchResult.from_json(found.to_json()) == found


def test_time_that_no_set_saves_ends_the_search_without_a_winner(session):
    found = session.search(TASK, latency=1000, moves=[SkipSet.whole(3)], limit=LIMIT)
    assert found.winner.is_empty
    assert found.confirmation is None
