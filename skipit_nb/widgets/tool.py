"""`Tool`: what every widget of the toolkit offers, with a browser and without one.

A tool *holds* its view. Its state is one frozen value, here, never in a browser; its data is a DataFrame; whatever a
click does, a method does too. Nothing of ipywidgets is imported before the tool is shown for the first time, so a
subclass imports its `ToolView` inside `_make_view`.
"""

from __future__ import annotations

import base64
import dataclasses
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from skipit_nb.errors import SettingError
from skipit_nb.jobs import Job, Tick
from skipit_nb.ports import Opened
from skipit_nb.results.stored import Stored
from skipit_nb.widgets import saving

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.tool_view import ToolView

S = TypeVar("S", bound=Stored)
R = TypeVar("R", bound=Stored)

RESULT = "result"
"""The observable name of what a run gave; the others are fields of the state."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an observer is told: one field of a tool's state, or its result, is another one now."""

    name: str
    """The field, or "result"."""
    old: Any
    new: Any
    owner: Any
    """The tool."""


def field_names(state: Any) -> list[str]:
    """The names of a state's fields, in order."""
    return [field.name for field in dataclasses.fields(state)]


Observer = Callable[[Change], object]


class Tool(ABC, Generic[S, R]):
    """A tool of the notebook: state, data, chart, code, and a live view that shows them.

    `R` is what a run gives. Observers and views are called on the thread that made the change: the caller's for
    `set`, the session's worker for a result.
    """

    results: ClassVar[Mapping[str, type[Stored]]]
    """What is measured, by observable name, and its type: "result" is what a run gives. `save` keeps all of it."""

    def __init__(self, state: S, port: Opened | None = None) -> None:
        self.port = port
        self._lock = threading.RLock()
        self._observers: list[tuple[Observer, frozenset[str] | None]] = []
        self._view: ToolView | None = None
        self._job: Job[Any] | None = None
        self._runs = 0
        self._result: R | None = None
        self._thumbnail: tuple[object, str] | None = None
        self._state = self._check(state)

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> S:
        """Everything the user has chosen: one frozen value."""
        return self._state

    def set(self, **changes: Any) -> None:
        """Change fields of the state; view and observers follow.

        Raises:
            SettingError: If a name is not a field of the state, or a value is not one it takes.
        """
        with self._lock:
            old, self._state = self._state, self._changed(changes)
            new = self._state
        names = field_names(new)
        self._announce({n: (getattr(old, n), getattr(new, n)) for n in names if getattr(old, n) != getattr(new, n)})

    def _changed(self, changes: dict[str, Any]) -> S:
        """The state with these fields changed, or a refusal. Nothing has changed yet."""
        names = field_names(self._state)
        for name in changes:
            if name not in names:
                raise SettingError("field of the state", name, f"one of {', '.join(names)}")
        fields = {name: getattr(self._state, name) for name in names}
        return self._check(type(self._state)(**fields | changes))

    def observe(self, fn: Observer, names: str | Iterable[str] | None = None) -> None:
        """Call `fn(change)` when a field changes; `change` has `name`, `old`, `new` and `owner`.

        Args:
            fn: Called after the change, once for each field.
            names: Fields of the state, "result" or another of `results`; None for all of them.
        """
        wanted = None if names is None else frozenset([names] if isinstance(names, str) else names)
        known = {*field_names(self._state), *self.results}
        for name in wanted or ():
            if name not in known:
                raise SettingError("observed name", name, f"one of {', '.join(sorted(known))}")
        self._observers.append((fn, wanted))

    def unobserve(self, fn: Observer) -> None:
        """Call `fn` no more."""
        self._observers = [(other, names) for other, names in self._observers if other != fn]

    @abstractmethod
    def _check(self, state: S) -> S:
        """Give the state as it is kept, or refuse it."""

    def _announce(self, changes: dict[str, tuple[Any, Any]]) -> None:
        """Tell the view and the observers; without holding the lock, as an observer may wait for the worker."""
        try:
            if changes and self._view is not None:
                self._view.redraw(frozenset(changes))
        finally:  # what cannot be drawn, such as a question to a closed session, has changed all the same
            for name, (old, new) in changes.items():
                for fn, wanted in tuple(self._observers):
                    if wanted is None or name in wanted:
                        fn(Change(name, old, new, self))

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def result(self) -> R | None:
        """What the last run gave; None before the first."""
        return self._result

    @property
    @abstractmethod
    def data(self) -> pd.DataFrame:
        """The table behind the picture."""

    @property
    @abstractmethod
    def chart(self) -> Any:
        """The picture as an Altair chart."""

    @abstractmethod
    def code(self) -> str:
        """A cell that gives the same `data`; it starts from a variable `session` if that cannot be written."""

    def opening(self, *names: str) -> list[str]:
        """The lines that import `names` and open the session again, for `code`."""
        code = self.port.code if self.port else ""
        wanted = sorted({*names, *(["Session"] if code else [])})
        lines = [f"from skipit_nb import {', '.join(wanted)}", ""] if wanted else []
        if self.port is not None:
            lines.append(code or f"# session: an open session of {self.port.name!r}")
        return lines

    def save(self, path: str | Path) -> Path:
        """Write the picture (.png, .svg), its data (.csv), or state and results (.json, which `load` reads).

        The file is complete or not there at all.

        Raises:
            SettingError: If the file's name ends otherwise.
        """
        return saving.save(self, Path(path))

    def load(self, path: str | Path) -> None:
        """Take state and results from a file that `save` wrote as .json.

        Raises:
            ResultFormatError: If the file holds something else; the tool stays as it was.
        """
        state, results = saving.load(self, Path(path))
        self._check(state)  # before anything has changed
        for name, result in results.items():
            self._receive(name, result)
        self.set(**{name: getattr(state, name) for name in field_names(state)})

    # -- long work ------------------------------------------------------------------------------------------------

    @property
    def job(self) -> Job[Any] | None:
        """The last long work that was started, running or ended."""
        return self._job

    def run(self, block: bool = True) -> R | None:
        """Do the tool's work, as its Run button does.

        Args:
            block: Wait for the end, and raise what it raised. Otherwise return at once: `job` has the rest.

        Returns:
            The result; None if it was not waited for.
        """
        work = self._work()
        if work is None or self.port is None:
            return self._result
        try:
            job: Job[R] = self._start(work)
            return job.result() if block else None
        except KeyboardInterrupt:  # between the two lines nobody else would cancel it
            if self._job is not None:
                self._job.cancel()
            raise

    def _work(self) -> Callable[[Tick], R] | None:
        """What `run` does; called on the caller's thread, it gives the function for the worker's."""
        return None

    def _start(
        self, work: Callable[[Tick], Any], *, quick: bool = False, take: Callable[[Any], None] | None = None
    ) -> Job[Any]:
        """Hand `work` to the worker; `take` gets what it gives, by default as the result. A run before is cancelled."""
        if self.port is None:
            raise SettingError("port", None, "an open session")
        if self._job is not None:
            self._job.cancel()

        self._runs = mine = self._runs + 1

        def working(tick: Tick) -> Any:
            result = work(tick)
            if mine == self._runs:
                (take or self._take)(result)
            return result

        self._job = job = self.port.submit(working, type(self).__name__, quick=quick)
        if self._view is not None:
            self._view.track(job)
        return job

    def _receive(self, name: str, result: Any) -> None:
        """Take one of `results` from a file."""
        if name == RESULT:
            self._take(result)

    def _take(self, result: R) -> None:
        """Make `result` the tool's result; view and observers follow."""
        with self._lock:
            old, self._result = self._result, result
        self._announce({RESULT: (old, result)})

    # -- the view -------------------------------------------------------------------------------------------------

    @abstractmethod
    def _make_view(self) -> ToolView:
        """Build the live view."""

    @property
    def view(self) -> ToolView:
        """The live view, built on first use."""
        with self._lock:
            if (view := self._view) is not None:
                return view
            view = self._view = self._make_view()
        try:
            view.begin()  # not before `_view` is known: what comes while it draws is told to it, and drawn next
        except BaseException:
            self._view = None
            view.close()
            raise
        return view

    def close(self) -> None:
        """Cancel what runs and free every widget and observer. Showing the tool again builds a new view."""
        if self._job is not None:
            self._job.cancel()
        with self._lock:
            view, self._view, self._job, self._thumbnail = self._view, None, None, None
            self._observers.clear()
        if view is not None:
            view.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def __repr__(self) -> str:
        """The same text for the same state and result, in every run."""

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """Live view, picture and text: a notebook that is opened without a kernel shows the picture."""
        from skipit_nb.widgets import display

        bundle: dict[str, Any] = {"text/plain": repr(self)}
        if thumbnail := self._cached_thumbnail():
            bundle["image/png"] = thumbnail
        model_id = self.view.box.model_id
        bundle[display.WIDGET_MIME] = {"version_major": 2, "version_minor": 0, "model_id": model_id}
        return bundle, display.colab_metadata()

    def _has_picture(self) -> bool:
        """Whether there is something to draw yet."""
        return self._result is not None

    def _draw_thumbnail(self) -> bytes:
        """The picture as a small PNG; nothing if it cannot be drawn."""
        from skipit_nb.widgets import display

        return display.thumbnail(self.chart)

    def _cached_thumbnail(self) -> str:
        """The picture in base64, drawn once for each state and result; "" if there is none yet."""
        if not self._has_picture():
            return ""
        key = (self._state, id(self._result))
        if self._thumbnail is None or self._thumbnail[0] != key:
            self._thumbnail = (key, base64.b64encode(self._draw_thumbnail()).decode())
        return self._thumbnail[1]
