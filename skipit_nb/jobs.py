"""Long work off the main thread: a worker, progress, pause, cancel, result.

A `Job` runs a function that takes one argument, `tick(done, total)`. The function calls it once a batch; that call
reports progress, is where a paused job waits, and where a cancelled job stops, by `CancelledError`. Nothing here knows
models or widgets.
"""

from __future__ import annotations

import atexit
import queue
import threading
import time
import weakref
from collections.abc import Callable, Hashable
from typing import Generic, Literal, Protocol, TypeVar

from skipit_nb.errors import CancelledError, SessionClosedError

T = TypeVar("T")

State = Literal["waiting", "running", "paused", "done", "failed", "cancelled"]
UNDER_WAY = ("waiting", "running", "paused")
"""States of a job that has not ended."""

MOST_UPDATES_PER_SECOND = 10
"""Watchers hear of progress no more often than this; of a change of state always."""


class Tick(Protocol):
    """Called with how much is done of how much; raises `CancelledError` where the work should stop."""

    def __call__(self, done: int, total: int, /) -> None:
        """Report progress."""


def no_tick(done: int, total: int, /) -> None:
    """Report nothing: the `Tick` of a call that nobody watches."""


def part(tick: Tick, number: int, parts: int) -> Tick:
    """The `Tick` of one of several parts of a work, numbered from 0, that take about as long as each other."""

    def told(done: int, total: int, /) -> None:
        tick(number * total + done, parts * total)

    return told


_here = threading.local()
"""The job that runs on a thread."""


def stop_if_cancelled() -> None:
    """Raise `CancelledError` if the job that runs on this thread was cancelled; without a job, nothing.

    For long work between two ticks. It never pauses, so it may be called with the model's lock held.
    """
    job: Job[object] | None = getattr(_here, "job", None)
    if job is not None:
        job._stop_if_cancelled()


class Job(Generic[T]):
    """One piece of work on a worker thread: watch it, pause it, cancel it, take its result.

    `state` is "waiting", "running", "paused", "done", "failed" or "cancelled". Watchers are called from the worker
    thread and must be short.
    """

    def __init__(self, work: Callable[[Tick], T], name: str = "", owner: Hashable = None) -> None:
        self.name = name
        self.owner = owner
        self.state: State = "waiting"
        self.done = 0
        self.total = 0
        self.exception: BaseException | None = None
        self.partial: object | None = None
        """Of a cancelled job the result so far, such as an incomplete `Comparison`; None where there is none."""
        self._work = work
        self._result: T | None = None
        self._cancelled = threading.Event()
        self._turn = threading.Condition()
        self._should_pause = False
        self._ended = threading.Event()
        self._watchers: list[Callable[[Job[T]], None]] = []
        self._started = self._told = 0.0

    def watch(self, watcher: Callable[[Job[T]], None]) -> None:
        """Call `watcher(job)` at progress and at every change of state; at once if the job has ended."""
        self._watchers.append(watcher)
        if self._ended.is_set():
            watcher(self)

    def cancel(self) -> None:
        """Ask the job to stop, at its next tick or where its work asks in between (`stop_if_cancelled`).

        A waiting job never starts. From any thread, any number of times.
        """
        with self._turn:
            self._cancelled.set()
            self._turn.notify_all()

    def pause(self) -> None:
        """Ask the job to wait at its next tick, until `resume` or `cancel`. From any thread, any number of times.

        It keeps its worker, so other long work waits behind it; what is asked in between batches is still answered.
        """
        with self._turn:
            self._should_pause = True

    def resume(self) -> None:
        """Let a paused job go on. From any thread, any number of times."""
        with self._turn:
            self._should_pause = False
            self._turn.notify_all()

    @property
    def is_asked_to_pause(self) -> bool:
        """Whether the job is paused, or will be at its next tick."""
        return self._should_pause and not self.has_ended

    @property
    def has_ended(self) -> bool:
        """Whether the job is done, failed or cancelled."""
        return self._ended.is_set()

    @property
    def seconds_left(self) -> float | None:
        """Seconds to the end at the pace so far, pauses left out; None before the first tick."""
        if self.state != "running" or not self.done:
            return None
        return (time.monotonic() - self._started) * (self.total - self.done) / self.done

    def result(self, timeout: float | None = None) -> T:
        """Wait for the end and give the result. Ctrl-C while waiting cancels the job.

        Raises:
            CancelledError: If the job was cancelled.
            TimeoutError: If it has not ended after `timeout` seconds.
        """
        try:
            ended = self._ended.wait(timeout)
        except KeyboardInterrupt:
            self.cancel()
            raise
        if not ended:
            raise TimeoutError(f"the job {self.name!r} is still {self.state} after {timeout} s")
        if self.exception is not None:
            raise self.exception
        return self._result  # type: ignore[return-value]

    def run(self) -> None:
        """Do the work, on the calling thread. A worker calls this once."""
        self._started = time.monotonic()
        _here.job = self
        try:
            self._stop_if_cancelled()
            self._change("running")
            self._result = self._work(self._tick)
            self._change("done")
        except CancelledError as error:
            self.exception, self.partial = error, error.partial
            self._change("cancelled")
        except BaseException as error:  # noqa: BLE001 - no exception dies in a thread: it is kept for `result`
            self.exception = error
            self._change("failed")
        finally:
            _here.job = None

    def _tick(self, done: int, total: int, /) -> None:
        self._stop_if_cancelled()
        self.done, self.total = done, total
        if self._should_pause:
            self._wait()
        if time.monotonic() - self._told >= 1 / MOST_UPDATES_PER_SECOND or done == total:
            self._tell()

    def _wait(self) -> None:
        began = time.monotonic()
        self._change("paused")
        with self._turn:
            self._turn.wait_for(lambda: not self._should_pause or self._cancelled.is_set())
        self._started += time.monotonic() - began
        self._stop_if_cancelled()
        self._change("running")

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise CancelledError

    def _change(self, state: State) -> None:
        self.state = state
        if state not in UNDER_WAY:
            self._ended.set()
        self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        for watcher in self._watchers:
            watcher(self)

    def __repr__(self) -> str:
        return f"Job({self.name!r}, {self.state}, {self.done} of {self.total})"


LEAVING_SECONDS = 10
"""How long the end of the process waits for the job that runs to stop."""


class Worker:
    """One daemon thread that runs jobs in order; it starts with the first.

    At the end of the process jobs are cancelled, and the one that runs is waited for: torch aborts a process whose
    thread it is still in.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._under_way: list[Job[object]] = []
        self._watchers: list[Callable[[Job[object]], object]] = []
        self._jobs: queue.Queue[Job[object] | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._closed = False

    def submit(
        self, work: Callable[[Tick], T], name: str = "", *, latest_wins: bool = False, owner: Hashable = None
    ) -> Job[T]:
        """Queue `work`; with `latest_wins`, cancel the owner's jobs of the same name that came before it."""
        job = Job(work, name, owner)
        with self._lock:
            if self._closed:
                raise SessionClosedError
            for older in self._under_way if latest_wins else ():
                if (older.owner, older.name) == (owner, name):
                    older.cancel()
            self._under_way.append(job)  # type: ignore[arg-type]
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name=self._name, daemon=True)
                self._thread.start()
                _started.add(self)
        job.watch(self._tell)  # type: ignore[arg-type]
        self._tell(job)  # type: ignore[arg-type]
        self._jobs.put(job)  # type: ignore[arg-type]
        return job

    def watch(self, watcher: Callable[[Job[object]], object]) -> None:
        """Call `watcher(job)` when a job is queued, at its progress, and at every change of its state."""
        self._watchers.append(watcher)

    def unwatch(self, watcher: Callable[[Job[object]], object]) -> None:
        """Call `watcher` no more."""
        self._watchers = [other for other in self._watchers if other != watcher]

    @property
    def jobs(self) -> tuple[Job[object], ...]:
        """The job at work and those that wait for it, in order."""
        with self._lock:
            return tuple(job for job in self._under_way if not job.has_ended)

    def close(self) -> None:
        """Cancel what runs and waits, and end the thread."""
        with self._lock:
            self._closed = True
            for job in self._under_way:
                job.cancel()
        self._jobs.put(None)

    def leave(self) -> None:
        """Close, and wait for the thread's end."""
        self.close()
        if self._thread is not None:
            self._thread.join(LEAVING_SECONDS)

    def _tell(self, job: Job[object]) -> None:
        for watcher in tuple(self._watchers):
            watcher(job)

    def _loop(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
            with self._lock:
                self._under_way.remove(job)
            del job


_started: weakref.WeakSet[Worker] = weakref.WeakSet()


@atexit.register
def _leave() -> None:
    for worker in list(_started):
        worker.leave()


class FairLock:
    """A re-entrant lock that serves threads in the order they came.

    Python's own lock may be taken again at once by the thread that has just released it, so a long job that
    locks per batch would starve a quick question. Here the question gets in after the running batch.
    """

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._line: list[int] = []
        self._owner: int | None = None
        self._depth = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        with self._condition:
            if self._owner == me:
                self._depth += 1
                return
            self._line.append(me)
            try:
                self._condition.wait_for(lambda: self._owner is None and self._line[0] == me)
            except BaseException:
                self._line.remove(me)
                self._condition.notify_all()
                raise
            self._line.pop(0)
            self._owner, self._depth = me, 1

    def __exit__(self, *_: object) -> None:
        with self._condition:
            self._depth -= 1
            if self._depth == 0:
                self._owner = None
                self._condition.notify_all()

    @property
    def is_held(self) -> bool:
        """Whether some thread holds the lock now."""
        return self._owner is not None
