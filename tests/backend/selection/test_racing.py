"""Racing: the winner is what a sweep of everything would call best, within the margin, for a fraction of its layers."""

import re
from functools import cache

import numpy as np
import pytest

from skipit_nb import SkipSet
from skipit_nb.backend.selection import racing
from skipit_nb.backend.selection.contest import Contest, run
from skipit_nb.backend.selection.racing import CHUNK, LEVEL, kind_of, rows_of
from skipit_nb.backend.selection.yardstick import YardstickContest
from skipit_nb.backend.trie.plan import plan_of
from skipit_nb.errors import SettingError
from skipit_nb.jobs import no_tick
from skipit_nb.results import RaceResult
from tests.backend.selection.pool import stored

MARGIN = 0.02
TASK = "digits-vqa"


@cache
def layers_a_question(sets):
    """Layers run for one question under the full model and these sets of the pool."""
    return plan_of([stored().skipsets[one] for one in sets]).computing_edges


def raced(right, ratios, seed, *, full=None, margin=MARGIN, layers=lambda sets: 0, chunk=CHUNK, kind=Contest):
    """A race on stored answers [question, set], and the layers it runs."""
    executed = []
    full = np.zeros(len(right)) if full is None else full

    def ask(questions, sets):
        executed.append(len(questions) * layers(tuple(sets)))
        return np.c_[full[questions], right[np.ix_(questions, sets)]]

    order = np.random.default_rng(seed).permutation(len(right)).tolist()
    done = run(kind(ratios, len(order), margin=margin, level=LEVEL), ask, order, chunk=chunk, tick=no_tick)
    return done, sum(executed)


@pytest.mark.parametrize("runs", [10, pytest.param(200, marks=pytest.mark.slow)])
def test_races_of_the_pool_find_a_best_set_for_a_fifth_of_the_layers_in_every_order(runs):
    """Of the layers of a sweep that shares them, and so of set by set."""
    pool = stored()
    right, full, kind = pool.right.astype(float), pool.full.astype(float), kind_of(pool.skipsets)
    truth, plan = right.mean(0), plan_of(pool.skipsets)
    found = [raced(right, pool.flops_ratios, seed, full=full, layers=layers_a_question, kind=kind)
             for seed in range(runs)]  # fmt: skip
    below = np.array([truth.max() - truth[done.leader] for done, _ in found])
    layers = np.array([executed for _, executed in found]) / len(right)
    shares = {"swept": layers / plan.computing_edges, "set by set": layers / plan.naive}
    print(f"{runs} races: {(below <= MARGIN + 1e-12).mean():.1%} within the margin, furthest {below.max():.4f} below")  # noqa: T201  shown by -s
    for name, share in shares.items():
        print(f"layers run, of {name}: {share.mean():.1%}, {share.min():.1%} to {share.max():.1%}")  # noqa: T201
    assert len(pool.skipsets) == len(set(pool.skipsets)) == 100
    assert kind is YardstickContest
    assert (below <= MARGIN + 1e-12).mean() >= 0.95
    assert shares["swept"].max() <= 0.2


def test_few_sets_are_raced_against_each_other_since_a_lap_of_one_would_cost_too_much():
    assert kind_of(stored().skipsets[:10]) is Contest


@pytest.mark.parametrize("runs", [10, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", [Contest, YardstickContest])
def test_a_best_set_just_beyond_the_margin_is_hardly_ever_missed(kind, runs):
    """Forty sets of which 39 are as bad as a winner may not be: the hardest field there is."""
    draw = np.random.default_rng(5)
    full = (draw.random(300) < 0.9).astype(float)
    right = np.tile(full[:, None], (1, 40))
    for one in range(40):
        wrong = draw.choice(np.flatnonzero(full), 9 + 13 * (one > 0), replace=False)
        lucky = draw.choice(np.flatnonzero(full == 0), 6, replace=False)
        right[wrong, one], right[lucky, one] = 0, 1
    truth = right.mean(0)
    assert truth[0] - truth[1:].max() > 0.04
    missed = [raced(right, [1.0] * 40, seed, full=full, margin=0.04, kind=kind)[0].leader != 0 for seed in range(runs)]
    assert np.mean(missed) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def test_sets_that_rested_wake_where_the_last_lap_does_not_bear_the_leader_out():
    """Set 0 has luck for 200 questions of 2,000 and none behind them; set 1 rests meanwhile, and is the best."""
    draw, full = np.random.default_rng(0), np.ones(2000)
    right = np.ones((2000, 30))
    right[draw.random((2000, 30)) < 0.3] = 0
    right[:200, 0], right[200:, 0] = 1, 0
    right[:, 1] = 1
    right[[20, 90, 150], 1] = 0
    asked = []

    def ask(questions, sets):
        asked.append((questions[0], tuple(sets)))
        return np.c_[full[questions], right[np.ix_(questions, sets)]]

    race = YardstickContest([1.0] * 30, 2000, margin=0.02, level=0.95)
    done = run(race, ask, range(2000), chunk=16, tick=no_tick)
    laps = [start for start, sets in asked if sets == (0,)]
    woken = [start for start, sets in asked[[sets for _, sets in asked].index((0,)) :] if 1 in sets]
    assert laps[-1] > 1800
    assert woken[0] <= 200
    assert done.leader == 1
    assert 1 in done.within_margin()
    assert 0 not in done.within_margin()


def test_sets_that_share_the_lead_are_within_the_margin_and_others_rest_the_sooner_the_worse_they_are():
    """Two sets alike, one a point below, one 5, one 30: of 1,000 questions."""
    draw = np.random.default_rng(3)
    right = np.tile((draw.random(1000) < 0.9).astype(float)[:, None], (1, 5))
    for one, flipped in enumerate((0, 0, 10, 50, 300)):
        right[draw.choice(np.flatnonzero(right[:, one]), flipped, replace=False), one] = 0
    names = [SkipSet.whole(layer, num_layers=6) for layer in range(5)]
    done, _ = raced(right, (1.1, 1.2, 1.5, 1.0, 3.0), seed=0)
    rows = rows_of(done, names, (1.1, 1.2, 1.5, 1.0, 3.0))
    assert [row.status for row in rows] == ["within margin", "winner", "no better", "no better", "worse"]
    assert rows[4].stopped_at < rows[3].stopped_at < rows[2].stopped_at < rows[1].questions
    assert rows[1].stopped_at is None
    assert rows[0].delta == 0
    assert rows[0].low < 0 < rows[0].high <= MARGIN
    truth = right.mean(0)
    assert all(row.low <= truth[one] - truth[1] <= row.high for one, row in enumerate(rows))


@pytest.mark.parametrize("seed", range(20))
def test_without_a_margin_the_best_of_near_ties_wins(seed):
    draw = np.random.default_rng(seed)
    right = (draw.random((200, 6)) < 0.8).astype(float)
    done, _ = raced(right, [1.0] * 6, seed, margin=0.0)
    assert right.mean(0)[done.leader] == right.mean(0).max()


def test_a_set_that_rested_wakes_and_catches_up_when_the_lead_changes():
    """Set 0 leads for 300 questions, and set 1 rests; then set 2 overtakes it, and has yet to beat set 1."""
    draw = np.random.default_rng(1)
    right = np.vstack([draw.random((300, 3)) < (0.9, 0.78, 0.84), draw.random((700, 3)) < (0.6, 0.3, 0.95)]).astype(
        float
    )
    asked = []

    def ask(questions, sets):
        asked.append((questions[0], tuple(sets)))
        return np.c_[np.ones(len(questions)), right[np.ix_(questions, sets)]]

    race = Contest([1.0] * 3, 1000, margin=0.02, level=0.95)
    done = run(race, ask, range(1000), chunk=16, tick=no_tick)
    assert done.leader == 2
    starts = [start for start, sets in asked if 1 in sets]
    assert starts == list(range(0, done.asked[1], 16)), "every question once, in order"
    alone = [at for at, (_, sets) in enumerate(asked) if sets == (1,)]
    before, woken = asked[alone[0] - 1], asked[alone[0]]
    assert before[0] > woken[0], "it was asked alone what it had missed"


def test_of_equal_sets_the_cheapest_wins():
    right = np.tile(np.array([1.0, 0.0] * 100)[:, None], (1, 3))
    done, _ = raced(right, (1.5, 2.0, 1.0), seed=0)
    assert done.leader == 1


# ── on the model ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def result(session):
    sets = ["vision absent 9-", "vision absent 0-3", "whole 0", "whole 1-4", "whole 10"]
    return session.race(TASK, sets, margin=0.1, limit=80)


def test_a_race_on_the_model_agrees_with_a_sweep_and_runs_fewer_layers(session, result):
    swept = session.sweep(TASK, [row.skipset for row in result.rows], limit=80)
    truth = {row.skipset: row.accuracy for row in swept.rows}
    assert truth[result.winner] >= max(truth.values()) - 0.1
    assert result.layers_executed < result.layers_swept < result.layers_naive
    questions, batches = len(result.provenance.samples), -(-len(result.provenance.samples) // 32)
    assert result.layers_swept / questions == swept.layers_executed / batches
    assert result.layers_naive / questions == swept.layers_naive / batches
    assert [row.flops_ratio for row in result.rows] == [row.flops_ratio for row in swept.rows]
    for row in result.rows:
        assert row.low - 1e-9 <= truth[row.skipset] - truth[result.winner] <= row.high + 1e-9
    assert min(row.questions for row in result.rows) < result.won.questions
    assert result.cheapest_within_margin in {row.skipset for row in result.within_margin}


def test_a_race_by_the_full_model_asks_it_too_and_knows_its_winner(session, result, monkeypatch):
    monkeypatch.setattr(racing, "LAST_LAP", 1.0)
    found = session.race(TASK, [row.skipset for row in result.rows], margin=0.1, limit=80)
    swept = session.sweep(TASK, [row.skipset for row in result.rows], limit=80)
    truth = {row.skipset: row.accuracy for row in swept.rows}
    assert truth[found.winner] >= max(truth.values()) - 0.1
    assert min(row.questions for row in found.rows) < found.won.questions
    for row in found.rows:
        assert row.low - 1e-9 <= truth[row.skipset] - truth[found.winner] <= row.high + 1e-9


def test_a_race_reads_back_has_a_table_and_says_what_it_came_to(result):
    assert RaceResult.from_json(result.to_json()) == result
    assert list(result.frame.skipset) == [str(row.skipset) for row in result.rows]
    assert re.fullmatch(
        r"RaceResult\('.+' of 5 skip sets, accuracy, margin 0\.1 at 95%, after \d+ of \d+ questions, "
        r"\d+% of a sweep's layers\)",
        repr(result),
    )


def test_agreement_needs_no_right_answers(session):
    examples = session.examples(TASK, limit=24)
    found = session.race(examples, ["whole 0", "vision absent 11"], objective="agreement", margin=0.3, chunk=100)
    assert str(found.winner) == "vision absent 11"
    assert found.won.score > 0.9
    assert found.layers_executed == found.layers_swept, "one look sees all questions"


def test_a_search_whose_steps_race_goes_the_same_way_with_fewer_questions(session):
    moves = [SkipSet.absent(layer) for layer in (0, 10, 11)]
    settings = {"speedup": 1.15, "moves": moves, "objective": "accuracy", "limit": 80}
    plain = session.search(TASK, **settings)
    quick = session.search(TASK, racing=0.05, **settings)
    searched = {step.row.skipset: step.row.accuracy for step in plain.steps if step.step == 1}
    assert searched[quick.path[0]] >= max(searched.values()) - 0.05
    assert {step.questions for step in plain.steps} == {plain.num_search}
    assert min(step.questions for step in quick.steps) < quick.num_search
    first = [step for step in quick.steps if step.step == 1]
    assert [step.kept for step in first] == [True, *[False] * (len(first) - 1)]
    assert quick.winner in quick.path
    assert quick.confirmation is not None
    assert list(quick.frame.questions) == [step.questions for step in quick.steps]


def test_a_search_of_races_without_a_set_within_its_margin_has_no_winner(session):
    settings = {"margin": 0.0, "moves": ["whole 0", "vision absent 0-3"], "objective": "accuracy", "limit": 12}
    found = session.search(TASK, racing=0.1, **settings)
    assert found.winner.is_empty
    assert found.path == ()


@pytest.mark.parametrize(("sets", "settings", "words"), [
    (["whole 1"], {}, "two different sets"),
    (["whole 1", "whole 1"], {}, "two different sets"),
    (["whole 1", "whole 2"], {"margin": 1}, "margin is 1"),
    (["whole 1", "whole 2"], {"margin": -0.1}, "margin is -0.1"),
    (["whole 1", "whole 2"], {"level": 1.0}, "level is 1.0"),
    (["whole 1", "whole 2"], {"objective": "kl"}, "accuracy, agreement: a race needs scores from 0 to 1"),
    (["whole 1", "whole 2"], {"chunk": 0}, "chunk is 0"),
])  # fmt: skip
def test_what_a_race_does_not_take_is_refused(session, sets, settings, words):
    with pytest.raises(SettingError, match=words):
        session.race(TASK, sets, limit=4, **settings)


@pytest.mark.parametrize(("settings", "words"), [
    ({"racing": 1.0, "objective": "accuracy"}, "racing is 1.0"),
    ({"racing": 0.1, "objective": "accuracy", "beam": 2}, "beam is 2"),
    ({"racing": 0.1}, "objective is 'log_likelihood'"),
])  # fmt: skip
def test_a_search_races_only_where_a_race_has_one_winner_and_bounded_scores(session, settings, words):
    with pytest.raises(SettingError, match=words):
        session.search(TASK, speedup=1.1, limit=4, **settings)
