"""One look at an image serves every arm of a batch, and no other batch."""

import contextlib

import pytest
import torch

from skipit_nb.backend.evaluation.seen_once import ENCODER, SeenOnce
from tests.families.all_families import family

ASKED = {"limit": 30, "batch_size": 8, "measure": ("accuracy", "loyalty")}
SKIPSET = "vision absent 6-"


@contextlib.contextmanager
def towers_runs(of):
    """An entry for every batch of images that the vision tower has run on: how many images."""
    runs = []
    with of.model.model.vision_tower.register_forward_hook(lambda _, args, __: runs.append(len(args[0]))):
        yield runs


@pytest.fixture
def looks(session):
    with towers_runs(session) as runs:
        yield runs


@pytest.mark.parametrize("output_type", ["generate_until", "multiple_choice"])
def test_a_comparison_says_the_same_and_looks_at_every_image_once(session, looks, monkeypatch, output_type):
    found = session.compare("easy-vqa", b=SKIPSET, output_type=output_type, **ASKED)
    once = list(looks)
    looks.clear()
    monkeypatch.setattr(SeenOnce, "by", lambda *_: contextlib.nullcontext())
    assert session.compare("easy-vqa", b=SKIPSET, output_type=output_type, **ASKED) == found
    assert len(once) == len(looks) / 2 == -(-len(found.answers) // ASKED["batch_size"])


def test_finalists_of_a_sweep_look_once_too(session, looks):
    session.sweep("easy-vqa", [SKIPSET, "whole 5"], limit=16, batch_size=16, finalists=2)
    assert len(looks) <= 2 * 2  # of two batches: the sweep itself, then three arms together


def test_both_answers_of_a_what_if_look_once(session, looks):
    example = session.examples("easy-vqa", limit=1)[0]
    session.what_if(example.image, example.question, SKIPSET)
    assert looks == [1]


@pytest.fixture
def llava():
    return family("llava")


def features(replica, pixels):
    return replica.model.get_image_features(pixel_values=pixels).pooler_output[0]


def test_other_pixels_are_looked_at_whatever_they_are_equal_to(llava):
    seen, pixels = SeenOnce(), llava.one["pixel_values"]
    with torch.no_grad(), seen.by(llava.model):
        with towers_runs(llava) as runs:
            first, same, equal, other = (features(llava, one) for one in (pixels, pixels, pixels.clone(), pixels + 1))
    assert len(runs) == 3  # all but the same tensor
    assert torch.equal(same, first)
    assert torch.equal(equal, first)
    assert not torch.equal(other, first)


def test_what_a_model_does_to_its_features_is_its_own_affair(llava):
    pixels = llava.one["pixel_values"]
    with torch.no_grad():
        alone = features(llava, pixels)
    with torch.no_grad(), SeenOnce().by(llava.model):
        for _ in range(2):  # those that were found, and those that were remembered
            spoilt = llava.model.get_image_features(pixel_values=pixels)
            spoilt.pooler_output[0].mul_(0)
            spoilt.pooler_output = None
        assert torch.equal(features(llava, pixels), alone)


def test_the_model_is_as_before_also_when_a_run_fails(llava):
    base = llava.model.base_model
    with pytest.raises(ZeroDivisionError), SeenOnce().by(llava.model):
        assert ENCODER in vars(base)
        raise ZeroDivisionError
    assert ENCODER not in vars(base)


def test_an_encoder_of_the_users_own_is_left_alone(llava, monkeypatch):
    calls = []
    encode = llava.model.base_model.get_image_features

    def mine(*args, **kwargs):
        calls.append(args)
        return encode(*args, **kwargs)

    monkeypatch.setattr(llava.model.base_model, ENCODER, mine, raising=False)
    with torch.no_grad(), SeenOnce().by(llava.model):
        for _ in range(2):
            llava.model.base_model.get_image_features(pixel_values=llava.one["pixel_values"])
        assert llava.model.base_model.get_image_features is mine
    assert len(calls) == 2
