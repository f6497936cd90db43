import pytest
import torch
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from skipit_nb.backend.tasks import Example, load_task, task_names
from skipit_nb.zoo.architecture import make_dialect, make_model, make_processor
from skipit_nb.zoo.corpus import make_corpus, pixel_values
from skipit_nb.zoo.packing import hidden_states, image_prefix, pack, vision_tokens


def prompted_logits(model: LlavaForConditionalGeneration, processor: LlavaProcessor, example: Example) -> torch.Tensor:
    chat = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": example.question}]}]
    text = processor.apply_chat_template(chat, add_generation_prompt=True)
    return model(**processor(images=[example.image], text=text, return_tensors="pt")).logits[0, -1]


@pytest.mark.parametrize("name", task_names())
@torch.inference_mode()
def test_packed_questions_have_the_logits_of_prompts_of_their_own(name: str) -> None:
    model, processor = make_model(seed=1).eval(), make_processor()
    corpus = make_corpus(load_task(name, "validation"), make_dialect(), max_images=3)
    batch = pack(make_dialect(), [image_prefix(make_dialect())] * len(corpus), corpus.items)
    hidden = hidden_states(model, batch, vision_tokens(model, pixel_values(corpus.images)))
    packed = model.lm_head(hidden[batch.answer_places])
    alone = torch.stack([prompted_logits(model, processor, item.example) for row in corpus.items for item in row])
    assert packed.shape == alone.shape
    assert (packed - alone).abs().max() < 1e-4
    assert alone.std() > 0.01  # logits that differ, or the comparison would be empty


def test_a_question_sees_the_prefix_and_itself_and_nothing_of_its_neighbours() -> None:
    corpus = make_corpus(load_task("digits-vqa", "validation"), make_dialect(), max_images=2)
    batch = pack(make_dialect(), [image_prefix(make_dialect())] * 2, [corpus.items[0][:2], corpus.items[1][:1]])
    seen, segments = batch.attention_mask[0, 0], batch.segments[0]
    second = int((segments == 2).nonzero()[-1])
    assert seen[second][segments == 0].all()
    assert seen[second][segments == 2].all()
    assert not seen[second][segments == 1].any()


def test_a_prefix_of_some_patches_keeps_their_positions() -> None:
    assert image_prefix(make_dialect(), [3, 40]).positions == (0, 4, 41)
    assert len(image_prefix(make_dialect()).ids) == 65


def test_each_question_starts_right_after_the_image() -> None:
    corpus = make_corpus(load_task("digits-vqa", "validation"), make_dialect(), max_images=1)
    batch = pack(make_dialect(), [image_prefix(make_dialect())], corpus.items)
    for number in range(1, len(corpus.items[0]) + 1):
        assert batch.position_ids[0][batch.segments[0] == number][0] == 65
