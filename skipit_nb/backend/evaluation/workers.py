"""Batches of questions done by the workers of an executor: threads or processes here, or a cluster."""

from __future__ import annotations

import contextlib
import pickle
import queue
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from concurrent.futures import CancelledError as FutureCancelledError
from dataclasses import dataclass
from typing import Generic

from skipit_nb.backend.evaluation.batches import Anew, Done, Kept, R, Work, batches, checked
from skipit_nb.backend.evaluation.opened import Opening, gate, live_of
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.tasks.travel import Reference, packed, unpacked
from skipit_nb.errors import SettingError, WorkerError
from skipit_nb.jobs import Tick
from skipit_nb.results import Provenance

SECONDS_BETWEEN_TICKS = 0.2
"""How soon a cancelled call ends, though its workers are still at a batch."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of an executor, each with a model of its own."""

    executor: Executor
    opening: Opening
    chunk: int
    """Questions a batch."""

    def run(self, examples: Sequence[Example], work: Work[R] | Kept[R], *, tick: Tick) -> Done[R]:
        """As `share`."""
        return share(self.executor, self.opening, examples, work, chunk=self.chunk, tick=tick)


def crew(executor: Executor, opening: Opening | None, chunk: int) -> Crew:
    """The workers of an executor, if there is something they can open.

    Raises:
        SettingError: If its processes are forks of this one, or if the session was bound to objects.
    """
    if _forks(executor):
        raise SettingError(
            "executor", executor, "a pool of fresh processes: mp_context=multiprocessing.get_context('spawn')"
        )
    if opening is None:
        raise SettingError(
            "executor",
            executor,
            "left out: this session was bound to objects, which workers cannot open. "
            "Save them with save_pretrained, and open that folder with Session.open(folder)",
        )
    return Crew(executor, opening, chunk)


def _forks(executor: Executor) -> bool:
    """Whether it forks this process: a fork inherits torch's locks without the threads that would release them."""
    context = getattr(executor, "_mp_context", None)
    return context is not None and context.get_start_method() == "fork"


def share(
    executor: Executor,
    opening: Opening,
    examples: Sequence[Example],
    work: Work[R] | Kept[R],
    *,
    chunk: int,
    tick: Tick,
) -> Done[R]:
    """Let the workers of an executor do the batches; each row comes back once and in its place.

    What is kept is kept as soon as its batch comes home, whatever becomes of the others.

    Args:
        executor: Its workers open the model themselves, once.
        opening: What they open.
        examples: Those of a task in the box travel as keys.
        work: What is done with a batch; what it raises is raised here, and the batches left are cancelled.
        chunk: Questions a batch.
        tick: Called with questions done; what it raises cancels the batches left.

    Raises:
        WorkerError: If a worker dies and its batch with it, or has other weights or questions.
    """
    task, parts = Anew.unless_kept(work), list(batches(examples, chunk))
    errands = _errands(opening, parts, task)
    rows = {number: task.completed(part, ()) for number, part in enumerate(parts) if number not in errands}
    workers: dict[Provenance, None] = {}
    sent: dict[Future[_Reply[R]], int] = {}
    with _failures_named():
        try:
            for number, errand in errands.items():
                sent[executor.submit(do_errand, errand)] = number
            for reply, number in _coming_home(sent, parts, tick):
                rows[number] = task.completed(parts[number], reply.rows, reply.worker)
                workers[reply.worker] = None
        finally:
            for future in sent:
                future.cancel()
    return Done([row for number in range(len(parts)) for row in rows[number]], tuple(workers))


@dataclass(frozen=True, slots=True)
class _Errand(Generic[R]):
    """One batch on its way to a worker."""

    name: str
    """Of no other errand: Dask takes equal calls for one call."""
    opening: Opening
    work: Work[R]
    questions: tuple[Reference | Example, ...]


@dataclass(frozen=True, slots=True)
class _Reply(Generic[R]):
    """One batch on its way home."""

    rows: tuple[R, ...]
    worker: Provenance


def _errands(opening: Opening, parts: Sequence[Sequence[Example]], task: Kept[R]) -> dict[int, _Errand[R]]:
    """Those batches of which something is left to do, by number."""
    run = uuid.uuid4().hex
    return {
        number: _Errand(f"{run}-{number}", opening, left, tuple(packed(example) for example in batch))
        for number, batch in enumerate(parts)
        if (left := task.left(batch)) is not None
    }


def do_errand(errand: _Errand[R]) -> _Reply[R]:
    """What a worker calls; a name that people read in a cluster's dashboard."""
    live = live_of(errand.opening)
    with gate.working():
        batch = [unpacked(question) for question in errand.questions]
        return _Reply(tuple(checked(errand.work(live, batch), batch)), live.provenance())


def _coming_home(
    sent: Mapping[Future[_Reply[R]], int], parts: Sequence[Sequence[Example]], tick: Tick
) -> Iterator[tuple[_Reply[R], int]]:
    """Each reply with the number of its batch, as they come; raises what the first one to fail raised."""
    finished: queue.SimpleQueue[Future[_Reply[R]]] = queue.SimpleQueue()
    total, away = sum(map(len, parts)), sum(len(parts[number]) for number in sent.values())
    tick(total - away, total)
    for future in sent:
        future.add_done_callback(finished.put)
    while away:
        with contextlib.suppress(queue.Empty):
            future = finished.get(timeout=SECONDS_BETWEEN_TICKS)
            yield future.result(), sent[future]
            away -= len(parts[sent[future]])
        tick(total - away, total)


@contextlib.contextmanager
def _failures_named() -> Iterator[None]:
    """Turn what an executor says of a lost worker into an error that says what to do."""
    distributed = sys.modules.get("distributed")  # whoever has a Dask executor has loaded it
    deaths = (BrokenExecutor, *((distributed.KilledWorker,) if distributed else ()))
    try:
        yield
    except deaths as error:
        raise WorkerError(
            f"a worker died in the middle of a batch ({type(error).__name__})",
            "Most often memory ran out: each worker holds a model of its own. "
            "Make a new executor with fewer workers, or lower batch_size.",
        ) from error
    except FutureCancelledError as error:
        raise WorkerError(
            "the executor was shut down, or lost its cluster, before all answers were there",
            "Keep it open until the call ends.",
        ) from error
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        if "pickle" not in str(error):
            raise
        raise WorkerError(
            f"the questions cannot be sent to another process: {error}",
            "Let each example's loader be a function of a module, or a functools.partial of one.",
        ) from error
