"""A sweep with a ledger is the sweep; killed in the middle, it goes on; more sets cost only themselves."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pandas.testing import assert_frame_equal

from skipit_nb.backend.evaluation import answering, keeping_scores
from skipit_nb.backend.evaluation.answering import answer_batch
from skipit_nb.backend.evaluation.ledger import ANSWERS, ERRORS, SCORES, Ledger
from skipit_nb.backend.trie.scores import prefill_batch
from skipit_nb.cli import main
from tests.backend.evaluation.broken_images import digits, task_with

pytestmark = pytest.mark.model

TASK, SETS = "digits-vqa", ["whole 11", "vision absent 3-", "attn 4"]
ASKED = {"limit": 24, "batch_size": 5, "finalists": 1}
KILLED = """
import os, signal
from skipit_nb import Session

def die(done, total):
    if done >= {after}:
        os.kill(os.getpid(), signal.SIGKILL)

with Session.open(device="cpu") as session:
    session.sweep({task!r}, {sets!r}, ledger={folder!r}, progress=die, **{asked!r})
"""


def told(sweep):
    """All that a sweep says but what it took."""
    return replace(sweep, layers_executed=0, layers_naive=0, layers_bound=0)


@pytest.fixture(scope="module")
def plain(session):
    return session.sweep(TASK, SETS, **ASKED)


@pytest.fixture
def scored(monkeypatch):
    """The questions that are scored, with the sets."""
    found = []

    def noted(live, batch, *, skipsets, memory):
        found.extend((example.key, str(one)) for example in batch for one in skipsets)
        return prefill_batch(live, batch, skipsets=skipsets, memory=memory)

    monkeypatch.setattr(keeping_scores, "prefill_batch", noted)
    return found


@pytest.fixture
def asked(monkeypatch):
    """The questions that finalists are asked."""
    found = []

    def noted(live, batch, *, arms, **how):
        found.extend((example.key, str(arm)) for example in batch for arm in arms)
        return answer_batch(live, batch, arms=arms, **how)

    monkeypatch.setattr(answering, "answer_batch", noted)
    return found


@pytest.mark.parametrize(
    ("after", "scores", "answers"), [pytest.param(10, 40, 0, marks=pytest.mark.slow), (37, 108, 20)]
)
def test_killed_in_the_middle_it_goes_on_and_ends_as_if_nothing_had_been(
    session, plain, scored, asked, tmp_path, after, scores, answers
):
    code = KILLED.format(task=TASK, sets=SETS, folder=str(tmp_path), asked=ASKED, after=after)
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    assert len((tmp_path / SCORES).read_text().splitlines()) == scores
    assert len(Ledger(tmp_path)) == answers
    assert told(session.sweep(TASK, SETS, ledger=tmp_path, **ASKED)) == told(plain)
    n = len(plain.provenance.samples)
    assert len(scored) == len(SETS) * n - scores * len(SETS) // (len(SETS) + 1)
    assert len(asked) == 2 * n - answers


def test_a_second_time_nothing_is_run(session, plain, scored, asked, tmp_path):
    session.sweep(TASK, SETS, ledger=tmp_path, **ASKED)
    scored.clear()
    asked.clear()
    again = session.sweep(TASK, SETS, ledger=tmp_path, **ASKED)
    assert told(again) == told(plain)
    assert (scored, asked) == ([], [])
    assert again.layers_executed == 0


def test_a_line_holds_one_question_under_one_set(session, plain, tmp_path):
    session.sweep(TASK, SETS, ledger=tmp_path, **ASKED)
    rows = [json.loads(line) for line in (tmp_path / SCORES).read_text().splitlines()]
    assert len(rows) == len(plain.provenance.samples) * (len(SETS) + 1)
    configurations = Ledger(tmp_path).configurations
    kept = {configurations[row["configuration"]]["skipset"] for row in rows}
    assert kept == {"none", *(str(row.skipset) for row in plain.rows)}
    means = [row["scores"]["kl"] for row in rows if configurations[row["configuration"]]["skipset"] == "whole 11"]
    assert sum(means) / len(means) == pytest.approx(plain.rows[0].kl)


def test_more_sets_are_scored_themselves_and_the_others_are_not(session, scored, tmp_path):
    session.sweep(TASK, SETS[:1], ledger=tmp_path, limit=24, batch_size=5)
    scored.clear()
    found = session.sweep(TASK, SETS, ledger=tmp_path, limit=24, batch_size=5)
    assert {name for _, name in scored} == {"vision absent 3-11", "attn 4"}
    # Sets that run side by side round in common: the last digits are those of the company.
    assert_frame_equal(found.frame, session.sweep(TASK, SETS, limit=24, batch_size=5).frame, rtol=1e-4)


def test_a_comparison_finds_what_the_finalists_answered(session, asked, tmp_path):
    found = session.sweep(TASK, SETS, ledger=tmp_path, **ASKED)
    (best,) = [row.skipset for row in found.rows if row.scored == "generated"]
    asked.clear()
    compared = session.compare(TASK, b=best, limit=24, batch_size=5, measure=("accuracy",), ledger=tmp_path)
    assert asked == []
    assert compared.metric("accuracy").b == next(row.accuracy for row in found.rows if row.skipset == best)


def test_the_command_line_fills_and_finds_it(capsys, scored, asked, tmp_path):
    few = ["--task", TASK, "--limit", "8", "--device", "cpu", "--ledger", str(tmp_path), "--json"]
    commands = [["sweep", *few, "--finalists", "1", "whole 11"], ["compare", *few, "--no-latency", "--b", "whole 11"]]
    printed = []
    for command in commands * 2:
        assert main(command) == 0
        printed.append(capsys.readouterr().out)
    assert printed[1] == printed[3]
    assert len(set(scored)) == len(scored), "each question was scored once"
    assert len(set(asked)) == len(asked), "and answered once, the sweep's finalist being the comparison's B"


def test_workers_of_an_executor_fill_the_same_ledger(session, plain, scored, tmp_path):
    with ThreadPoolExecutor(2) as executor:
        assert told(session.sweep(TASK, SETS, executor=executor, ledger=tmp_path, **ASKED)) == told(plain)
    scored.clear()
    assert told(session.sweep(TASK, SETS, ledger=tmp_path, **ASKED)) == told(plain)
    assert scored == []


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_failed_is_asked_again_alone_and_counts_once_it_is_mended(session, scored, asked, tmp_path):
    broken, mended = task_with({1: b"", 6: b""}), task_with({})
    found = session.sweep(broken, SETS, batch_size=5, ledger=tmp_path)
    assert found.num_errors == 2
    errors = [json.loads(line) for line in (tmp_path / ERRORS).read_text().splitlines()]
    failed = {digits(12)[place].key for place in (1, 6)}
    assert {row["key"].split()[0] for row in errors} == failed
    assert all("while opening the image" in row["error"] for row in errors)
    scored.clear()
    whole = session.sweep(mended, SETS, batch_size=5, ledger=tmp_path)
    assert {key for key, _ in scored} == failed
    assert (whole.num_errors, len(whole.provenance.samples)) == (0, 12)


def test_a_comparison_asks_again_only_what_failed(session, asked, tmp_path):
    how = {"b": "whole 11", "batch_size": 5, "measure": ("accuracy",), "ledger": tmp_path}
    first = session.compare(task_with({1: b"", 6: b""}), **how)
    assert (first.num_errors, len(Ledger(tmp_path))) == (2, 20)
    asked.clear()
    again = session.compare(task_with({1: b"", 6: b""}), **how)
    assert again == first
    assert {key for key, _ in asked} == {row.key for row in first.errors}, (
        "tried, and failed before the model was asked"
    )
    mended = session.compare(task_with({}), **how)
    assert mended.num_errors == 0
    assert mended.answers == session.compare(task_with({}), **(how | {"ledger": None})).answers
    assert ANSWERS in {path.name for path in tmp_path.iterdir()}
