"""From files to answers: every family's real model takes what its processor makes, without torchvision."""

import contextlib

import pytest
import torch

from skipit_nb import Session
from skipit_nb.backend.live.processors import open_processor
from skipit_nb.errors import MissingPackageError, PromptError
from tests.backend.live.processor_files import FAMILIES, LONG, SHORT, SQUARE, WIDE, write
from tests.backend.live.processor_models import MODELS, tiny_model

# A few processors of transformers turn tensors into numpy arrays the old way, and Mllama once used an old name.
pytestmark = [
    pytest.mark.model,  # importing and building twenty families takes half a minute
    pytest.mark.filterwarnings("ignore:__array:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*hidden_state. is deprecated:FutureWarning"),
]


@pytest.fixture(params=MODELS)
def name(request):
    return request.param


@pytest.fixture
def bound(name, tmp_path):
    try:
        processor = open_processor(str(write(FAMILIES[name], tmp_path, template=name != "instructblip")))
    except MissingPackageError:
        pytest.skip("this transformers reads images of this family with torchvision only")
    with Session(tiny_model(name), processor) as session:
        yield session


def last_logits(session, images, questions):
    with torch.no_grad():
        return session.model(**session._open.inputs(images, questions)).logits[:, -1]


def test_a_batch_gives_the_logits_of_its_questions_one_by_one(name, bound):
    asked = [(SQUARE, LONG), (WIDE, SHORT)]
    # With cross-attention, transformers lets words before the first image read all images of the batch, evenly.
    if name != "mllama":
        asked += [([WIDE, SQUARE], SHORT)] if 2 in FAMILIES[name].takes else []
        asked += [(None, LONG)] if FAMILIES[name].takes == (0, 1, 2) else []
    images, questions = zip(*asked, strict=True)
    batch = last_logits(bound, images, questions)
    alone = torch.cat([last_logits(bound, [image], [question]) for image, question in asked])
    assert (batch - alone).abs().max() < 1e-4
    assert alone.std() > 0.1, "the model has something to say"


def test_what_is_seen_changes_the_answer(bound):
    one, other = (last_logits(bound, [image], [SHORT]) for image in (SQUARE, WIDE))
    assert (one - other).abs().max() > 1e-3


@pytest.fixture
def folder(tmp_path):
    tiny_model("qwen2_vl").save_pretrained(tmp_path)
    return write(FAMILIES["qwen2_vl"], tmp_path)


@pytest.fixture
def session(folder):
    with Session.open(str(folder), device="cpu") as opened:
        yield opened


def test_a_folder_opens_and_answers_about_one_image_two_images_and_none(session):
    answers = [session.ask(images, SHORT, max_new_tokens=4) for images in (SQUARE, [SQUARE, WIDE], None)]
    assert [answer.num_tokens for answer in answers] == [4, 4, 4]
    assert len({answer.probability for answer in answers}) == 3, "what is seen changes the answer"


@pytest.mark.parametrize("skipset", ["none", "vision absent 2-", "whole 1"])
def test_a_batch_of_different_images_is_skipped_and_answered_as_its_questions_alone(session, skipset):
    images, questions = [SQUARE, [WIDE, SQUARE], None], [LONG, SHORT, LONG]
    live, names_vision = session._open, "vision" in skipset
    warned = pytest.warns(UserWarning, match="without vision tokens") if names_vision else contextlib.nullcontext()
    with warned, session.skipping(skipset):
        batch = live.generate(live.inputs(images, questions), max_new_tokens=4)
        alone = [
            live.generate(live.inputs([image], [question]), max_new_tokens=4)[0]
            for image, question in zip(images, questions, strict=True)
        ]
    assert [answer.text for answer in batch] == [answer.text for answer in alone]
    assert [answer.probability for answer in batch] == pytest.approx([one.probability for one in alone], rel=1e-3)


def test_only_floating_tensors_take_the_models_number_format(folder):
    with Session.open(str(folder), device="cpu", dtype="bfloat16") as session:
        inputs = session._open.inputs([SQUARE], [SHORT])
        assert inputs["pixel_values"].dtype == torch.bfloat16
        assert {inputs[key].dtype for key in ("input_ids", "image_grid_thw", "mm_token_type_ids")} == {torch.int64}
        assert session.ask(SQUARE, SHORT, max_new_tokens=2).num_tokens == 2


def test_an_image_token_in_the_question_is_refused(session):
    for image in (SQUARE, None):
        with pytest.raises(PromptError, match=r"text: the question itself holds <\|image_pad\|>, which stands for"):
            session.ask(image, f"how <|image_pad|> {SHORT}")


@pytest.mark.parametrize("name", ["instructblip"], indirect=True)
def test_a_model_that_cannot_run_without_pixels_wants_an_image(bound):
    with pytest.raises(PromptError, match="0 images and text: the model answers no question without an image"):
        bound.ask(None, SHORT)
