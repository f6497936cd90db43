"""Loyalty of B to A: known answers, nothing computed twice, and the same numbers from a ledger."""

import math

import numpy as np
import pytest
import statsmodels.api as sm

from skipit_nb import SkipSet
from skipit_nb.backend.evaluation.ab import USUAL
from skipit_nb.backend.evaluation.loyalty import with_loyalty
from skipit_nb.backend.evaluation.prefix import Prefix
from skipit_nb.backend.evaluation.statistics.means import mean_interval
from skipit_nb.backend.trie.scores import prefill_batch
from skipit_nb.results import Comparison

TASK, B = "digits-vqa", "vision absent 3-"
ASKED = {"limit": 24, "batch_size": 5, "measure": ("accuracy", "loyalty")}
NAMES = ["KL(A ‖ B)", "same first token", "same answer"]


@pytest.fixture(scope="module")
def found(session):
    return session.compare(TASK, b=B, **ASKED)


@pytest.fixture
def prefills(monkeypatch):
    """How often prompts were read for loyalty alone."""
    counted, of = [], Prefix.of
    monkeypatch.setattr(Prefix, "of", lambda *args: (counted.append(1), of(*args))[1])
    return counted


def test_a_is_loyal_to_itself(session):
    alike = session.compare(TASK, a=B, b=B, **ASKED)
    kl, first, answer = (alike.metric(name) for name in NAMES)
    assert (kl.value, kl.low, kl.high) == (0, 0, 0)
    assert (first.b, answer.b) == (1, 1)
    assert first.low < 0, "no difference among some questions is not none at all"


def test_it_is_the_divergence_that_one_prefill_of_both_finds(session, found):
    examples = session.examples(TASK, limit=24)
    rows = prefill_batch(session._open, examples, skipsets=[SkipSet.parse(B, num_layers=session.num_layers)])
    assert found.loyalty.kl == pytest.approx([row.kls[1] for row in rows], abs=1e-5)
    assert found.loyalty.same_first_token == tuple(row.agrees[1] for row in rows)
    assert max(found.loyalty.kl) > 0.01
    assert not all(found.loyalty.same_first_token)


def test_the_means_are_those_of_the_frame(found):
    frame = found.frame
    kl, first, answer = (found.metric(name) for name in NAMES)
    assert kl.b == kl.value == pytest.approx(frame.kl.mean())
    assert first.b == pytest.approx(frame.same_first_token.mean())
    assert answer.b == pytest.approx((frame.a == frame.b).mean())
    assert answer.value == pytest.approx(answer.b - 1)
    assert list(found.summary.metric[1:4]) == NAMES


def test_it_comes_by_default_and_only_where_it_is_wanted(session):
    alone = session.compare(TASK, b=B, limit=4, measure=("accuracy",))
    assert alone.loyalty is None
    assert "kl" not in alone.frame
    assert "loyalty" in USUAL


def test_it_reads_no_prompt_that_was_answered_just_now(session, found, prefills):
    assert session.compare(TASK, b=B, **ASKED) == found
    assert prefills == []


def test_a_ledger_keeps_it_and_another_b_reads_a_once_more(session, found, prefills, tmp_path):
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == found
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == found
    assert prefills == []
    other = session.compare(TASK, b="whole 0", ledger=tmp_path, **ASKED)
    assert prefills, "A's answers are in the ledger, what it expected is not"
    fresh = session.compare(TASK, b="whole 0", **ASKED)
    assert other.loyalty.kl == pytest.approx(fresh.loyalty.kl, abs=1e-5)
    assert other.answers == fresh.answers


def test_it_travels_as_json(found):
    assert Comparison.from_json(found.to_json()) == found


def test_a_number_that_is_none_counts_nowhere(found):
    texts = ["[NaN, true]", *(["[0.5, false]"] * (found.num_questions - 1))]
    made = with_loyalty(found, texts)
    assert made.loyalty.kl[0] is None
    assert math.isnan(made.frame.kl[0])
    assert [m.value for m in made.metrics if m.name == NAMES[0]][-1] == pytest.approx(0.5)


def test_the_interval_is_that_of_clustered_least_squares():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(30), rng.integers(1, 9, 30))
    values = rng.exponential(2.0, len(groups)) + rng.normal(size=30)[groups]
    fit = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    interval = mean_interval(values, [str(group) for group in groups])
    assert [interval.low, interval.high] == pytest.approx(list(fit.conf_int()[0]))


def test_one_image_has_no_interval():
    assert mean_interval([1.0, 2.0], ["a", "a"]) is None
