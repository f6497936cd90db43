"""What a worker keeps open: one model a thread, the one that was asked for last."""

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import torch

from skipit_nb import Session, zoo
from skipit_nb.backend.evaluation import opened
from skipit_nb.backend.evaluation.opened import Opening, live_of, weights_of
from skipit_nb.errors import ModelNotFoundError
from tests.backend.live.tiny_llava import tiny_llava

TINY = Opening("tiny", "tiny", "cpu", "float32", find=zoo.model_path)


@pytest.fixture
def models(monkeypatch):
    """The small models that were opened, in order; no file is read."""
    made = []

    def checkpoint(*_, **__):
        model = tiny_llava()
        made.append(weakref.ref(model))
        return model, None

    monkeypatch.setattr(opened, "open_checkpoint", checkpoint)
    yield made
    vars(opened._mine).clear()


def test_a_model_is_opened_once(models):
    assert live_of(TINY) is live_of(replace(TINY))
    assert len(models) == 1


def test_the_model_before_is_let_go(models):
    live_of(TINY)
    live_of(replace(TINY, dtype="bfloat16"))
    gc.collect()
    assert [model() is None for model in models] == [True, False]


def test_each_thread_has_a_model_of_its_own(models):
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as two:
        first, second = one.submit(live_of, TINY).result(), two.submit(live_of, TINY).result()
        assert first is one.submit(live_of, TINY).result()
        assert first is not second


def test_work_waits_while_a_model_is_opened():
    with ThreadPoolExecutor(1) as other:

        def work():
            with opened.gate.working():
                return "worked"

        with opened.gate.opening():
            waiting = other.submit(work)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
        assert waiting.result(30) == "worked"


def test_opening_waits_for_the_work_at_hand():
    with ThreadPoolExecutor(1) as other:

        def open_one():
            with opened.gate.opening():
                return "opened"

        with opened.gate.working():
            waiting = other.submit(open_one)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
        assert waiting.result(30) == "opened"


def test_copies_have_one_fingerprint_and_a_changed_model_another():
    one, two = tiny_llava(), tiny_llava()
    assert weights_of(one) == weights_of(two)
    assert weights_of(one) != weights_of(one.to(torch.bfloat16))
    with torch.no_grad():
        two.lm_head.weight.mul_(1.01)
    assert weights_of(one.float()) != weights_of(two)


@pytest.mark.model
def test_a_folder_travels_by_its_whole_path(session, tmp_path, monkeypatch):
    session.model.save_pretrained(tmp_path / "mine")
    session.processor.save_pretrained(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    with Session.open("mine", device="cpu") as own:
        monkeypatch.chdir("/")
        assert own.name == "mine"
        assert weights_of(own._opening.checkpoint()[0]) == weights_of(session.model)


def test_what_cannot_be_opened_says_so_each_time():
    missing = Opening("/no/such/folder", "mine")
    for _ in range(2):
        with pytest.raises(ModelNotFoundError, match="no such folder"):
            live_of(missing)
