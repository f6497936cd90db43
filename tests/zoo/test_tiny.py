"""The model in the box as it is shipped."""

import subprocess
import sys
import time

import pytest
import torch
from transformers import AutoProcessor, LlavaForConditionalGeneration

from skipit_nb.backend.tasks import load_task, score, task_names
from skipit_nb.errors import ModelNotFoundError
from skipit_nb.zoo import model_names, model_path
from skipit_nb.zoo.architecture import make_dialect
from skipit_nb.zoo.card import read_card
from skipit_nb.zoo.corpus import make_corpus
from skipit_nb.zoo.evaluate import accuracy, blind, by_kind, share

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def tiny() -> LlavaForConditionalGeneration:
    return LlavaForConditionalGeneration.from_pretrained(model_path(), dtype=torch.float32).eval()


def card_of(name: str) -> dict:
    return next(task for task in read_card(model_path())["tasks"] if task["task"] == name)


def test_the_box_holds_two_models() -> None:
    assert model_names() == ("smol", "tiny")


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelNotFoundError, match="'huge' cannot be opened: the models in the box are smol, tiny"):
        model_path("huge")


def test_finding_the_model_does_not_import_torch() -> None:
    code = "import sys, skipit_nb.zoo as zoo; zoo.model_path(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_weights_are_float16_and_at_most_ten_megabytes() -> None:
    assert (model_path() / "model.safetensors").stat().st_size < 10e6
    assert LlavaForConditionalGeneration.from_pretrained(model_path(), dtype="auto").dtype == torch.float16


def test_it_opens_in_under_two_seconds() -> None:
    began = time.process_time()
    LlavaForConditionalGeneration.from_pretrained(model_path(), dtype=torch.float32)
    AutoProcessor.from_pretrained(model_path())
    assert time.process_time() - began < 2


def test_it_has_64_vision_tokens_12_layers_and_grouped_keys_and_values(tiny: LlavaForConditionalGeneration) -> None:
    text = tiny.config.text_config
    assert tiny.config.image_seq_length == 64
    assert text.num_hidden_layers == 12
    assert text.num_key_value_heads < text.num_attention_heads
    assert 2e6 < tiny.num_parameters() < 4.5e6


@pytest.mark.parametrize("name", task_names())
def test_a_sample_scores_near_the_card_when_asked_as_anybody_would_ask(
    tiny: LlavaForConditionalGeneration, name: str
) -> None:
    processor = AutoProcessor.from_pretrained(model_path())
    examples = load_task(name).sample(300, seed=5)
    chats = [
        [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": example.question}]}]
        for example in examples
    ]
    scores = []
    for first in range(0, len(examples), 50):
        texts = [processor.apply_chat_template(chat, add_generation_prompt=True) for chat in chats[first : first + 50]]
        asked = examples[first : first + 50]
        inputs = processor(images=[e.image for e in asked], text=texts, padding=True, return_tensors="pt")
        output = tiny.generate(**inputs, max_new_tokens=load_task(name).max_new_tokens)
        said = processor.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        scores += [score(text, example).value for text, example in zip(said, asked, strict=True)]
    # Three standard errors by image: 30 images of easy-VQA, 60 of Digits-VQA.
    assert sum(scores) / len(scores) == pytest.approx(card_of(name)["accuracy"], abs=0.06)


@pytest.mark.parametrize("name", task_names())
def test_the_blind_baseline_is_the_cards(name: str) -> None:
    examples, card = load_task(name).examples, card_of(name)
    guessed = blind(load_task(name, "train").examples, examples)
    assert share(guessed) == pytest.approx(card["blind_accuracy"])
    assert by_kind(examples, guessed) == card["blind_kinds"]


@pytest.mark.slow
@pytest.mark.parametrize("name", task_names())
def test_the_full_test_split_scores_as_the_card_says(tiny: LlavaForConditionalGeneration, name: str) -> None:
    corpus, card = make_corpus(load_task(name), make_dialect()), card_of(name)
    right = accuracy(tiny, make_dialect(), corpus)
    assert len(right) == card["num_test_questions"]
    assert share(right) == pytest.approx(card["accuracy"], abs=0.002)


def test_the_card_meets_what_was_promised() -> None:
    easy, digits = card_of("easy-vqa"), card_of("digits-vqa")
    assert easy["num_test_questions"] == 9673
    assert easy["accuracy"] >= 0.93
    assert digits["accuracy"] >= digits["blind_accuracy"] + 0.20
