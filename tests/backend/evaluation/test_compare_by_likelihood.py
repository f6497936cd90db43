"""`compare(output_type="multiple_choice")` from question to result: the model in the box, and one that spells."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from PIL import Image

from skipit_nb import Session
from skipit_nb.backend.evaluation.ledger import ANSWERS
from skipit_nb.backend.evaluation.prefix import Prefix
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import SettingError
from skipit_nb.results import Comparison
from skipit_nb.results.comparison import FRAME_COLUMNS
from tests.backend.evaluation.spelling import processor, speller

TASK, B = "easy-vqa", "vision absent 3-"
ASKED = {"limit": 24, "batch_size": 5, "measure": ("accuracy",), "output_type": "multiple_choice"}
METRICS = ["accuracy", "acc_norm", "acc_per_token", "margin"]


@pytest.fixture(scope="module")
def found(session):
    return session.compare(TASK, b=B, **ASKED)


@pytest.fixture(scope="module")
def spelling():
    with Session(speller(), processor()) as opened:
        yield opened


@pytest.fixture(scope="module")
def own():
    """Six questions about three images, with options of one to five tokens, one the beginning of another."""
    images = [Image.new("RGB", (16, 16), color) for color in ("red", "green", "blue")]
    about = {"answer": "a red cat", "question": "is there a red cat on this image ?"}
    rows = [about | {"image": images[number // 2], "picture": number // 2} for number in range(5)]
    rows.append(about | {"image": images[2], "picture": 2, "question": "red ?"})
    options = ["yes", "a red cat", "a red", "no", "the dog"]
    return Task.from_dicts(rows, doc_to_text="{{question}}", doc_to_choice=options, cluster_key="picture")


def from_scratch(session, example, text, skipset):
    """A choice's log-likelihood by hand: prompt and choice as one prompt, run without a cache."""
    live = session._open
    inputs = live.inputs([example.image], [example.question])
    prompt = inputs["input_ids"]
    gap = session.processor.tokenizer(f" {text}", add_special_tokens=False, return_tensors="pt")["input_ids"]
    whole = inputs | {
        "input_ids": torch.cat([prompt, gap], 1),
        "attention_mask": torch.ones(1, prompt.shape[1] + gap.shape[1], dtype=torch.long),
    }
    with torch.no_grad(), session.skipping(skipset):
        logs = session.model(**whole, use_cache=False).logits[0].double().log_softmax(-1)
    steps = range(prompt.shape[1] - 1, whole["input_ids"].shape[1] - 1)
    return sum(float(logs[step, token]) for step, token in zip(steps, gap[0].tolist(), strict=True))


def test_every_number_is_the_one_by_hand_also_in_a_padded_batch(spelling, own):
    b = "vision absent 1-2; whole 3"
    compared = spelling.compare(own, b=b, batch_size=4, output_type="multiple_choice", measure=("accuracy",))
    for example, row in zip(own.examples, compared.choices.questions, strict=True):
        for skipset, values in (("none", row.a), (b, row.b)):
            by_hand = [from_scratch(spelling, example, text, skipset) for text in row.choices]
            assert values == pytest.approx(by_hand, abs=1e-5)
        assert row.tokens == tuple(len(spelling._open.answer_ids(text)) for text in row.choices)
    assert len(set(row.tokens)) > 2, "choices of several lengths"
    assert {answer.a for answer in compared.answers} <= set(row.choices)


def test_the_likeliest_choice_is_the_answer_and_generation_writes_the_same(session, found):
    written = session.compare(TASK, b=B, **ASKED | {"output_type": None})
    for one, other, row in zip(found.answers, written.answers, found.choices.questions, strict=True):
        assert one.a == row.chosen("a")
        if other.a in row.choices:
            assert (one.a, one.score_a) == (other.a, other.score_a)
    assert found.metric("accuracy").a == sum(row.is_right("a") for row in found.choices.questions) / len(found.answers)


def test_the_result_says_what_was_ranked(found):
    assert list(found.summary.metric) == METRICS
    frame = found.frame
    assert frame.margin_b.tolist() == [row.margin("b") for row in found.choices.questions]
    assert ((frame.margin_a > 0) == (frame.score_a == 1)).all()
    margin = found.metric("margin")
    assert margin.value == pytest.approx((frame.margin_b - frame.margin_a).mean())
    assert margin.low < margin.value < margin.high
    choices = found.choices.frame
    assert len(choices) == 13 * found.num_questions
    assert choices.groupby("key").is_right.sum().eq(1).all()
    assert (choices.log_likelihood_a <= 0).all()


def test_the_page_says_what_every_number_is(session):
    both = session.compare(TASK, b=B, **ASKED | {"limit": 4, "measure": ("accuracy", "loyalty")})
    page = (Path(__file__).parents[3] / "docs" / "likelihood.md").read_text("utf-8")
    new = set(both.frame) - set(FRAME_COLUMNS)
    assert len(new) == 4
    assert all(f"`{name}`" in page for name in (*both.summary.metric, *new))


def test_it_travels_as_json(found):
    assert Comparison.from_json(found.to_json()) == found


def test_neither_batches_nor_workers_change_it(session, found):
    with ThreadPoolExecutor(2) as executor:
        assert session.compare(TASK, b=B, executor=executor, **ASKED) == found
    alone = session.compare(TASK, b=B, **ASKED | {"batch_size": 1})
    assert alone.answers == found.answers
    for one, other in zip(alone.choices.questions, found.choices.questions, strict=True):
        assert one.b == pytest.approx(other.b, abs=1e-5)


def test_a_ledger_keeps_every_number_apart_from_what_was_written(session, found, tmp_path, monkeypatch):
    session.compare(TASK, b=B, ledger=tmp_path, **ASKED | {"output_type": "generate_until"})
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == found
    lines = (tmp_path / ANSWERS).read_text().splitlines()
    assert len(lines) == 4 * found.num_questions
    with monkeypatch.context() as patched:
        patched.setattr(Prefix, "of", None)
        assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == found
    torn = [line for line in lines if "[[" in json.loads(line)["answer"]][: found.num_questions]
    (tmp_path / ANSWERS).write_text("".join(line + "\n" for line in torn) + lines[-1][:30])
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == found


def test_it_may_stop_early(session):
    early = session.compare(TASK, b="vision absent 0-", **ASKED | {"limit": 200, "batch_size": 32}, stop_early=True)
    assert early.verdict.kind == "worse"
    assert early.num_questions == len(early.choices.questions) < 200


def test_half_precision_compares_choices_and_not_their_last_digits():
    with Session.open(device="cpu", dtype="bfloat16") as session:
        compared = session.compare(TASK, b=B, **ASKED | {"limit": 8, "batch_size": 4})
    assert compared.noise.changed <= 1


def test_a_task_says_how_it_is_answered_and_a_sweep_asks_by_generation(session, own, spelling):
    ranked = own.answered_by("multiple_choice")
    assert spelling.compare(ranked, b="whole 1", measure=("accuracy",)).choices is not None
    assert spelling.compare(ranked, b="whole 1", output_type="generate_until", measure=("accuracy",)).choices is None
    assert spelling.sweep(ranked, ["whole 1"], finalists=1).rows[0].scored == "generated"


def test_open_questions_are_refused_before_anything_runs(session):
    open_ended = Task.from_dicts([{"question": "why?", "answer": "because"}], doc_to_visual=None)
    with pytest.raises(SettingError, match="questions have choices"):
        session.compare(open_ended, b="whole 1", output_type="multiple_choice")
    with pytest.raises(SettingError, match="generate_until, multiple_choice"):
        session.compare(TASK, b="whole 1", output_type="greedy")
