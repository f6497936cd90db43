"""`Asker`: asks the chosen question under the skip set that is being drawn. The latest wish wins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from skipit_nb.jobs import Job, Tick
from skipit_nb.ports import AsksWhatIf, Question
from skipit_nb.results import WhatIf
from skipit_nb.skipset import SkipSet

SAMPLE = 24
"""Questions to choose from, at least: whole images."""

PAUSE = 0.06
"""Seconds without another edit before the model is asked: held keys and quick clicks ask once."""


@dataclass(frozen=True, slots=True)
class Wish:
    """Which question to ask, and under what."""

    task: str
    key: str
    """The question's document key; "" for the first of the sample."""
    skipset: SkipSet


@dataclass(frozen=True, slots=True)
class Asked:
    """One question, and what the model said."""

    wish: Wish
    example: Question
    others: tuple[Question, ...]
    """The sample that a question can be chosen from; the one that was asked is among them."""
    answer: WhatIf


class Asker:
    """Asks on the session's worker for quick questions, where it gets in between the batches of long work.

    Args:
        port: The session.
        tell: Called with the answer, or with what went wrong, on the worker's thread; not if a later wish came.
    """

    def __init__(self, port: AsksWhatIf, tell: Callable[[Asked | BaseException], None]) -> None:
        self._port = port
        self._tell = tell
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None
        self._job: Job[Asked] | None = None
        self._latest: Wish | None = None

    @property
    def is_asking(self) -> bool:
        """Whether an answer is on its way."""
        return self._latest is not None

    def ask(self, wish: Wish) -> Asked:
        """Ask now, and wait for the answer."""
        return _asked(self._port, wish, None)

    def ask_soon(self, wish: Wish) -> None:
        """Ask when no other wish has come for a moment; what was asked before is cancelled."""
        with self._lock:
            self._drop()
            self._latest = wish
            self._timer = threading.Timer(PAUSE, self._submit, [wish])
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Cancel what was asked and not answered yet."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        self._latest = None
        if self._timer is not None:
            self._timer.cancel()
        if self._job is not None:
            self._job.cancel()
        self._timer = self._job = None

    def _submit(self, wish: Wish) -> None:
        try:
            with self._lock:
                if self._latest is not wish:
                    return
                job = self._job = self._port.submit(
                    lambda tick: _asked(self._port, wish, tick), "a what-if", quick=True, owner=id(self)
                )
        except Exception as error:  # noqa: BLE001 - a closed session, told as any other failure is
            self._end(wish, error)
            return
        job.watch(lambda job: self._watch(wish, job))

    def _watch(self, wish: Wish, job: Job[Asked]) -> None:
        if job.has_ended:
            self._end(wish, job.exception or job.result())

    def _end(self, wish: Wish, found: Asked | BaseException) -> None:
        with self._lock:
            if self._latest is not wish:
                return
            self._latest = self._timer = self._job = None
        self._tell(found)


def _asked(port: AsksWhatIf, wish: Wish, tick: Tick | None) -> Asked:
    sample = tuple(port.examples(wish.task, limit=SAMPLE))
    example = next((one for one in sample if one.key == wish.key), None) or (
        port.example(wish.task, wish.key) if wish.key else sample[0]
    )
    others = sample if example in sample else (example, *sample)
    answer = port.what_if(example.image, example.question, wish.skipset, progress=tick)
    return Asked(wish, example, others, answer)
