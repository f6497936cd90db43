import pytest
from PIL import Image

from skipit_nb.zoo.architecture import NUM_VISION_TOKENS
from skipit_nb.zoo.smol.architecture import make_processor
from skipit_nb.zoo.smol.prompt import make_dialect
from tests.zoo.smol.small_backbone import small_tokenizer

GRAY = Image.new("RGB", (64, 64), (128, 128, 128))
QUESTION = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "is it red?"}]}


def test_the_chat_template_is_the_language_models_own_form_with_the_image_first() -> None:
    text = make_processor(small_tokenizer()).apply_chat_template([QUESTION], add_generation_prompt=True)
    assert text == "<|im_start|>user\n<file_sep>is it red?<|im_end|>\n<|im_start|>assistant\n"


def test_the_chat_template_goes_on_after_an_answer() -> None:
    chat = [QUESTION, {"role": "assistant", "content": "no"}, {"role": "user", "content": "is it blue?"}]
    text = make_processor(small_tokenizer()).apply_chat_template(chat, add_generation_prompt=True)
    assert text.endswith("assistant\nno<|im_end|>\n<|im_start|>user\nis it blue?<|im_end|>\n<|im_start|>assistant\n")


def test_a_prompt_has_the_tokens_of_the_training() -> None:
    processor = make_processor(small_tokenizer())
    text = processor.apply_chat_template([QUESTION], add_generation_prompt=True)
    ids = processor(images=[GRAY], text=text, return_tensors="pt", add_special_tokens=False)["input_ids"][0].tolist()
    dialect = make_dialect(processor.tokenizer, NUM_VISION_TOKENS)
    trained = (*dialect.opening, *[dialect.image] * 64, *dialect.ids_of("is it red?"), *dialect.asking)
    assert ids == list(trained)
    assert len(dialect.opening) == 3
    assert len(dialect.asking) == 5


@pytest.mark.parametrize("text", ["red", "is there a 7?"])
def test_no_token_is_added_to_a_text(text: str) -> None:
    dialect = make_dialect(small_tokenizer(), NUM_VISION_TOKENS)
    assert not {dialect.end, dialect.pad, dialect.image} & set(dialect.ids_of(text))
