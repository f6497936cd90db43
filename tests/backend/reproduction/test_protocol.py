"""The protocol on the model in the box: what is fixed knows no label, what is judged is what compare would say."""

from dataclasses import replace

import numpy as np
import pytest

from skipit_nb import SkipSet
from skipit_nb.backend.reproduction.curves import FEWEST_FOLDS, curves, interval
from skipit_nb.backend.reproduction.fixing import MOST_BANDS, drawn_bands, fix, middle_band, ranked_span, worse_rank
from skipit_nb.backend.reproduction.judging import commonest, judge
from skipit_nb.backend.reproduction.protocol import excepted_layers
from skipit_nb.backend.selection.splitting import halves
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import LimitError, NoImagesError, SettingError, UnknownTaskError
from skipit_nb.jobs import no_tick
from skipit_nb.results import Reproduction

TASK, LIMIT = "digits-vqa", 30


def data_of(session, examples):
    return session._calibration(examples, None, 0, None, no_tick)


def relabelled(examples, those):
    """The same questions; `those` get the answer of another one."""
    keys = [example.key for example in those]
    other = dict(zip(keys, [example.answer for example in reversed(those)], strict=True))
    return tuple(replace(e, answer=other.get(e.key, e.answer)) for e in examples)


def unlabelled(examples, those):
    """The same questions; `those` get an answer and a type that none of them had."""
    keys = {example.key for example in those}
    return tuple(replace(e, answer="none of these", kind="other") if e.key in keys else e for e in examples)


@pytest.fixture(scope="module")
def asked(session):
    return session.examples(TASK, limit=LIMIT)


@pytest.fixture(scope="module")
def found(session):
    return session.reproduce(TASK, limit=LIMIT, progress=False)


# -- what is fixed ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scramble", [relabelled, unlabelled])
def test_labels_of_the_first_half_change_nothing_at_all(session, asked, found, scramble):
    scrambled = Task("digits-vqa", "test", "", scramble(asked, halves(asked, 0)[0]))
    assert [e.answer for e in scrambled.examples] != [e.answer for e in asked]
    assert session.reproduce(scrambled, limit=None) == found


def test_labels_of_the_second_half_change_accuracies_and_no_band(session, asked, found):
    other = session.reproduce(Task("digits-vqa", "test", "", relabelled(asked, halves(asked, 0)[1])), limit=None)
    assert other.layers == found.layers
    assert (other.predicted, other.span) == (found.predicted, found.span)
    assert [(arm.role, arm.skipset, arm.score) for arm in other.arms] == [
        (arm.role, arm.skipset, arm.score) for arm in found.arms
    ]
    assert other.of("full")[0].accuracy < found.of("full")[0].accuracy


def test_the_predicted_set_is_that_of_recommend_on_the_first_half(session, asked, found):
    advice = session.recommend(session.profile(halves(asked, 0)[0]))
    assert found.predicted == advice.skipset


def test_the_middle_band_is_centred_and_else_one_layer_early():
    assert [str(middle_band(width, 12)) for width in (4, 5)] == ["vision absent 4-7", "vision absent 3-7"]


def test_ranked_bands_are_as_long_as_what_is_predicted_unless_there_are_too_few():
    assert [ranked_span(width, 12) for width in (1, 6, 7, 11, 0)] == [1, 6, 3, 3, 3]
    assert ranked_span(0, 2) == 1


def test_every_band_of_one_length_is_drawn_once_and_never_too_many(session, asked):
    data = data_of(session, asked)
    bands = drawn_bands(data, 5)
    assert [str(band) for band in bands][::7] == ["vision absent 0-4", "vision absent 7-11"]
    assert len(bands) == len(set(bands)) == 8 <= MOST_BANDS


def test_a_layer_ranks_by_the_worse_of_both_conditions():
    distance, var = np.array([0.1, 0.3, 0.2, 0.4]), np.array([0.9, 0.1, 0.2, np.nan])
    assert worse_rank(distance, var).tolist() == [0.75, 0.75, 0.5, 1.0]


def test_curves_are_those_of_the_profile_and_lie_inside_their_intervals(session, asked):
    data = data_of(session, asked)
    profile = data.profile()
    found = curves(data, profile)
    assert found.distance.tolist() == list(profile.distances("vision"))
    rows = found.evidence()
    assert all(row.distance_low <= row.distance <= row.distance_high for row in rows)
    assert all(row.var_low <= row.var <= row.var_high for row in rows)
    assert max(row.distance_high - row.distance_low for row in rows) > 0


def test_a_few_images_give_curves_without_intervals(session, asked):
    images = list(dict.fromkeys(example.cluster for example in asked))[: FEWEST_FOLDS - 1]
    data = data_of(session, [example for example in asked if example.cluster in images])
    assert {(row.distance_low, row.var_high) for row in curves(data, data.profile()).evidence()} == {(None, None)}
    assert interval(np.zeros(0)) == (None, None)


# -- what is judged -----------------------------------------------------------------------------------------------


def test_a_set_is_judged_as_compare_judges_it_on_the_second_half(session, asked, found):
    half = Task("half", "test", "", halves(asked, 0)[1])
    band = next(arm for arm in found.of("band") if arm.worse)
    comparison = session.compare(half, b=band.skipset, measure=("accuracy",))
    accuracy = comparison.metric("accuracy")
    assert (band.delta, band.low, band.high) == (accuracy.value, accuracy.low, accuracy.high)
    assert band.accuracy == accuracy.b
    assert found.of("full")[0].accuracy == accuracy.a
    assert band.accuracy_low <= band.accuracy <= band.accuracy_high


def test_likelihood_lost_is_that_of_a_sweep(session, asked, found):
    half = Task("half", "test", "", halves(asked, 0)[1])
    band = found.of("band")[0]
    swept = session.sweep(half, ["none", band.skipset]).rows
    assert band.log_likelihood_lost == pytest.approx(swept[0].log_likelihood - swept[1].log_likelihood, abs=1e-5)


def test_two_ends_are_judged_apart_too_and_the_middle_with_them(session, asked):
    first, second = (data_of(session, half) for half in halves(asked, 0))
    predicted = SkipSet.late_entry(1, num_layers=12) | SkipSet.early_exit(10, num_layers=12)
    fixed = replace(fix(first), predicted=predicted, span=3, middle=middle_band(3, 12), bands=drawn_bands(first, 3))
    judged = judge(second, fixed, 4)
    assert [(arm.role, str(arm.skipset)) for arm in judged.arms[:5]] == [
        ("full", "none"),
        ("predicted", "vision absent 0+10-11"),
        ("late entry", "vision absent 0"),
        ("early exit", "vision absent 10-11"),
        ("middle", "vision absent 4-6"),
    ]
    assert judged.arms[1].score == pytest.approx(fixed.scores["both"][[0, 10, 11]].mean())
    assert {row.sets for row in judged.rankings} == {10}


def test_the_commonest_answer_is_counted_for_each_type_of_question(asked):
    kinds = (("a", "yes"), ("a", "yes"), ("a", "no"), ("b", "no"))
    some = [replace(asked[0], kind=kind, answer=answer) for kind, answer in kinds]
    assert commonest(some) == [1.0, 1.0, 0.0, 1.0]


def test_a_model_that_does_no_better_than_the_commonest_answer_decides_nothing(session, asked):
    constant = Task("own", "test", "", tuple(replace(example, answer="seven") for example in asked))
    found = session.reproduce(constant, limit=None)
    assert found.guess == 1.0
    assert found.check(5).passed is None
    assert "too little to lose" in found.check(5).why
    assert found.check(3).passed is not True


# -- the result ---------------------------------------------------------------------------------------------------


def test_every_check_has_an_outcome_and_a_reason(found):
    assert [check.number for check in found.checks] == [1, 2, 3, 4, 5]
    for check in found.checks:
        assert check.why.endswith(".")
        if check.low is not None:
            assert check.passed is (
                True if check.low > check.threshold else False if check.high < check.threshold else None
            ) or (check.number == 5)
    assert Reproduction.from_json(found.to_json()) == found
    assert found.provenance.task == "digits-vqa/test"


def test_no_image_is_in_both_halves(session, asked, found):
    images = {example.key: example.cluster for example in asked}
    keys = found.provenance.samples
    assert not {images[key] for key in keys[: found.num_fixed]} & {images[key] for key in keys[found.num_fixed :]}
    assert set(keys) == set(images)


def test_the_exception_for_first_layers_is_made_for_llava_alone():
    assert [excepted_layers(kind) for kind in ("llava", "llava_next", "qwen2_5_vl", "deepseek_vl")] == [2, 2, 0, 0]


def test_an_instruction_stands_below_the_question_and_in_the_result(session, asked, monkeypatch):
    seen = []
    real = session._open.inputs
    monkeypatch.setattr(
        session._open, "inputs", lambda images, questions: seen.extend(questions) or real(images, questions)
    )
    some = Task("own", "test", "", asked[:12])
    assert session.reproduce(some, limit=None, instruction="what color?").instruction == "what color?"
    assert seen
    assert all(question.endswith("?\nwhat color?") for question in seen)


@pytest.mark.parametrize("margin", [0, 1, -0.1])
def test_a_margin_that_is_no_share_is_refused(session, margin):
    with pytest.raises(SettingError, match="margin is"):
        session.reproduce(TASK, margin=margin)


def test_questions_that_cannot_be_used_are_refused(session, asked):
    with pytest.raises(SettingError, match="two images"):
        session.reproduce(Task("own", "test", "", asked[:1]), limit=None)
    with pytest.raises(NoImagesError):
        session.reproduce(Task("own", "test", "", tuple(replace(e, loader=lambda: None) for e in asked)), limit=None)
    with pytest.raises(LimitError):
        session.reproduce(TASK, limit=0)
    with pytest.raises(UnknownTaskError):
        session.reproduce("nothing")
