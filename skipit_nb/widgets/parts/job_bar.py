"""`JobBar`: a Run button, how far the work is, and buttons to pause and cancel it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from skipit_nb.jobs import Job
from skipit_nb.widgets.parts.assets import script, style

SECONDS_BETWEEN_UPDATES = 0.25
"""Progress is shown no more often; a change of state always."""


class JobBar(anywidget.AnyWidget):
    """Starts and stops a tool's long work. A click sends "run", "pause", "resume" or "cancel"; `show` shows a job."""

    _esm = script("job_bar")
    _css = style("job_bar")

    label = traitlets.Unicode("Run").tag(sync=True)
    """What the button says."""
    state = traitlets.Unicode("idle").tag(sync=True)
    """"idle", or the job's: waiting, running, paused, done, failed, cancelled."""
    done = traitlets.Int(0).tag(sync=True)
    total = traitlets.Int(0).tag(sync=True)
    message = traitlets.Unicode("").tag(sync=True)
    """Such as "120 of 400 questions · 12 s left"."""
    can_pause = traitlets.Bool(False).tag(sync=True)
    """Whether there is a Pause button."""
    unit = traitlets.Unicode("questions")
    """What is counted."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._shown = 0.0

    def on_intent(
        self,
        run: Callable[[], object],
        cancel: Callable[[], object],
        pause: Callable[[], object] | None = None,
        resume: Callable[[], object] | None = None,
    ) -> None:
        """Call one of these when the user asks for it."""
        wishes = {"run": run, "cancel": cancel, "pause": pause, "resume": resume}

        def hear(_: object, content: Any, __: object) -> None:
            wish = content.get("do") if isinstance(content, dict) else None
            if isinstance(wish, str) and (act := wishes.get(wish)) is not None:
                act()

        self.on_msg(hear)

    def show(self, job: Job[Any]) -> None:
        """Show how far `job` is, in one message to the page, four times a second at most. From any thread."""
        now = time.monotonic()
        if job.state == self.state == "running" and now - self._shown < SECONDS_BETWEEN_UPDATES:
            return
        self._shown = now
        with self.hold_sync():
            self.state, self.done, self.total = job.state, job.done, job.total
            self.message = self._message(job)

    def _message(self, job: Job[Any]) -> str:
        if job.state == "waiting":
            return "waiting for other work on this session"
        count = f"{job.done:,} of {job.total:,} {self.unit}" if job.total else ""
        if job.state == "running":
            left = job.seconds_left
            return " · ".join(part for part in (count or "starting", _left(left)) if part)
        is_part = job.state in ("cancelled", "paused") and bool(count)
        return f"{job.state}{f' after {count}' if is_part else ''}"

    def __repr__(self) -> str:
        return f"JobBar({self.label!r}, {self.state})"


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:  # noqa: PLR2004 - "75 s" reads better than "1 min"
        return f"{max(1, round(seconds))} s left"
    return f"{round(seconds / 60)} min left"
