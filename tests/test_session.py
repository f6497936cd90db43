"""Every question a session can be asked, on the model in the box."""

import gc
import threading
import time
import weakref

import numpy as np
import pytest
import torch
from PIL import Image

from skipit_nb import Session, SkipSet
from skipit_nb.errors import (
    CancelledError,
    ImageError,
    LayerIndexError,
    LimitError,
    MissingProcessorError,
    NoExamplesError,
    QuestionError,
    SessionClosedError,
    SettingError,
    UnknownTaskError,
)
from skipit_nb.results import Comparison
from skipit_nb.session import UnknownWordsWarning
from tests.backend.live.reference import reference_logits
from tests.backend.live.tiny_llava import tiny_llava

TASK = "digits-vqa"
ONLY_ACCURACY = ("accuracy",)


@pytest.fixture(scope="module")
def examples(session):
    return session.examples(TASK, limit=40)


@pytest.fixture(scope="module")
def profile(session, examples):
    return session.profile(examples)


def test_the_model_in_the_box_answers(session, examples):
    answer = session.ask(examples[0].image, examples[0].question)
    assert str(answer) == answer.text
    assert 0 < answer.probability <= 1
    assert answer.num_tokens >= 1
    assert answer.skipset.is_empty


def test_words_the_model_does_not_know_are_named(session, examples):
    with pytest.warns(UnknownWordsWarning, match="tiny does not know: elephant"):
        session.ask(examples[0].image, "how many elephant digits are there?")


def test_an_image_may_be_a_picture_an_array_or_a_path(session, examples, tmp_path):
    image, question = examples[0].image, examples[0].question
    image.save(tmp_path / "image.png")
    answers = {session.ask(as_given, question) for as_given in (image, np.asarray(image), tmp_path / "image.png",
                                                                str(tmp_path / "image.png"))}  # fmt: skip
    assert len(answers) == 1


@pytest.mark.parametrize("text", ["vision absent 0-3", "vision absent 6-", "vision frozen 0-", "whole 5", "whole 0"])
def test_the_box_is_skipped_exactly(session, examples, text):
    inputs = session._open.inputs([e.image for e in examples[:6]], [e.question for e in examples[:6]])
    bound = SkipSet.parse(text, num_layers=session.num_layers)
    with torch.no_grad(), session.skipping(bound):
        got = session.model(**inputs).logits[:, -1]
    assert (got - reference_logits(session.model, inputs, bound)[:, -1]).abs().max() < 1e-4


def test_batches_give_the_answers_of_single_questions(session, examples):
    inputs = session._open.inputs([e.image for e in examples], [e.question for e in examples])
    for skipset in ("none", "vision absent 0-1", "vision frozen 0-"):
        with session.skipping(skipset):
            batch = [a.text for a in session._open.generate(inputs, max_new_tokens=4)]
        alone = [session.ask(e.image, e.question, skipset=skipset, max_new_tokens=4).text for e in examples]
        assert batch == alone


def test_a_profile_names_its_samples_and_what_it_measured(session, examples, profile):
    assert profile.num_layers == session.num_layers
    assert profile.provenance.samples == tuple(e.key for e in examples)
    assert {row.tokens for row in profile.layers} == {"vision", "text", "first"}
    assert len(profile.flow) == session.num_layers
    assert repr(profile) == f"RedundancyProfile(tiny, 12 layers, {len(examples)} questions, with cross-modal flow)"


def test_the_batch_size_does_not_change_a_profile(session, examples, profile):
    other = session.profile(examples, batch_size=7)
    assert np.allclose(profile.distances(), other.distances(), atol=1e-5)
    assert np.allclose([row.var for row in profile.flow], [row.var for row in other.flow], atol=1e-5)


def test_a_profile_without_flow_recommends_nothing(session, examples):
    advice = session.recommend(session.profile(examples, flow=False))
    assert advice.skipset.is_empty


def test_a_look_gives_every_token_at_every_layer(session, examples):
    look = session.look(examples[0].image, examples[0].question)
    assert look.grid == (8, 8)
    assert len(look.vision(0)) == 64
    one = session.profile(examples[:1])
    assert np.mean(look.vision(3)) == pytest.approx(one.distances("vision")[3], abs=1e-6)


def test_a_recommendation_has_a_reason_for_every_layer(session, profile):
    advice = session.recommend(profile, max_var=1.0, max_distance=2.0)
    assert len(advice.reasons) == session.num_layers
    assert str(advice.skipset) == "vision absent 1-11"


def test_identical_arms_flip_nothing_and_still_have_an_interval(session):
    result = session.compare(TASK, limit=40, measure=("accuracy", "flops"))
    accuracy = result.metric("accuracy")
    assert len(result.flips("changed")) == 0
    assert accuracy.value == 0
    assert accuracy.low < 0 < accuracy.high
    assert result.p_mcnemar == 1
    assert result.metric("prefill FLOPs").value == 1


def test_a_comparison_is_paired_complete_and_reads_back(session):
    result = session.compare(TASK, b="vision absent 0-", limit=40, measure=ONLY_ACCURACY)
    assert result.num_questions >= 40
    assert str(result.b) == "vision absent 0-11"
    assert Comparison.from_json(result.to_json()) == result
    again = session.compare(TASK, b="vision absent 0-", limit=40, measure=ONLY_ACCURACY)
    assert again == result


def test_latency_is_a_paired_ratio_with_an_interval(session):
    result = session.compare(TASK, b="whole 0-", limit=3)
    ratio = result.metric("prefill time")
    assert ratio.low < ratio.value < ratio.high
    assert ratio.value > 1, "a model without its layers is faster"
    assert "1 CPU thread;" in ratio.method
    assert "KV cache" not in list(result.summary.metric), "B keeps no keys: a ratio to nothing is no number"


def test_a_sweep_agrees_with_comparisons_one_by_one(session):
    sets = ["vision absent 0-5", "whole 11"]
    sweep = session.sweep(TASK, sets, limit=40)
    for row, text in zip(sweep.rows, sets, strict=True):
        alone = session.compare(TASK, b=text, limit=40, measure=ONLY_ACCURACY)
        assert row.delta == pytest.approx(alone.metric("accuracy").value)
        assert (row.low, row.high) == (alone.metric("accuracy").low, alone.metric("accuracy").high)
        assert (row.worse, row.better) == (len(alone.flips("worse")), len(alone.flips("better")))
    assert list(sweep.frame.skipset) == ["vision absent 0-5", "whole 11"]


def test_progress_is_told_from_the_first_question_to_the_last(session, examples):
    told = []
    session.profile(examples, batch_size=16, progress=lambda done, total: told.append((done, total)))
    assert told[0] == (0, len(examples))
    assert told[-1] == (len(examples), len(examples))
    assert told == sorted(told)


def test_a_cancelled_job_leaves_the_model_as_before(session, examples):
    inputs = session._open.inputs([examples[0].image], [examples[0].question])
    with torch.no_grad():
        before = session.model(**inputs).logits
    job = session.submit(lambda tick: session.compare(TASK, b="whole 3", limit=4000, batch_size=4, progress=tick))
    while not job.done:
        assert not job.has_ended, job.exception
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(30)
    with torch.no_grad():
        assert torch.equal(session.model(**inputs).logits, before)
    assert not session._open.lock.is_held


def test_a_cancelled_job_does_not_wait_for_its_batch(session, examples):
    hooks = [len(module._forward_pre_hooks) for module in session.model.modules()]
    many = [examples[i % len(examples)] for i in range(200)]
    job = session.submit(lambda tick: session.profile(many, batch_size=len(many), progress=tick))
    while not session._open.lock.is_held:
        assert not job.has_ended, job.exception
    job.cancel()
    start = time.perf_counter()
    with pytest.raises(CancelledError):
        job.result(30)
    took = time.perf_counter() - start
    start = time.perf_counter()
    session.profile(many, batch_size=len(many), progress=False)
    assert took < (time.perf_counter() - start) / 2  # of the one batch that there is
    assert [len(module._forward_pre_hooks) for module in session.model.modules()] == hooks


def test_a_quick_question_gets_in_between_the_batches_of_a_long_job(session, examples):
    long = session.submit(lambda tick: session.compare(TASK, b="whole 3", limit=4000, batch_size=4, progress=tick))
    quick = session.submit(lambda _: session.ask(examples[0].image, examples[0].question), "what-if", quick=True)
    assert quick.result(30).text == session.ask(examples[0].image, examples[0].question).text
    assert not long.has_ended
    long.cancel()
    with pytest.raises(CancelledError):
        long.result(30)


def test_skipping_holds_the_model_for_the_whole_block(session, examples):
    order = []

    def ask():
        session.ask(examples[0].image, examples[0].question)
        order.append("asked")

    with session.skipping("whole 3"):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(0.3)
        order.append("left")
    thread.join(30)
    assert order == ["left", "asked"]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda s, e: s.ask("no such file.png", "how many digits are there?"), ImageError, "there is no such file"),
        (lambda s, e: s.ask(b"bytes", "how many digits are there?"), ImageError, "holds no pixels"),
        (lambda s, e: s.ask(np.zeros((4, 4)), "how many digits are there?"), ImageError, "not uint8 RGB"),
        (lambda s, e: s.ask(Image.new("RGB", (0, 5)), "how many digits are there?"), ImageError, "its size is 0 x 5"),
        (lambda s, e: s.ask(e[0].image, ""), QuestionError, "the question is ''"),
        (lambda s, e: s.ask(e[0].image, "  \n"), QuestionError, "Expected some text"),
        (lambda s, e: s.ask(e[0].image, None), SettingError, "question is None, but should be text"),
        (
            lambda s, e: s.ask(e[0].image, "how many digits are there?", skipset="whole 12"),
            LayerIndexError,
            "outside 0..11",
        ),
        (lambda s, e: s.profile([]), NoExamplesError, "at least one example"),
        (lambda s, e: s.profile("vqa-3000"), UnknownTaskError, "there is no task 'vqa-3000'"),
        (lambda s, e: s.profile(TASK, limit=0), LimitError, "limit is 0"),
        (lambda s, e: s.profile(TASK, limit=3, batch_size=0), SettingError, "batch_size is 0"),
        (lambda s, e: s.compare(TASK, limit=-1), LimitError, "limit is -1"),
        (lambda s, e: s.compare(TASK, limit=3, margin=0), SettingError, "margin is 0"),
        (lambda s, e: s.compare(TASK, limit=3, measure=("beauty",)), SettingError, "measure is 'beauty'"),
        (lambda s, e: s.sweep(TASK, [], limit=3), NoExamplesError, "at least one"),
        (lambda s, e: s.example(TASK, "no-such-key"), SettingError, "key is 'no-such-key'"),
    ],
)
def test_bad_input_is_refused_and_the_session_stays_usable(session, examples, call, error, match):
    with pytest.raises(error, match=match):
        call(session, examples)
    assert session.ask(examples[0].image, examples[0].question).text


def test_a_file_that_is_not_an_image_is_refused(session, tmp_path):
    path = tmp_path / "image.png"
    path.write_text("not an image")
    with pytest.raises(ImageError, match="cannot identify image file"):
        session.ask(path, "how many digits are there?")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\x00" * 20)
    with pytest.raises(ImageError):
        session.ask(path, "how many digits are there?")


def test_a_session_without_a_processor_says_what_it_needs():
    with Session(tiny_llava()) as bound, pytest.raises(MissingProcessorError, match="Session\\(model, processor\\)"):
        bound.ask(Image.new("RGB", (8, 8)), "how many digits are there?")


def test_a_closed_session_refuses_and_lets_the_model_go():
    session = Session.open(device="cpu")
    model = weakref.ref(session.model)
    session.submit(lambda tick: session.profile(TASK, limit=8, progress=tick)).result(60)
    session.close()
    session.close()
    gc.collect()
    assert repr(session) == "Session(closed)"
    assert model() is None
    with pytest.raises(SessionClosedError, match="Open a new one"):
        session.profile(TASK, limit=1)
    with pytest.raises(SessionClosedError):
        session.submit(lambda tick: None)
