"""Long work off the main thread: results, failures, cancelling, fairness."""

import subprocess
import sys
import threading
import time

import pytest

from skipit_nb.errors import CancelledError, SessionClosedError
from skipit_nb.jobs import FairLock, Job, Worker, stop_if_cancelled
from tests.waiting import wait_for


@pytest.fixture
def worker():
    made = Worker("test-worker")
    yield made
    made.close()


def counting(steps, gate=None):
    def work(tick):
        for step in range(steps):
            tick(step, steps)
            if gate is not None:
                gate.wait(30)
        tick(steps, steps)
        return steps

    return work


def test_a_job_gives_its_result_and_its_progress(worker):
    job = worker.submit(counting(5), "count")
    assert job.result(30) == 5
    assert (job.state, job.done, job.total, job.has_ended) == ("done", 5, 5, True)
    assert repr(job) == "Job('count', done, 5 of 5)"


def test_a_watcher_hears_every_change_of_state(worker):
    states = []
    gate = threading.Event()
    job = worker.submit(counting(1, gate))
    job.watch(lambda j: states.append(j.state))
    gate.set()
    job.result(30)
    assert states[-1] == "done"
    late = []
    job.watch(lambda j: late.append(j.state))
    assert late == ["done"]


def test_a_failure_is_kept_and_raised_to_whoever_asks_and_the_worker_lives_on(worker):
    def fail(tick):
        raise ZeroDivisionError("of course")

    job = worker.submit(fail)
    with pytest.raises(ZeroDivisionError, match="of course"):
        job.result(30)
    assert job.state == "failed"
    assert worker.submit(counting(1)).result(30) == 1


def test_a_cancelled_job_stops_at_its_next_tick(worker):
    gate = threading.Event()
    job = worker.submit(counting(10**6, gate))
    while job.state == "waiting":
        time.sleep(0.001)
    job.cancel()
    gate.set()
    with pytest.raises(CancelledError, match="model is as before"):
        job.result(30)
    assert job.state == "cancelled"
    assert job.done < 10


def test_a_waiting_job_that_is_cancelled_never_starts(worker):
    gate, started = threading.Event(), []
    first = worker.submit(counting(1, gate))
    second = worker.submit(lambda tick: started.append(1))
    second.cancel()
    gate.set()
    first.result(30)
    with pytest.raises(CancelledError):
        second.result(30)
    assert started == []


def test_the_latest_job_of_a_name_replaces_the_older(worker):
    gate = threading.Event()
    older = worker.submit(counting(10**6, gate), "what-if", latest_wins=True)
    newer = worker.submit(counting(2), "what-if", latest_wins=True)
    gate.set()
    assert newer.result(30) == 2
    assert older.state == "cancelled"


def test_waiting_too_long_says_so(worker):
    gate = threading.Event()
    job = worker.submit(counting(1, gate), "slow")
    with pytest.raises(TimeoutError, match="'slow' is still"):
        job.result(0.05)
    gate.set()
    job.result(30)


def test_the_time_left_is_told_at_the_pace_so_far():
    job = Job(counting(1))
    assert job.seconds_left is None
    job.state, job.done, job.total, job._started = "running", 1, 4, time.monotonic() - 1
    assert job.seconds_left == pytest.approx(3, rel=0.1)


def test_a_closed_worker_refuses_work():
    worker = Worker("closed")
    worker.close()
    with pytest.raises(SessionClosedError):
        worker.submit(counting(1))


def test_a_fair_lock_lets_the_one_who_waits_in_before_the_one_who_just_left():
    lock, order, waiting = FairLock(), [], threading.Event()

    def question():
        waiting.set()
        with lock:
            order.append("question")

    with lock:
        thread = threading.Thread(target=question)
        thread.start()
        waiting.wait(30)
        time.sleep(0.05)
    with lock:
        order.append("next batch")
    thread.join(30)
    assert order == ["question", "next batch"]


def test_a_fair_lock_may_be_taken_again_by_its_owner():
    lock = FairLock()
    with lock:
        with lock:
            assert lock.is_held
        assert lock.is_held
    assert not lock.is_held


# -- pausing ---------------------------------------------------------------------------------------------------------


def heard_states(job):
    states = []
    job.watch(lambda j: states.append(j.state))
    return states


def counted(worker, steps=10**6):
    """A job that is under way, and what it has counted so far."""
    counted = []

    def work(tick):
        for step in range(steps):
            tick(step, steps)
            counted.append(step)
            time.sleep(0.001)
        return len(counted)

    job = worker.submit(work, "count")
    wait_for(lambda: counted)
    return job, counted


def test_a_paused_job_does_nothing_until_it_is_resumed(worker):
    job, counted_so_far = counted(worker, steps=50)
    job.pause()
    wait_for(lambda: job.state == "paused")
    before = len(counted_so_far)
    time.sleep(0.05)
    assert len(counted_so_far) == before
    assert job.is_asked_to_pause
    assert not job.has_ended
    job.resume()
    assert job.result(30) == 50
    assert counted_so_far == list(range(50))  # nothing was lost, nothing done twice


def test_a_watcher_hears_of_a_pause_and_of_its_end(worker):
    job, _ = counted(worker, steps=50)
    states = heard_states(job)
    job.pause()
    wait_for(lambda: "paused" in states)
    job.resume()
    job.result(30)
    assert states[states.index("paused") + 1] == "running"
    assert states[-1] == "done"


def test_a_paused_job_can_be_cancelled(worker):
    job, _ = counted(worker)
    job.pause()
    wait_for(lambda: job.state == "paused")
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(30)
    assert (job.state, job.is_asked_to_pause) == ("cancelled", False)


def test_a_pause_that_is_taken_back_before_the_next_tick_is_none(worker):
    gate = threading.Event()
    job = worker.submit(counting(3, gate), "count")
    states = heard_states(job)
    job.pause()
    job.resume()
    gate.set()
    assert job.result(30) == 3
    assert "paused" not in states


def test_a_closed_worker_ends_a_paused_job():
    worker = Worker("closed")
    job, _ = counted(worker)
    job.pause()
    wait_for(lambda: job.state == "paused")
    worker.close()
    with pytest.raises(CancelledError):
        job.result(30)


def test_a_pause_does_not_count_as_time_at_work(worker):
    job, _ = counted(worker, steps=1000)
    job.pause()
    wait_for(lambda: job.state == "paused")
    assert job.seconds_left is None
    before = job._started
    time.sleep(0.1)
    job.resume()
    wait_for(lambda: job.state == "running")
    assert job._started - before >= 0.1
    job.cancel()


def test_a_worker_names_the_job_at_work_and_those_that_wait(worker):
    assert worker.jobs == ()
    gate = threading.Event()
    first, second = worker.submit(counting(2, gate), "first"), worker.submit(counting(2, gate), "second")
    assert worker.jobs == (first, second)
    gate.set()
    first.result(30), second.result(30)
    assert worker.jobs == ()


def test_a_process_that_ends_while_a_job_runs_ends_well():
    script = (
        "import time, torch\n"
        "from skipit_nb.jobs import Worker\n"
        "a = torch.randn(600, 600)\n"
        "def work(tick):\n"
        "    while True:\n"
        "        torch.linalg.matrix_exp(a)\n"
        "        tick(0, 1)\n"
        "Worker('w').submit(work)\n"
        "time.sleep(0.3)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_work_may_ask_between_ticks_whether_it_was_cancelled(worker):
    began = threading.Event()

    def work(_):
        began.set()
        while True:
            stop_if_cancelled()

    job = worker.submit(work)
    began.wait(30)
    job.cancel()
    with pytest.raises(CancelledError):
        job.result(30)
    stop_if_cancelled()  # nobody's job: nothing
    assert worker.submit(lambda _: stop_if_cancelled()).result(30) is None
