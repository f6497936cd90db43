"""`History`: the skip sets that were drawn before, to go back to, and those that were taken back."""

from __future__ import annotations

from skipit_nb.skipset import SkipSet

MOST = 500
"""Steps that can be taken back."""


class History:
    """Undo and redo. `note` each change; `back` and `forth` give where to go, and remember where one was."""

    def __init__(self) -> None:
        self._past: list[SkipSet] = []
        self._future: list[SkipSet] = []

    @property
    def can_go_back(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._past)

    @property
    def can_go_forth(self) -> bool:
        """Whether something was taken back."""
        return bool(self._future)

    def note(self, before: SkipSet) -> None:
        """Remember what was there before a change. What was taken back is lost."""
        self._past = [*self._past[-MOST + 1 :], before]
        self._future.clear()

    def back(self, now: SkipSet) -> SkipSet:
        """What was there before; `now` can be done again. Without a past: `now`."""
        return _travel(self._past, self._future, now)

    def forth(self, now: SkipSet) -> SkipSet:
        """What was taken back last; `now` can be taken back again. Without a future: `now`."""
        return _travel(self._future, self._past, now)


def _travel(source: list[SkipSet], other: list[SkipSet], now: SkipSet) -> SkipSet:
    if not source:
        return now
    other.append(now)
    return source.pop()
