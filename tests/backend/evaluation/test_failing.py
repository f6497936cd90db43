"""A question that cannot be asked or answered becomes a row with an error, and costs the others nothing."""

import contextlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pytest
import torch
from pandas.testing import assert_frame_equal
from PIL import Image

from skipit_nb import Comparison, Sweep, Task
from skipit_nb.backend.evaluation.failing import Careful, Failed, is_of_a_question
from skipit_nb.backend.live.model import LiveModel
from skipit_nb.errors import (
    CancelledError,
    ImageError,
    NothingAnsweredError,
    OutOfMemoryError,
    PromptError,
    QuestionError,
    SessionClosedError,
    SettingError,
)
from tests.backend.evaluation.broken_images import BROKEN, NOISE, ODD, digits, encoded, task_with, without

A, B = "none", "vision absent 3-11"
ASKED = {"b": B, "batch_size": 5, "measure": ("accuracy", "flops")}
THREE = {0: BROKEN["truncated"][0], 6: BROKEN["missing file"][0], 7: BROKEN["0 bytes"][0]}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_image_is_a_row_with_an_error_that_says_what_and_where(session, name):
    image, why = BROKEN[name]
    (row,) = session.compare(task_with({1: image}, 4), **ASKED).errors
    asked = digits(4)[1]
    assert (row.key, row.question, row.target, row.kind) == (asked.key, asked.question, asked.answer, asked.kind)
    assert re.search(why, row.error)
    assert row.error.startswith("ImageError: ")
    assert row.error.endswith(f"while opening the image of {asked.key}")


def test_questions_with_an_error_count_in_nothing(session):
    task = task_with(THREE)
    found, sound = session.compare(task, **ASKED), session.compare(without(task, THREE), **ASKED)
    assert (found.num_errors, sound.num_errors) == (3, 0)
    assert found.answers == sound.answers
    assert (found.kinds, found.tests, found.mde) == (sound.kinds, sound.tests, sound.mde)
    assert found.metric("accuracy") == sound.metric("accuracy")
    assert found.provenance == sound.provenance
    assert found.is_complete
    assert found.verdict.sentence == f"{sound.verdict.sentence} 3 of 12 questions had an error and are left out."


def test_the_tables_of_a_comparison_tell_of_errors(session):
    found = session.compare(task_with(THREE), **ASKED)
    frame = found.frame
    bad = frame[frame.error != ""]
    assert frame.columns[-1] == "error"
    assert (len(frame), set(bad.key)) == (12, {digits(12)[place].key for place in THREE})
    assert bad.score_a.isna().all()
    assert bad.a.isna().all()
    assert not bad.parsed_b.any()
    last = found.summary.iloc[-1]
    assert (last.metric, last.a, last.b) == ("errors", 3, 3)
    numbers = found.statistics.set_index("statistic").value
    assert (numbers["errors"], numbers["asked"]) == (3, 1)
    assert found.by("question").n.sum() == 9
    assert set(found.flips("changed").key) <= {answer.key for answer in found.answers}
    assert "3 of 12 questions had an error" in repr(found)
    assert Comparison.from_json(found.to_json()) == found


@pytest.mark.parametrize("name", ODD)
def test_an_odd_image_is_asked_like_any(session, name):
    found = session.compare(task_with({0: ODD[name]}, 3), **ASKED)
    assert (found.num_errors, found.num_questions) == (0, 3)


def test_a_photograph_taken_sideways_is_shown_upright():
    upright = Image.open(BytesIO(encoded(NOISE, "JPEG"))).transpose(Image.Transpose.ROTATE_270)
    seen = task_with({0: ODD["sideways"]}, 1).examples[0].image
    assert (seen.size, seen.tobytes()) == (upright.size, upright.tobytes())


def test_if_every_image_is_broken_the_error_quotes_the_first(session):
    task = task_with(dict.fromkeys(range(4), "/no/such/file.png"), 4)
    with pytest.raises(NothingAnsweredError, match=r"each of its 4 questions had an error.*/no/such/file\.png"):
        session.compare(task, b=B)
    with pytest.raises(NothingAnsweredError, match="a sweep needs answers"):
        session.sweep(task, ["whole 11"])


def test_workers_of_an_executor_send_errors_home(session):
    here = session.compare(task_with(THREE), **ASKED)
    with ThreadPoolExecutor(2) as executor:
        found = session.compare(task_with(THREE), executor=executor, **ASKED)
    assert (found.errors, found.answers) == (here.errors, here.answers)


def test_a_run_that_may_stop_early_goes_on_behind_broken_images(session):
    found = session.compare(task_with(THREE), stop_early=True, **ASKED)
    assert (found.num_errors, found.num_questions, found.is_complete) == (3, 9, True)


def test_times_are_those_of_questions_that_can_be_asked(session):
    found = session.compare(task_with({0: b"", 1: b""}, 4), b=B, measure=("accuracy", "latency"))
    assert found.num_errors == 2
    assert any(metric.unit == "ms" for metric in found.metrics)


def test_a_sweep_leaves_questions_with_an_error_out_of_every_set(session):
    sets, task = ["whole 11", B], task_with(THREE)
    found = session.sweep(task, sets, batch_size=5, finalists=1)
    sound = session.sweep(without(task, THREE), sets, batch_size=5, finalists=1)
    assert_frame_equal(found.frame, sound.frame)
    assert found.provenance == sound.provenance
    assert (found.num_errors, found.is_complete) == (3, True)
    assert "3 more had an error" in repr(found)
    assert Sweep.from_json(found.to_json()) == found


def test_a_metric_of_whole_groups_leaves_out_those_that_lost_a_question(session):
    task = task_with({1: b""}, 8, metric="circular")
    task = replace(task, examples=tuple(replace(e, group=str(n // 2)) for n, e in enumerate(task.examples)))
    found, sound = (session.compare(one, **ASKED) for one in (task, without(task, {0, 1})))
    assert found.metric("circular") == sound.metric("circular")
    assert (found.num_questions, sound.num_questions) == (7, 6)


# ── one arm alone ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def sick(monkeypatch, session):
    """Lets the model raise for one image under one arm."""

    def arrange(example, arm, error):
        pixels = session._open.inputs([example.image], [example.question])["pixel_values"][0]
        at_work, skipping, generate = [], LiveModel.skipping, LiveModel.generate

        @contextlib.contextmanager
        def noted(self, skipset, **more):
            with skipping(self, skipset, **more):
                at_work.append(str(skipset))
                yield
            at_work.pop()

        def sometimes(self, inputs, **how):
            if at_work[-1] == arm and any(torch.equal(row, pixels) for row in inputs["pixel_values"]):
                raise error
            return generate(self, inputs, **how)

        monkeypatch.setattr(LiveModel, "skipping", noted)
        monkeypatch.setattr(LiveModel, "generate", sometimes)

    return arrange


@pytest.mark.parametrize("arm", [A, B])
def test_what_one_arm_cannot_answer_is_left_out_of_both(session, sick, arm):
    task = task_with({1: ODD["palette"]})
    plain = session.compare(task, **ASKED)
    sick(task.examples[1], arm, RuntimeError("sizes of tensors must match"))
    found = session.compare(task, **ASKED)
    (row,) = found.errors
    assert row.error == f"RuntimeError: sizes of tensors must match · while answering under {arm!r}"
    assert found.answers == tuple(answer for answer in plain.answers if answer.key != row.key)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        SessionClosedError(),
        SettingError("margin", 2, "less"),
        ConnectionResetError("gone"),
    ],
)
def test_what_is_about_the_run_is_raised(session, sick, error):
    task = task_with({1: ODD["palette"]}, 4)
    sick(task.examples[1], B, error)
    expected = OutOfMemoryError if isinstance(error, torch.OutOfMemoryError) else type(error)
    with pytest.raises(expected):
        session.compare(task, **ASKED)
    assert not session._open.lock.is_held


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, IndexError, OSError, ZeroDivisionError, TypeError])
def test_others_errors_are_about_the_question(kind):
    assert is_of_a_question(kind("x"))


def test_of_our_own_errors_three_are_about_the_question():
    mine = [ImageError("x", "y"), QuestionError(""), PromptError("P", [2], "z")]
    assert all(map(is_of_a_question, mine))
    assert not is_of_a_question(CancelledError())


def test_what_a_users_own_rule_raises_is_raised(session):
    def rule(row, results):
        raise ZeroDivisionError("mine")

    rows = [{"image": NOISE, "question": "what?", "answer": "x"}] * 2
    with pytest.raises(ZeroDivisionError, match="mine"):
        session.compare(Task.from_dicts(rows, process_results=rule), b=B)


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def batches_seen(work, batch):
    """The rows that careful work gives, and the batches that it tried."""
    seen = []

    def noted(live, some):
        seen.append([example.key[-2:] for example in some])
        return work(some)

    return Careful(noted)(None, batch), seen


def test_questions_whose_image_is_whole_stay_one_batch():
    batch = task_with({1: b""}, 4).examples

    def work(some):
        return [example.image.size for example in some]

    rows, seen = batches_seen(work, batch)
    assert [isinstance(row, Failed) for row in rows] == [False, True, False, False]
    keys = [example.key[-2:] for example in batch]
    assert seen == [keys, [keys[0], *keys[2:]]]


def test_a_guilty_question_among_whole_images_is_found_one_by_one():
    batch = digits(3)

    def work(some):
        if batch[2] in some:
            raise ValueError("this one")
        return ["fine"] * len(some)

    rows, seen = batches_seen(work, batch)
    assert rows == ["fine", "fine", Failed("ValueError: this one")]
    assert [len(some) for some in seen] == [3, 1, 1, 1]


def test_questions_that_only_fail_together_do_not_fail():
    rows, _ = batches_seen(lambda some: [1] if len(some) == 1 else 1 / 0, digits(3))
    assert rows == [1, 1, 1]


def test_an_error_of_a_megabyte_is_cut_short():
    assert len(Failed.of(ValueError("x" * 1_000_000)).error) == 1000
