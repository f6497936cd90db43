"""Readers of states: known losses, folds that keep images together, intervals that cover."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skipit_nb.backend.redundancy.probes import cross_validated, error_gap, gap, gap_by_bootstrap
from skipit_nb.errors import ConstantAnswerError, SettingError, TooFewSamplesError


def questions(count=240, width=6, per_image=3, seed=0):
    """States whose first number tells a yes or no, with noise."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(2, size=count)
    states = rng.standard_normal((count, width))
    states[:, 0] += 3.0 * answers
    return states, answers, np.arange(count) // per_image


def test_a_reader_that_sees_nothing_loses_the_entropy_and_the_rarer_answers():
    answers = np.array([0] * 60 + [1] * 20)
    blind = cross_validated(None, answers, np.tile(np.arange(20), 4), folds=4)
    assert blind.log_loss.mean() == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)), abs=0.01)
    assert blind.error.mean() == 0.25


def test_a_reader_finds_what_is_linear_and_not_what_is_not():
    states, answers, clusters = questions()
    seen = cross_validated(states, answers, clusters)
    assert seen.error.mean() < 0.12
    assert seen.log_loss.mean() < 0.3
    crossed = (states[:, 1] * states[:, 2] > 0).astype(int)
    assert cross_validated(states, crossed, clusters).log_loss.mean() > 0.65


def test_unseen_questions_are_read_nearly_as_well_as_seen_ones():
    states, answers, clusters = questions(count=60)
    found = cross_validated(states, answers, clusters, folds=2, strength=1.0)
    assert found.log_loss.shape == found.error.shape == (60,)
    best = LogisticRegression(C=1.0).fit(states, answers)
    assert found.error.mean() <= 1 - best.score(states, answers) + 0.15


def test_an_image_in_two_folds_would_give_its_answer_away():
    rng = np.random.default_rng(1)
    answers, clusters = np.repeat(rng.integers(2, size=40), 5), np.repeat(np.arange(40), 5)
    states = np.repeat(rng.standard_normal((40, 30)), 5, axis=0)  # the image, and nothing about the answer
    assert cross_validated(states, answers, clusters).error.mean() > 0.3
    assert cross_validated(states, answers, np.arange(200)).error.mean() < 0.25


def test_an_answer_that_no_fitted_question_has_costs_much_and_not_everything():
    states, answers, clusters = questions()
    answers[clusters == 7] = 2
    loss = cross_validated(states, answers, clusters).log_loss
    assert np.isfinite(loss).all()
    assert loss[clusters == 7].max() == pytest.approx(-np.log(0.01 / 3), abs=1.5)


@pytest.mark.parametrize("interval", [gap, gap_by_bootstrap])
def test_intervals_cover_the_truth_as_often_as_they_say(interval):
    rng = np.random.default_rng(2)
    clusters = np.repeat(np.arange(40), 4)
    settings = {} if interval is gap else {"draws": 200}
    covered = 0
    for _ in range(400):
        image = np.repeat(rng.standard_normal(40), 4)
        found = interval(0.3 + image + rng.standard_normal(160), np.zeros(160), clusters, **settings)
        covered += found.low <= 0.3 <= found.high
    assert covered / 400 == pytest.approx(0.94, abs=0.03)


def test_equal_readers_have_no_gap():
    loss = np.random.default_rng(3).random(30)
    found = gap(loss, loss, np.arange(30) // 2)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_readers_that_err_on_the_same_questions_may_differ_on_others():
    error = np.r_[np.ones(4), np.zeros(96)]
    found = error_gap(error, error, np.arange(100) // 2)
    assert found.value == 0
    assert -0.06 < found.low < -0.02 < 0.02 < found.high < 0.06, "about 3.7 in 100"
    better = error_gap(error, np.zeros(100), np.arange(100) // 2, folds=5)
    assert better.value == pytest.approx(0.04)
    assert -1 <= better.low < 0.04 < better.high <= 1


def test_folds_that_share_questions_widen_an_interval_by_the_root_of_nadeau_and_bengio():
    before, after = np.random.default_rng(4).random((2, 60))
    plain, wide = (gap(before, after, np.arange(60) // 3, folds=folds) for folds in (None, 5))
    assert wide.value == plain.value
    assert (wide.high - wide.low) / (plain.high - plain.low) == pytest.approx(1.5), "1 + 5 / 4 = 1.5²"
    assert wide.method.endswith("corrected for shared folds")


@pytest.mark.slow
def test_intervals_of_fitted_readers_cover_what_their_family_gains_on_such_tasks():
    """The gap of readers fitted anew on every simulated task, against its mean over tasks."""
    means, found = np.random.default_rng(5).standard_normal((4, 16)) * 0.6, []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        answers, clusters = rng.integers(4, size=200), np.repeat(np.arange(40), 5)
        shared, noise = np.repeat(rng.standard_normal((40, 16)), 5, axis=0), rng.standard_normal((2, 200, 16))
        before, after = (
            cross_validated(tells * means[answers] + 0.7 * shared + other, answers, clusters)
            for tells, other in zip((1.0, 1.3), noise, strict=True)
        )
        for folds in (None, 5):
            risk = gap(before.log_loss, after.log_loss, clusters, folds=folds)
            found.append([risk, error_gap(before.error, after.error, clusters, folds=folds)])
    for loss, name in enumerate(("log loss", "0/1 loss")):
        covers = []
        for start in (0, 1):
            intervals = [pair[loss] for pair in found[start::2]]
            truth = np.mean([interval.value for interval in intervals])
            covers.append(np.mean([interval.low <= truth <= interval.high for interval in intervals]))
        print(f"{name}: true gap {truth:.3f}, covered {covers[0]:.1%} without, {covers[1]:.1%} with the correction")  # noqa: T201
        assert covers[0] < covers[1]
        assert covers[1] >= 0.93


def test_what_cannot_be_fitted_is_refused():
    states, answers, clusters = questions(count=12)
    with pytest.raises(TooFewSamplesError, match=r"images for 5 folds: there are 4, but at least 5 are needed"):
        cross_validated(states, answers, clusters, folds=5)
    with pytest.raises(SettingError, match=r"folds is 1"):
        cross_validated(states, answers, clusters, folds=1)
    for folds in (2.5, "5", None):
        with pytest.raises(SettingError, match="folds is"):
            cross_validated(states, answers, clusters, folds=folds)
    for strength in (0, -1, "a", float("nan")):
        with pytest.raises(SettingError, match=r"strength is .*, but should be a number above 0"):
            cross_validated(states, answers, clusters, folds=2, strength=strength)
    with pytest.raises(ConstantAnswerError, match="nothing to know"):
        cross_validated(states, np.zeros(12, dtype=int), clusters, folds=2)


def test_the_model_in_the_box_knows_more_and_more_of_the_answer(session):
    found = session.functional("digits-vqa", limit=60, views=("last",), folds=2, permutations=50, progress=False)
    assert type(found).from_json(found.to_json()) == found
    rows = found.of("last")
    assert [row.boundary for row in rows] == list(range(13))
    assert rows[0].information == pytest.approx(0, abs=0.05)  # the last token of every prompt is the same
    assert rows[12].information > 1
    assert sum(row.gap for row in rows[1:]) == pytest.approx(rows[0].log_loss - rows[12].log_loss)
    assert "logistic regression" in found.family
    assert list(found.frame.columns)[:4] == ["boundary", "view", "log_loss", "error"]
