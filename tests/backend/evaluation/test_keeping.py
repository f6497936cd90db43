"""A comparison with a ledger is the comparison; killed in the middle, it goes on where it stopped."""

import json
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from skipit_nb.backend.evaluation import answering
from skipit_nb.backend.evaluation.answering import answer_batch
from skipit_nb.backend.evaluation.deciding import deciding
from skipit_nb.backend.evaluation.ledger import ANSWERS
from skipit_nb.backend.tasks.registry import load_task
from skipit_nb.backend.tasks.task import Task
from skipit_nb.errors import LedgerError
from tests.backend.evaluation.errands import blank

pytestmark = pytest.mark.model

TASK, B = "digits-vqa", "vision absent 3-"
ASKED = {"limit": 24, "batch_size": 5, "measure": ("accuracy", "flops")}
KILLED = """
import os, signal
from skipit_nb import Session

def die(done, total):
    if done >= 10:
        os.kill(os.getpid(), signal.SIGKILL)

with Session.open(device="cpu") as session:
    session.compare({task!r}, b={b!r}, ledger={folder!r}, progress=die, **{asked!r})
"""


@pytest.fixture(scope="module")
def plain(session):
    return session.compare(TASK, b=B, **ASKED)


@pytest.fixture
def asked(monkeypatch):
    """The questions that the model is asked, with the arms."""
    found = []

    def noted(live, batch, *, arms, **how):
        found.extend((example.key, str(arm)) for example in batch for arm in arms)
        return answer_batch(live, batch, arms=arms, **how)

    monkeypatch.setattr(answering, "answer_batch", noted)
    return found


def test_killed_in_the_middle_it_goes_on_and_ends_as_if_nothing_had_been(session, plain, asked, tmp_path):
    code = KILLED.format(task=TASK, b=B, folder=str(tmp_path), asked=ASKED)
    ended = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]
    lines = (tmp_path / ANSWERS).read_text().splitlines()
    assert len(lines) == 20, "two batches of five, two arms"
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == plain
    kept = {json.loads(line)["key"].split()[0] for line in lines}
    assert not kept & {key for key, _ in asked}
    assert len(asked) == 2 * (plain.num_questions - 10)


def test_a_second_time_nobody_is_asked(session, plain, asked, tmp_path):
    session.compare(TASK, b=B, ledger=tmp_path, **ASKED)
    asked.clear()
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == plain
    assert asked == []


def test_another_b_is_asked_itself_and_a_is_not(session, asked, tmp_path):
    session.compare(TASK, b=B, ledger=tmp_path, **ASKED)
    asked.clear()
    found = session.compare(TASK, b="whole 0", ledger=tmp_path, **ASKED)
    assert {arm for _, arm in asked} == {"whole 0"}
    assert found == session.compare(TASK, b="whole 0", **ASKED)


def test_workers_of_an_executor_fill_the_same_ledger(session, plain, asked, tmp_path):
    with ThreadPoolExecutor(2) as executor:
        found = session.compare(TASK, b=B, executor=executor, ledger=tmp_path, **ASKED)
    assert (found.answers, found.verdict) == (plain.answers, plain.verdict), "costs are measured here alone"
    asked.clear()
    assert session.compare(TASK, b=B, ledger=tmp_path, **ASKED) == plain
    assert asked == []


def test_other_weights_find_nothing(session):
    task = load_task(TASK)
    first = deciding(session._open, session._bound(B), task, 5)
    weight = next(session.model.parameters())
    before = weight.data.clone()
    try:
        weight.data.add_(1.0)
        assert deciding(session._open, session._bound(B), task, 5)["weights"] != first["weights"]
    finally:
        weight.data.copy_(before)
    assert deciding(session._open, session._bound(B), task, 7) == first, "in float32 any batch will do"


def own_rows(tmp_path):
    """Three questions about one file."""
    path = tmp_path / "photo.png"
    if not path.exists():
        load_task(TASK).examples[0].image.save(path)
    return [{"image": path, "question": f"is there a {digit}?", "answer": "no"} for digit in range(3)]


def test_what_stands_under_an_earlier_key_now_is_asked_itself(session, asked, tmp_path):
    rows, how = own_rows(tmp_path), {"b": B, "measure": ("accuracy",)}

    def questions(rows):
        asked.clear()
        session.compare(Task.from_dicts(rows), ledger=tmp_path / "book", **how)
        return [key for key, arm in asked if arm != "none"]

    assert len(questions(rows)) == 3
    assert questions([row | {"answer": "yes"} for row in rows]) == [], "what is right decides no answer"
    assert questions([rows[0] | {"question": "is there a 7?"}]) == ["own/own/00000"]
    assert questions([row | {"image": blank(8)} for row in rows]) == [f"own/own/0000{n}" for n in range(3)]
    blank(16).save(rows[0]["image"])
    assert len(questions(rows)) == 3, "another photo under the old name"


def test_other_ways_to_pick_tokens_find_nothing(session):
    task, settings = load_task(TASK), session.model.generation_config
    first = deciding(session._open, session._bound(B), task, 5)
    try:
        settings.repetition_penalty = 1.3
        assert deciding(session._open, session._bound(B), task, 5) != first
    finally:
        settings.repetition_penalty = None
    assert deciding(session._open, session._bound(B), task, 5) == first


def test_a_folder_of_something_else_is_refused_before_anything_runs(session, asked, tmp_path):
    (tmp_path / "notes.md").write_text("mine")
    with pytest.raises(LedgerError, match="no manifest"):
        session.compare(TASK, b=B, ledger=tmp_path, **ASKED)
    assert asked == []
