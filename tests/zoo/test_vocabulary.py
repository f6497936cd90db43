import pytest
from PIL import Image

from skipit_nb.backend.tasks import load_task, task_names
from skipit_nb.zoo.architecture import make_processor
from skipit_nb.zoo.vocabulary import UNKNOWN, make_tokenizer, vocabulary, word_ids

GRAY = Image.new("RGB", (64, 64), (128, 128, 128))


def prompt(*content: dict, role: str = "user") -> list[dict]:
    return [{"role": role, "content": list(content)}]


def test_every_word_of_both_tasks_is_known() -> None:
    words = word_ids(
        " ".join({text for name in task_names() for e in load_task(name).examples for text in (e.question, e.answer)})
    )
    assert vocabulary().index(UNKNOWN) not in words


def test_an_answer_is_one_token() -> None:
    answers = {e.answer for name in task_names() for e in load_task(name).examples}
    assert all(len(word_ids(answer)) == 1 for answer in answers)


@pytest.mark.parametrize("text", ["what color is it?", "Is there a 77?", "Is it BIG, or  small!", ""])
def test_word_ids_are_those_of_the_tokenizer(text: str) -> None:
    assert word_ids(text) == make_tokenizer()(text)["input_ids"]


def test_the_tokenizer_names_its_image_token_and_pads_on_the_left() -> None:
    tokenizer = make_tokenizer()
    assert (tokenizer.image_token, tokenizer.padding_side) == ("<image>", "left")
    batch = tokenizer(["is it red?", "what?"], padding=True)["input_ids"]
    assert batch[1][:2] == [tokenizer.pad_token_id] * 2


def test_the_chat_template_renders_the_prompt_of_the_training() -> None:
    processor = make_processor()
    chat = prompt({"type": "image"}, {"type": "text", "text": "What color is it?"})
    text = processor.apply_chat_template(chat, add_generation_prompt=True)
    assert text == "<s><image>What color is it?<answer>"
    ids = processor(images=[GRAY], text=text, return_tensors="pt")["input_ids"][0]
    tokens = processor.tokenizer.convert_ids_to_tokens(ids)
    assert tokens == ["<s>", *["<image>"] * 64, "what", "color", "is", "it", "?", "<answer>"]


def test_the_chat_template_takes_a_question_without_image() -> None:
    processor = make_processor()
    chat = prompt({"type": "text", "text": "is it red?"})
    assert processor.apply_chat_template(chat, add_generation_prompt=True) == "<s>is it red?<answer>"
    plain = [{"role": "user", "content": "is it red?"}]
    assert processor.apply_chat_template(plain, add_generation_prompt=True) == "<s>is it red?<answer>"


def test_the_chat_template_ends_an_answer_and_goes_on() -> None:
    chat = prompt({"type": "image"}, {"type": "text", "text": "is it red?"})
    chat += [{"role": "assistant", "content": "no"}, {"role": "user", "content": "what color is it?"}]
    text = make_processor().apply_chat_template(chat, add_generation_prompt=True)
    assert text == "<s><image>is it red?<answer>no</s>what color is it?<answer>"
