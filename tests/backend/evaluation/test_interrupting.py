"""Ctrl-C gives what was answered, judged and marked; a cancelled job hands the same over; the model is as before."""

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from skipit_nb import Comparison, Sweep
from skipit_nb.backend.evaluation import ab, lines
from skipit_nb.backend.evaluation.interrupting import InterruptedWarning
from skipit_nb.backend.evaluation.ledger import ANSWERS, Ledger
from skipit_nb.errors import CancelledError
from tests.backend.evaluation.broken_images import task_with, without

TASK, B = "digits-vqa", "vision absent 3-"
SETS = ["whole 11", B]
ASKED = {"b": B, "limit": 24, "batch_size": 5, "measure": ("accuracy", "flops")}


def at(questions, what=KeyboardInterrupt):
    """A tick that stops a run once so many questions are done."""

    def tick(done, _):
        if done >= questions:
            raise what

    return tick


@pytest.fixture
def answers(session):
    """What the model says to a question before and after a test."""
    example = session.examples(TASK)[0]
    before = session.ask(example.image, example.question)
    hooks = sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in session.model.modules())
    yield before
    assert session.ask(example.image, example.question) == before
    assert hooks == sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks) for module in session.model.modules()
    )
    assert not session._open.lock.is_held


@pytest.mark.usefixtures("answers")
def test_an_interrupted_comparison_is_that_of_the_questions_it_answered(session):
    whole = session.compare(TASK, **ASKED)
    with pytest.warns(InterruptedWarning, match=r"this result is incomplete\. Comparison"):
        found = session.compare(TASK, progress=at(10), **ASKED)
    assert found.answers == whole.answers[:10]
    assert found.provenance.samples == whole.provenance.samples[:10]
    assert (found.is_complete, found.num_unasked) == (False, whole.num_questions - 10)
    said = f"Incomplete, interrupted after 10 of {whole.num_questions} questions. "
    assert found.verdict.sentence.startswith(said)
    assert found.statistics.set_index("statistic").value["asked"] == 10 / whole.num_questions
    assert found.metric("prefill FLOPs") == whole.metric("prefill FLOPs")
    assert Comparison.from_json(found.to_json()) == found


def test_what_is_left_of_it_is_judged_as_a_run_of_its_own(session):
    task = task_with({})
    with pytest.warns(InterruptedWarning):
        found = session.compare(task, b=B, batch_size=5, measure=("accuracy",), progress=at(10))
    alone = session.compare(without(task, {10, 11}), b=B, batch_size=5, measure=("accuracy",))
    assert (found.metrics, found.kinds, found.tests) == (alone.metrics, alone.kinds, alone.tests)
    assert found.verdict.kind == alone.verdict.kind


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize("questions", [0, 1])
def test_with_fewer_than_two_images_there_is_nothing_to_hand_over(session, questions):
    with pytest.raises(KeyboardInterrupt):
        session.compare(TASK, b=B, limit=8, batch_size=1, measure=("accuracy",), progress=at(questions))
    with pytest.raises(KeyboardInterrupt):
        session.sweep(TASK, SETS, limit=8, batch_size=1, progress=at(questions))


@pytest.mark.usefixtures("answers")
def test_a_real_interrupt_in_the_middle_of_a_layer(session):
    asked = {"b": B, "limit": 120, "batch_size": 8, "measure": ("accuracy",)}

    def soon(done, _):
        if done == 24:
            threading.Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()

    with pytest.warns(InterruptedWarning):
        found = session.compare(TASK, progress=soon, **asked)
    assert 24 <= found.num_questions < 120
    assert found.answers == session.compare(TASK, **asked).answers[: found.num_questions]


@pytest.mark.usefixtures("answers")
def test_interrupted_while_it_times_it_has_all_answers_and_says_what_is_missing(session, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    whole = session.compare(TASK, **ASKED)
    monkeypatch.setattr(ab, "saved", interrupted)
    with pytest.warns(InterruptedWarning):
        found = session.compare(TASK, b=B, limit=24, batch_size=5)
    assert found.answers == whole.answers
    assert (found.is_complete, found.num_unasked) == (False, 0)
    assert found.verdict.sentence.startswith("Incomplete, interrupted after the last question")


def test_interrupted_it_may_have_been_allowed_to_stop_early(session):
    with pytest.warns(InterruptedWarning):
        found = session.compare(TASK, stop_early=True, progress=at(10), **ASKED)
    assert (found.num_questions, found.is_complete) == (10, False)
    assert found.planned == 10 + found.num_unasked
    assert "anytime" in found.metric("accuracy").method


def test_what_workers_answered_before_the_interrupt_is_kept(session):
    with ThreadPoolExecutor(2) as executor, pytest.warns(InterruptedWarning):
        found = session.compare(TASK, executor=executor, progress=at(10), **ASKED)
    whole = session.compare(TASK, **ASKED)
    assert 10 <= found.num_questions < whole.num_questions
    assert set(found.answers) <= set(whole.answers)
    assert found.provenance.device == "cpu"


# ── ledger ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_after_an_interrupt_the_ledger_is_whole_and_the_run_goes_on(session, tmp_path):
    with pytest.warns(InterruptedWarning):
        session.compare(TASK, ledger=tmp_path, progress=at(10), **ASKED)
    assert len(Ledger(tmp_path)) == 20
    assert session.compare(TASK, ledger=tmp_path, **ASKED) == session.compare(TASK, **ASKED)


def test_an_interrupt_while_a_line_is_written_leaves_no_half_line(session, monkeypatch, tmp_path):
    calls, synced = [], lines.os.fsync

    def interrupted(file):
        calls.append(file)
        if len(calls) == 6:
            raise KeyboardInterrupt
        synced(file)

    monkeypatch.setattr(lines.os, "fsync", interrupted)
    with pytest.warns(InterruptedWarning):
        session.compare(TASK, ledger=tmp_path, **ASKED)
    monkeypatch.undo()
    assert (tmp_path / ANSWERS).read_bytes().endswith(b"\n")
    assert session.compare(TASK, ledger=tmp_path, **ASKED) == session.compare(TASK, **ASKED)


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("answers")
def test_a_cancelled_job_hands_over_what_it_has(session):
    begun = threading.Event()

    def work(tick):
        def told(done, total):
            if done >= 10:  # the job is cancelled at a batch that we know
                begun.set()
                job.cancel()
            tick(done, total)

        return session.compare(TASK, progress=told, **ASKED)

    job = session.submit(work)
    with pytest.raises(CancelledError) as caught:
        job.result(60)
    assert begun.is_set()
    assert job.state == "cancelled"
    assert job.partial is caught.value.partial
    assert isinstance(job.partial, Comparison)
    assert (job.partial.is_complete, job.partial.num_questions) == (False, 10)


def test_a_job_cancelled_before_its_first_answer_has_nothing(session):
    with pytest.raises(CancelledError) as caught:
        session.compare(TASK, progress=at(0, CancelledError), **ASKED)
    assert caught.value.partial is None


# ── sweeps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.usefixtures("answers")
def test_an_interrupted_sweep_ranks_by_the_questions_it_asked(session):
    task = task_with({})
    with pytest.warns(InterruptedWarning, match=r"Sweep.*incomplete: interrupted with 2 questions unasked"):
        found = session.sweep(task, SETS, batch_size=5, finalists=1, progress=at(10))
    alone = session.sweep(without(task, {10, 11}), SETS, batch_size=5)
    assert found.rows == alone.rows
    assert found.provenance == alone.provenance
    assert (found.is_complete, found.num_unasked) == (False, 2)
    assert Sweep.from_json(found.to_json()) == found


def test_a_sweep_interrupted_among_its_finalists_keeps_the_ranking_by_prefill(session):
    with pytest.warns(InterruptedWarning):
        found = session.sweep(TASK, SETS, limit=12, batch_size=4, finalists=2, progress=at(17))
    assert found.rows == session.sweep(TASK, SETS, limit=12, batch_size=4).rows
    assert {row.scored for row in found.rows} == {"prefill"}
    assert (found.is_complete, found.num_unasked) == (False, 0)


def test_a_cancelled_sweep_carries_what_it_has(session):
    with pytest.raises(CancelledError) as caught:
        session.sweep(TASK, SETS, limit=12, batch_size=4, progress=at(8, CancelledError))
    assert isinstance(caught.value.partial, Sweep)
    assert not caught.value.partial.is_complete


def test_an_interrupted_search_is_over(session):
    with pytest.raises(KeyboardInterrupt):
        session.search(TASK, limit=12, speedup=1.1, progress=at(4))


# ── command line ─────────────────────────────────────────────────────────────────────────────────────────────────────

COMMAND = """
import signal, sys
from skipit_nb.backend.evaluation import batches
from skipit_nb.cli import main

completed, seen = batches.Gathered.completed, []

def then_stop(self, *given):
    rows = completed(self, *given)
    seen.append(1)
    if len(seen) == 2:
        signal.raise_signal(signal.SIGINT)
    return rows

batches.Gathered.completed = then_stop
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "--b", B, "--no-latency"], "Incomplete, interrupted after 8 of"),
        (["sweep", *SETS], "Incomplete: interrupted,"),
    ],
)
def test_a_command_prints_what_it_has_and_ends_with_status_130(arguments, said):
    command = [*arguments, "--task", TASK, "--limit", "16", "--batch-size", "4", "--device", "cpu"]
    ended = subprocess.run([sys.executable, "-c", COMMAND, *command], check=False, capture_output=True, text=True)
    assert ended.returncode == 130, ended.stderr[-2000:]
    assert said in ended.stdout
