"""Requests of lmms-eval, chat and simple, as questions."""

import pytest
from PIL import Image

from skipit_nb.errors import SettingError
from skipit_nb.integrations.lmms_eval.asked import Asked, from_messages, read_chat, read_simple, visuals

RED, BLUE = (Image.new("RGB", (8, 8), color) for color in ("red", "blue"))
DOCUMENTS = {"shapes": {"test": [{"image": BLUE}, {"image": RED}]}}
GREEDY = {"max_new_tokens": 4, "do_sample": False, "until": ["\n\n"]}


def messages(document):
    content = [{"type": "image", "url": document["image"]}, {"type": "text", "text": "what color?"}]
    return [{"role": "user", "content": content}]


def chat(options):
    return ("what color?", messages, options, 1, "shapes", "test")


def simple(options, doc_to_visual=lambda document: [document["image"]]):
    return ("what color?", options, doc_to_visual, 1, "shapes", "test")


@pytest.mark.parametrize(("read", "arguments"), [(read_chat, chat), (read_simple, simple)])
def test_both_kinds_of_request_are_the_same_question(read, arguments):
    asked = read(arguments(GREEDY), DOCUMENTS, max_new_tokens=99)
    assert asked == Asked((RED,), "what color?", 4, ("\n\n",))


def test_a_task_that_names_no_length_gets_ours():
    assert read_chat(chat({"until": "."}), DOCUMENTS, max_new_tokens=99).max_new_tokens == 99


def test_stop_strings_come_as_one_as_many_or_not_at_all():
    found = [read_chat(chat({"until": until}), DOCUMENTS, max_new_tokens=9).until for until in (".", ["a", "b"], None)]
    assert found == [(".",), ("a", "b"), ()]


@pytest.mark.parametrize("greedy", [{"temperature": 0.0}, {"temperature": None}, {"num_beams": 1}, {"top_p": 1.0}])
def test_greedy_is_greedy_however_it_is_said(greedy):
    assert read_chat(chat(GREEDY | greedy), DOCUMENTS, max_new_tokens=9).max_new_tokens == 4


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.7), ("do_sample", True), ("num_beams", 4)])
@pytest.mark.parametrize(("read", "arguments"), [(read_chat, chat), (read_simple, simple)])
def test_sampling_is_refused(read, arguments, name, value):
    with pytest.raises(SettingError, match=f"{name} is {value}.*greedy"):
        read(arguments(GREEDY | {name: value}), DOCUMENTS, max_new_tokens=9)


@pytest.mark.parametrize("doc_to_visual", [None, lambda _: None, lambda _: []])
def test_a_question_without_an_image_has_none(doc_to_visual):
    assert visuals(simple({}, doc_to_visual), DOCUMENTS) == ()


def test_images_keep_their_order_and_a_plain_text_has_none():
    parts = [{"type": "image", "url": RED}, {"type": "image", "url": BLUE}, {"type": "text", "text": "same?"}]
    assert from_messages([{"role": "user", "content": parts}]) == ((RED, BLUE), "same?")
    assert from_messages([{"role": "user", "content": "two and two?"}]) == ((), "two and two?")


@pytest.mark.parametrize("kinds", [["text", "image"], ["image"], ["video", "text"], ["image", "text", "text"], []])
def test_a_message_that_our_prompt_would_say_otherwise_is_refused(kinds):
    parts = [{"type": kind, "text": "x", "url": RED} for kind in kinds]
    with pytest.raises(SettingError, match=r"\['image', 'text'\]"):
        from_messages([{"role": "user", "content": parts}])


@pytest.mark.parametrize("roles", [["system", "user"], ["user", "assistant", "user"], []])
def test_more_than_one_turn_is_refused(roles):
    with pytest.raises(SettingError, match="one question without a system prompt"):
        from_messages([{"role": role, "content": "x"} for role in roles])
