"""`ToolView`: the frame that every tool's live view stands in: key guard, parts, and an area for messages."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ipywidgets

from skipit_nb.jobs import Job
from skipit_nb.widgets.display import check_kernel
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.job_bar import JobBar
from skipit_nb.widgets.parts.key_guard import KeyGuard
from skipit_nb.widgets.parts.note import Note
from skipit_nb.widgets.tool import Tool, field_names


class ToolView(ABC):
    """The ipywidgets of one tool. They draw the state and hand on what the user wants; they hold nothing.

    A subclass builds its parts in `parts` (with `bind` for a control that is one field of the state, and `guarded`
    around every callback) and redraws in `show`. `box` is what the notebook displays.
    """

    def __init__(self, tool: Tool[Any, Any]) -> None:
        check_kernel()
        self.tool = tool
        self.message = Note(live=True)
        self._drawing = threading.RLock()
        self._job_bar: JobBar | None = None
        self._bound: list[Controls] = []
        self.box = ipywidgets.VBox([KeyGuard(), self.message, *self.parts()])
        self.box.add_class("skipit")
        self.box.add_class("skipit-tool")

    def begin(self) -> None:
        """Draw everything for the first time, and follow the job that runs."""
        self.redraw(frozenset())
        if self.tool.job is not None:
            self.track(self.tool.job)

    @abstractmethod
    def parts(self) -> list[Any]:
        """The widgets, top to bottom. A tool that has long work places `self.job_bar` among them."""

    @property
    def job_bar(self) -> JobBar:
        """Run, progress, Pause if it `can_pause`, Cancel; made on first use."""
        if self._job_bar is None:
            self._job_bar = JobBar()
            run = self.guarded(lambda: self.tool.run(block=False))
            self._job_bar.on_intent(run, self._cancel, self._pause, self._resume)
        return self._job_bar

    def redraw(self, names: frozenset[str]) -> None:
        """`show`, one thread at a time: the last one to draw has seen the newest state."""
        with self._drawing:
            self.show(names)

    def show(self, names: frozenset[str]) -> None:
        """Redraw what depends on these fields of the state, or on "result"; on all of them if `names` is empty.

        This part keeps bound controls in step; subclasses call it and add theirs.
        """
        fields = set(field_names(self.tool.state))
        for controls in self._bound:
            mine = fields & {field["name"] for field in controls.fields}
            if fresh := {name: getattr(self.tool.state, name) for name in mine if not names or name in names}:
                controls.show(**{name: _shown(value) for name, value in fresh.items()})

    def bind(self, controls: Controls) -> Controls:
        """Make fields of `controls` and fields of the state of the same name one, both ways; gives the controls.

        What is entered in any other field stays in the controls.
        """
        self._bound.append(controls)
        fields = field_names(self.tool.state)

        def enter(name: str, value: Any) -> None:
            checked = controls.checked(name, value)
            if name in fields:
                self.tool.set(**{name: checked})
            else:
                controls.show(**{name: checked})

        controls.on_enter(self.guarded(enter))
        return controls

    def guarded(self, action: Callable[..., object]) -> Callable[..., bool]:
        """`action`, but what it raises is shown in the tool's own area. For every callback from the page.

        What it gives says whether all went well.
        """

        def call(*args: Any) -> bool:
            try:
                action(*args)
            except Exception as error:  # noqa: BLE001 - whatever it is, the user reads it here, and goes on
                self.complain(error)
                return False
            self._forgive()
            return True

        return call

    def _forgive(self) -> None:
        """Take the last complaint away, and the marks on fields that caused one."""
        if self.message.tone == "error":
            self.message.say("")
        for controls in self._bound:
            controls.refused = ""

    def complain(self, error: BaseException) -> None:
        """Show an error, as text, with the name of its class."""
        self.message.say(f"{type(error).__name__}: {error}", "error")

    def track(self, job: Job[Any]) -> None:
        """Show progress and end of a job."""

        def follow(job: Job[Any]) -> None:
            if job is not self.tool.job:
                return  # a newer one has taken its place
            if self._job_bar is not None:
                self._job_bar.show(job)
            if job.state == "failed" and job.exception is not None:
                self.complain(job.exception)
            elif job.state == "running" and self.message.tone == "error":
                self.message.say("")

        job.watch(follow)
        follow(job)

    def _cancel(self) -> None:
        if self.tool.job is not None:
            self.tool.job.cancel()
            self.job_bar.message = "cancelling"

    def _pause(self) -> None:
        if self.tool.job is not None and not self.tool.job.has_ended:
            self.tool.job.pause()
            self.job_bar.message = "pausing after this batch"

    def _resume(self) -> None:
        if self.tool.job is not None:
            self.tool.job.resume()

    @staticmethod
    def stack(*widgets: Any) -> Any:
        """Widgets below each other."""
        return _boxed(widgets, "skipit-stack")

    @staticmethod
    def columns(*widgets: Any) -> Any:
        """Widgets beside each other where there is room, else below."""
        return _boxed(widgets, "skipit-columns")

    @staticmethod
    def beside(*widgets: Any) -> Any:
        """Rows of controls on one line where there is room, their feet level."""
        return _boxed(widgets, "skipit-beside")

    def close(self) -> None:
        """Close every widget, so that ipywidgets' registry lets go of them."""
        for widget in list(_family(self.box, set())):
            widget.unobserve_all()
            widget.close()


def _boxed(widgets: Sequence[Any], name: str) -> Any:
    box = ipywidgets.VBox(list(widgets))
    box.add_class(name)
    return box


def _shown(value: Any) -> Any:
    """A value of the state as a control shows it."""
    return value if isinstance(value, str | int | float) else "" if value is None else str(value)


def _family(widget: Any, seen: set[int]) -> Iterator[Any]:
    """The widget, its layout and style, and the same of its children."""
    if id(widget) in seen:
        return
    seen.add(id(widget))
    yield widget
    for name in ("layout", "style"):
        if isinstance(part := getattr(widget, name, None), ipywidgets.Widget):
            yield part
    for child in getattr(widget, "children", ()):
        yield from _family(child, seen)
