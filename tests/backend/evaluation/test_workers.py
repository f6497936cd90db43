"""Any executor gives what one machine gives: the same rows, each once and in its place, or an error that says why."""

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
import torch

from skipit_nb import Session
from skipit_nb.backend.evaluation.batches import Done
from skipit_nb.backend.evaluation.workers import share
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.errors import CancelledError, DeviceError, SettingError, WorkerError
from skipit_nb.jobs import no_tick
from tests.backend.evaluation import errands
from tests.backend.live.tiny_llava import tiny_llava

pytestmark = pytest.mark.model

TASK = "digits-vqa"
ASKED = {"limit": 24, "batch_size": 5, "measure": ("accuracy",)}  # costs are measured on the session's own model
SETS = ["vision absent 3-", "whole 11"]


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as opened,
    ):
        yield opened


@pytest.fixture(scope="module")
def comparison(session):
    return session.compare(TASK, b=SETS[0], **ASKED)


@pytest.fixture(scope="module")
def ranking(session):
    return session.sweep(TASK, SETS, limit=24, batch_size=5)


@pytest.fixture(scope="module")
def examples(session):
    return session.examples(TASK, limit=24)


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_two_workers_find_what_one_machine_finds(session, comparison, ranking, kind, request):
    executor = request.getfixturevalue(kind)
    assert session.compare(TASK, b=SETS[0], executor=executor, **ASKED) == comparison
    assert session.sweep(TASK, SETS, limit=24, batch_size=5, executor=executor) == ranking


@pytest.mark.slow
@pytest.mark.parametrize("call", ["compare", "sweep"])
def test_a_cluster_that_loses_a_worker_finds_what_one_machine_finds(session, call, client, request):
    client.wait_for_workers(2)
    killer = KillsOneWorker(client)
    shared = {"executor": client.get_executor(), "progress": killer}
    if call == "compare":
        found, here = session.compare(TASK, b=SETS[0], **ASKED, **shared), "comparison"
    else:
        found, here = session.sweep(TASK, SETS, limit=24, batch_size=5, **shared), "ranking"
    assert found == request.getfixturevalue(here)
    assert killer.killed_at


@pytest.mark.slow
def test_a_batch_that_kills_each_worker_ends_a_cluster_run(session, examples, client, monkeypatch):
    monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 0)
    with pytest.raises(WorkerError, match="KilledWorker"):
        share(client.get_executor(), session._opening, examples[:2], errands.die, chunk=2, tick=no_tick)


class KillsOneWorker:
    """A progress function that kills the busiest worker process when the first batch is done."""

    def __init__(self, client):
        self.client = client
        self.pids = client.run(os.getpid)
        self.killed_at = 0

    def __call__(self, done, total):
        if done and not self.killed_at:
            assert done < total
            waiting = self.client.processing()
            busiest = max(waiting, key=lambda address: len(waiting[address]))
            assert waiting[busiest], "it dies with batches to do"
            os.kill(self.pids[busiest], signal.SIGKILL)
            self.killed_at = done


@pytest.mark.parametrize("chunk", [1, 7, 100])
def test_each_row_comes_back_once_and_in_its_place(session, examples, threads, chunk):
    told = []
    done = share(threads, session._opening, examples, errands.keys, chunk=chunk, tick=lambda *now: told.append(now))
    assert done.rows == [example.key for example in examples]
    assert told[0] == (0, len(examples))
    assert told[-1] == (len(examples), len(examples))
    assert told == sorted(told)


def test_no_examples_are_no_rows(session, threads):
    assert share(threads, session._opening, (), errands.keys, chunk=2, tick=no_tick).rows == []


@pytest.mark.parametrize("kind", ["threads", "processes"])
@pytest.mark.parametrize(
    ("work", "error", "match"),
    [
        (errands.divide_by_nothing, ZeroDivisionError, "division by zero"),
        (errands.refuse, DeviceError, "device 'cuda:7' is not to be had on this machine. Available: cpu"),
        (errands.one_too_few, AssertionError, "rows for 5 questions"),
    ],
)
def test_what_a_worker_raises_is_raised_here(session, examples, kind, work, error, match, request):
    executor = request.getfixturevalue(kind)
    with pytest.raises(error, match=match):
        share(executor, session._opening, examples[:10], work, chunk=5, tick=no_tick)
    again = share(executor, session._opening, examples[:10], errands.keys, chunk=5, tick=no_tick)
    assert len(again.rows) == 10


def test_a_cancelled_call_leaves_the_batches_that_wait(session, examples, processes, tmp_path):
    def cancel(done, total):
        if done:
            raise CancelledError

    with pytest.raises(CancelledError):
        share(processes, session._opening, examples, partial(errands.slowly, log=tmp_path), chunk=1, tick=cancel)
    share(processes, session._opening, examples[:2], errands.keys, chunk=1, tick=no_tick)  # what ran has ended
    assert 1 <= len(list(tmp_path.iterdir())) < len(examples) / 2


def test_a_call_is_cancelled_while_its_workers_are_at_a_batch(session, examples, threads):
    reached, released, ended = threading.Event(), threading.Event(), threading.Event()

    def stuck(live, batch):
        reached.set()
        released.wait(20)
        ended.set()
        return [0] * len(batch)

    def cancel(done, total):
        if reached.is_set():
            raise CancelledError

    with pytest.raises(CancelledError):
        share(threads, session._opening, examples, stuck, chunk=4, tick=cancel)
    assert not ended.is_set()
    released.set()


def test_a_job_is_cancelled_with_an_executor_too(session, threads):
    job = session.submit(lambda tick: session.compare(TASK, limit=2000, batch_size=2, executor=threads, progress=tick))
    while not job.done:
        assert not job.has_ended, job.exception
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(60)


def test_a_dead_process_is_an_error_that_says_what_to_do(session):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:

        def kill(done, total):
            for process in executor._processes.values():
                process.kill()

        with pytest.raises(WorkerError, match=r"a worker died .*fewer workers"):
            session.compare(TASK, limit=8, executor=executor, progress=kill)
        with pytest.raises(WorkerError, match="a new executor"):
            session.sweep(TASK, ["whole 3"], limit=8, executor=executor)
    assert session.compare(TASK, limit=8, measure=("accuracy",)).num_questions >= 8


def test_an_executor_that_ends_too_early_is_named(session, examples):
    executor, opened = ThreadPoolExecutor(1), threading.Event()

    def end(done, total):
        if not opened.is_set():
            opened.set()
            executor.shutdown(wait=False, cancel_futures=True)

    with pytest.raises(WorkerError, match="shut down"):
        share(executor, session._opening, examples, errands.keys, chunk=1, tick=end)
    executor.shutdown()


def test_the_sessions_own_model_stays_free(session, comparison, threads):
    with session.skipping("whole 3"), ThreadPoolExecutor(1) as other:
        asked = other.submit(session.compare, TASK, b=SETS[0], executor=threads, **ASKED)
        assert asked.result(120) == comparison


def test_an_executor_reports_no_latency(session, threads):
    result = session.compare(TASK, limit=4, executor=threads)
    assert {metric.name for metric in result.metrics} >= {"accuracy", "prefill FLOPs"}
    assert [metric.name for metric in result.metrics if metric.unit == "ms"] == []
    with pytest.raises(SettingError, match="measure is 'latency', but should be left out with an executor"):
        session.compare(TASK, limit=4, executor=threads, measure=("accuracy", "latency"))


def test_workers_refuse_to_answer_for_a_model_that_was_changed(threads):
    with Session.open(device="cpu") as changed:
        with torch.no_grad():
            changed.model.lm_head.weight.mul_(2)
        with pytest.raises(WorkerError, match=r"other weights than this session holds.*save_pretrained"):
            changed.compare(TASK, limit=4, executor=threads)


@pytest.mark.parametrize(
    ("executor", "match"),
    [
        (2, r"executor is 2, but should be a concurrent.futures.Executor \(of a Dask client, client.get_ex"),
        (ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")), r"get_context\('spawn'\)"),
    ],
)
def test_an_executor_that_cannot_be_used_is_refused(session, executor, match):
    with pytest.raises(SettingError, match=match):
        session.compare(TASK, limit=4, executor=executor)


def test_workers_cannot_open_what_was_bound(threads):
    with Session(tiny_llava()) as bound, pytest.raises(SettingError, match=r"bound to objects.*Session.open\(folder\)"):
        bound.compare(TASK, limit=4, executor=threads)


def test_examples_of_ones_own_travel_with_their_images(session, processes):
    own = [replace(EXAMPLE, key=f"own/{width}", loader=partial(errands.blank, width)) for width in (8, 9, 10)]
    assert share(processes, session._opening, own, errands.widths, chunk=2, tick=no_tick).rows == [8, 9, 10]
    task = Task("own", "test", "1", (replace(EXAMPLE, loader=lambda: errands.blank(8)),))
    with pytest.raises(WorkerError, match=r"cannot be sent to another process.*a function of a module"):
        session.compare(task, executor=processes)


EXAMPLE = Example("own/0", "how many digits are there?", "1", "count", "own/0", loader=partial(errands.blank, 8))


def test_a_result_names_the_devices_that_answered(session):
    here = session.provenance
    card = replace(here, device="cuda:0 A card", versions=(*here.versions[:-1], ("transformers", "5.99")))
    asked = replace(here, task="easy-vqa/test", samples=("a", "b"))
    made = Done([], (card, here)).provenance(asked)
    assert made.device == "cpu + cuda:0 A card"
    assert dict(made.versions)["transformers"] == f"{dict(here.versions)['transformers']} + 5.99"
    assert made.samples == ("a", "b")
    assert Done([]).provenance(asked) == asked
