"""The model in the box, asked as a harness asks it: the answers of `compare`, and true losses."""

import pytest
import torch

from skipit_nb import SkipSet
from skipit_nb.errors import SettingError
from skipit_nb.integrations.lmms_eval.answering import Answering
from skipit_nb.integrations.lmms_eval.asked import Asked

EXIT = SkipSet.early_exit(2)


@pytest.fixture(scope="module")
def questions(session):
    return session.examples("digits-vqa", limit=24)


def asked(example, *, max_new_tokens=4, until=()):
    return Asked((example.image,), example.question, max_new_tokens, until)


@pytest.mark.parametrize("skipset", [SkipSet.none(), EXIT])
def test_answers_are_those_of_compare_in_any_batch(session, questions, skipset):
    compared = session.compare("digits-vqa", b=skipset, limit=24, measure=("accuracy",))
    for size in (1, 5):
        written = Answering(session, skipset, size).write(map(asked, questions))
        assert [one.text for one in written] == [answer.b for answer in compared.answers]


def test_questions_that_end_differently_keep_their_order(session, questions):
    lengths = [1, 4, 4, 1, 4]
    mixed = [asked(one, max_new_tokens=length) for one, length in zip(questions, lengths, strict=False)]
    together = list(Answering(session, EXIT, 4).write(mixed))
    assert together == [one for question in mixed for one in Answering(session, EXIT, 4).write([question])]
    assert [one.num_new_tokens for one in together if one][0::3] == [1, 1]


def test_an_answer_ends_before_a_stop_string(session, questions):
    def text(*until):
        return next(Answering(session, EXIT, 1).write([asked(questions[0], until=until)])).text

    assert text() == text("\n\n") != ""
    assert text(text()) == ""


def test_images_are_opened_batch_by_batch(session, questions):
    opened = []
    taken = Answering(session, EXIT, 2).write(opened.append(one.key) or asked(one) for one in questions)
    next(taken)
    assert len(opened) == 2


def test_the_tokens_of_the_prompt_are_counted_without_padding(session, questions):
    alone = [next(Answering(session, EXIT, 1).write([asked(one)])).num_prompt_tokens for one in questions[:6]]
    together = [one.num_prompt_tokens for one in Answering(session, EXIT, 6).write(map(asked, questions[:6]))]
    assert together == alone
    assert len(set(alone)) > 1


def test_a_loss_is_the_mean_of_minus_log_p_computed_by_hand(session, questions):
    example = questions[0]
    found, is_greedy = Answering(session, EXIT, 1).loss([example.image], example.question, f" {example.answer}")
    live = session._open
    prompt, answer = live.inputs([example.image], [example.question]), live.answer_ids(example.answer)
    total = 0.0
    for token in answer:
        with torch.inference_mode(), session.skipping(EXIT):
            logs = session.model(**prompt, use_cache=False).logits[0, -1].log_softmax(-1)
        total -= float(logs[token])
        grown = torch.cat([prompt["input_ids"], torch.tensor([[token]])], dim=1)
        prompt |= {"input_ids": grown, "attention_mask": torch.ones_like(grown)}
    assert found == pytest.approx(total / len(answer), rel=1e-4)
    assert is_greedy is (next(Answering(session, EXIT, 1).write([asked(example)])).text == example.answer)


def test_what_the_model_writes_has_the_lowest_loss_and_it_alone_is_greedy(session, questions):
    answers = sorted({example.answer for example in questions})
    for example in questions[:4]:
        written = next(Answering(session, EXIT, 1).write([asked(example)])).text
        found = {one: Answering(session, EXIT, 1).loss([example.image], example.question, one) for one in answers}
        assert min(found, key=found.get) == written
        assert [one for one in answers if found[one][1]] == [written]


def test_nothing_has_no_loss(session, questions):
    with pytest.raises(SettingError, match="a continuation is ' '"):
        Answering(session, EXIT, 1).loss([questions[0].image], questions[0].question, " ")
