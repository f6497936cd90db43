"""`StandingPlot`: the difference between A and B while a comparison runs, and the interval around it closing in."""

from __future__ import annotations

from collections.abc import Sequence

import anywidget
import traitlets

from skipit_nb.results import Comparison, Standing
from skipit_nb.widgets.parts.assets import script, style

MOST_DRAWN = 60
"""Looks that go to the page with each update; of more, evenly chosen ones."""


class StandingPlot(anywidget.AnyWidget):
    """Questions to the right, B - A in points upwards, with the anytime-valid interval as a band.

    A line marks 0, another the margin; after the end a bar stands for the interval of the whole run.
    """

    _esm = script("plot_scale", "explorer_marks", "standing_plot")
    _css = style("standing_plot")

    looks: traitlets.List[list[float]] = traitlets.List(traitlets.List()).tag(sync=True)
    """One list a look: questions, difference, low, high; the last three in points."""
    final: traitlets.List[float] = traitlets.List(traitlets.Float()).tag(sync=True)
    """The same of the finished run; empty before."""
    planned = traitlets.Int(0).tag(sync=True)
    """Questions of the whole run."""
    margin = traitlets.Float(0.0).tag(sync=True)
    """In points."""
    words = traitlets.Unicode("").tag(sync=True)
    """What the picture says, for who does not see it."""

    def follow(self, looks: Sequence[Standing], margin: float, words: str) -> None:
        """Show how a run stands, in one message to the page."""
        every = -(-len(looks) // MOST_DRAWN) or 1
        chosen = looks[::-1][::every][::-1]  # the newest is always there
        with self.hold_sync():
            self.looks = [[look.num_questions, *_points(look.delta, look.low, look.high)] for look in chosen]
            self.final, self.planned = [], looks[-1].planned if looks else 0
            self.margin, self.words = 100 * margin, words

    def end(self, found: Comparison) -> None:
        """Show the interval of the finished run beside the way there."""
        total = found.metric("accuracy")
        self.final = [found.num_questions, *_points(total.value, total.low, total.high)]

    def __repr__(self) -> str:
        return f"StandingPlot({len(self.looks)} looks)"


def _points(*shares: float) -> list[float]:
    return [round(100 * share, 3) for share in shares]
