"""How an answer is spelled behind a prompt: by a tokenizer whose words merge with what stands before them."""

import pytest
import torch

from skipit_nb.backend.live.answer_tokens import AnswerTokens, gap_in, usual_gap
from skipit_nb.backend.live.prompts import Prompts
from tests.backend.evaluation.spelling import SPACED, UNSPACED, WITHOUT_ANSWERS, bpe, processor

ANSWERS = ["red", "a red cat", "cat", "Élan 7", "no"]


def prompts(template):
    return Prompts(processor(template), [3])


def spelled(of, answer):
    return bpe().decode(of.answer_ids(answer))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize(("template", "gap"), [(SPACED, " "), (UNSPACED, ""), (WITHOUT_ANSWERS, ""), (None, " ")])
def test_prompt_and_tokens_spell_prompt_and_answer(template, gap, answer):
    of = prompts(template)
    assert spelled(of, answer) == f"{gap}{answer}"


@pytest.mark.parametrize("template", [SPACED, UNSPACED])
def test_the_tokens_are_those_that_the_template_gives_an_answer(template):
    of, tokenizer = prompts(template), bpe()
    chat = [{"role": "user", "content": [{"type": "text", "text": "is there a red cat ?"}]}]
    reply = {"role": "assistant", "content": [{"type": "text", "text": "a red cat"}]}
    made = processor(template)
    prompt, whole = (
        tokenizer(made.apply_chat_template(said, **more), add_special_tokens=False)["input_ids"]
        for said, more in ((chat, {"add_generation_prompt": True}), ([*chat, reply], {}))
    )
    ids = of.answer_ids("a red cat")
    assert whole[: len(prompt)] == prompt
    assert tuple(whole[len(prompt) : len(prompt) + len(ids)]) == ids


def test_where_prompt_and_answer_would_merge_the_prompts_tokens_stand():
    tokenizer = bpe()
    merged = tokenizer("Say: red", add_special_tokens=False)["input_ids"]
    prompt = tokenizer("Say: ", add_special_tokens=False)["input_ids"]
    assert merged[: len(prompt)] != prompt, "a tokenizer that does not merge would prove nothing"
    ids = AnswerTokens(tokenizer, "Say: ", "").of("red")
    assert tokenizer.decode([*prompt, *ids]) == "Say: red"
    assert spelled(prompts(WITHOUT_ANSWERS), "red") == "red"


def test_where_a_space_would_merge_with_the_prompt_the_answer_keeps_it():
    tokenizer = bpe(across_words=True)
    prompt, together = (tokenizer(text)["input_ids"] for text in ("ASSISTANT :", "ASSISTANT : red"))
    assert together[: len(prompt)] != prompt
    ids = AnswerTokens(tokenizer, "ASSISTANT :", " ").of("red")
    assert tokenizer.decode([*prompt, *ids]) == "ASSISTANT : red"


class Ending:
    """A processor without a template that writes a line break behind each question, as PaliGemma's does."""

    def __init__(self):
        self._inner = processor(None)
        self.tokenizer, self.chat_template, self.image_token = self._inner.tokenizer, None, "<image>"

    def __call__(self, *, text, **more):
        return self._inner(text=[f"{one}\n" for one in text], **more)


def test_without_a_template_the_prompt_itself_shows_how_it_ends():
    of = Prompts(Ending(), [3])
    assert bpe().decode(of.answer_ids("red")) == "red"


def test_the_gap_is_white_space_or_the_usual_one():
    assert gap_in("Q: A:", "Q: A: yes</s>", "yes") == " "
    assert gap_in("[ASK]", "[ASK]yes", "yes") == ""
    assert gap_in("A:", "A:<think></think>yes", "yes") is None, "what a template says for the model is no gap"
    assert gap_in("A: ", "B: yes", "yes") is None
    assert [usual_gap(end) for end in ("A:", "A:\n", "A: ", "")] == [" ", "", "", ""]


def test_the_model_in_the_box_says_one_token_a_word(session):
    live = session._open
    prompt = live.inputs([None], ["is it red?"])["input_ids"][0]
    answer = session.processor.tokenizer("is it red?<answer>red", add_special_tokens=False)["input_ids"]
    assert live.answer_ids("red") == (answer[-1],)
    assert torch.equal(prompt[-len(answer) + 1 :], torch.tensor(answer[:-1]))
