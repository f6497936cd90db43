"""A what-if on the model in the box: what it says is what `ask` says, and what the logits say."""

import threading

import pytest
import torch
from torch.nn import functional

from skipit_nb import Session, SkipSet
from skipit_nb.errors import CancelledError, LayerIndexError, QuestionError, SessionClosedError
from skipit_nb.results import WhatIf
from tests.backend.live.tiny_llava import tiny_llava

TASK = "easy-vqa"
SETS = ["vision absent 0-3", "whole 5", "vision frozen 3-; attn 1", "text frozen 8-", "vision absent 4-"]


@pytest.fixture(scope="module")
def example(session):
    return session.examples(TASK, limit=8)[2]


def asked(session, example, text, tick):
    return session.what_if(example.image, example.question, text, progress=tick)


@pytest.mark.parametrize("text", SETS)
def test_both_answers_are_those_that_ask_gives(session, example, text):
    found = session.what_if(example.image, example.question, text)
    chosen = session.ask(example.image, example.question, skipset=text)
    full = session.ask(example.image, example.question)
    assert (found.answer, found.probability) == (chosen.text, chosen.probability)
    assert (found.full_answer, found.full_probability) == (full.text, full.probability)
    assert (found.skipset, found.question) == (chosen.skipset, example.question)


@pytest.mark.parametrize("text", SETS)
def test_kl_is_that_of_the_next_token_from_the_full_model_to_the_skip_set(session, example, text):
    inputs = session._open.inputs([example.image], [example.question])
    with torch.inference_mode():
        p = session.model(**inputs).logits[0, -1].log_softmax(-1)
        with session.skipping(text):
            q = session.model(**inputs).logits[0, -1].log_softmax(-1)
    expected = functional.kl_div(q, p, log_target=True, reduction="sum").item()
    assert session.what_if(example.image, example.question, text).kl == pytest.approx(expected, abs=1e-4)
    assert functional.kl_div(p, q, log_target=True, reduction="sum").item() != pytest.approx(expected, abs=1e-9)


def test_nothing_skipped_changes_nothing(session, example):
    found = session.what_if(example.image, example.question, None)
    assert (found.kl, found.is_same, found.probability) == (0, True, found.full_probability)
    assert found.skipset == SkipSet.none(num_layers=session.num_layers)


def test_it_is_stored_and_read_back_equal_and_prints_both_answers(session, example):
    found = session.what_if(example.image, example.question, "vision absent 0-3")
    assert WhatIf.from_json(found.to_json()) == found
    assert repr(found) == f"WhatIf('vision absent 0-3': {found})"
    assert f"{found.full_answer} ({found.full_probability:.0%}) → {found.answer}" in str(found)


def test_a_question_about_no_image_can_be_asked(session):
    found = session.what_if(None, "is there a circle in the image?", "whole 5")
    assert found.kl >= 0


def test_it_gets_in_between_the_batches_of_long_work(session, example):
    begun, go_on = threading.Event(), threading.Event()

    def tick(done: int, total: int) -> None:
        begun.set()
        if done:
            go_on.wait(30)

    long = session.submit(lambda _: session.profile(TASK, limit=64, batch_size=8, progress=tick))
    assert begun.wait(30)
    quick = session.submit(lambda t: asked(session, example, "whole 5", t), quick=True)
    assert quick.result(30).skipset == SkipSet.whole(5, num_layers=12)
    assert not long.has_ended
    go_on.set()
    assert len(long.result(60).provenance.samples) >= 64


def test_a_later_question_cancels_an_earlier_one(session, example):
    begun, go_on = threading.Event(), threading.Event()

    def slow(tick):
        def wait(done: int, total: int) -> None:
            begun.set()
            go_on.wait(30)
            tick(done, total)

        return asked(session, example, "whole 5", wait)

    first = session.submit(slow, "what-if", quick=True)
    assert begun.wait(30)
    second = session.submit(lambda t: asked(session, example, "whole 6", t), "what-if", quick=True)
    go_on.set()
    assert str(second.result(30).skipset) == "whole 6"
    with pytest.raises(CancelledError):
        first.result(30)
    assert not session._open.lock.is_held


def test_the_model_is_as_before(session, example):
    inputs = session._open.inputs([example.image], [example.question])
    with torch.inference_mode():
        before = session.model(**inputs).logits
        session.what_if(example.image, example.question, "vision absent 0-3; whole 9")
        assert torch.equal(session.model(**inputs).logits, before)


def test_bad_input_is_refused_in_the_words_of_ask(session, example):
    with pytest.raises(LayerIndexError, match=r"layer 12 is outside 0\.\.11"):
        session.what_if(example.image, example.question, "whole 12")
    with pytest.raises(QuestionError, match="the question is ' '"):
        session.what_if(example.image, " ", "whole 1")
    with Session(tiny_llava()) as closed:
        pass
    with pytest.raises(SessionClosedError):
        closed.what_if(example.image, example.question, "whole 1")
