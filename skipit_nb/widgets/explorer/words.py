"""What the explorer says in sentences."""

from __future__ import annotations

from skipit_nb.results import RedundancyProfile
from skipit_nb.widgets.explorer.looking import Seen
from skipit_nb.widgets.explorer.state import Pinned

STORED = "A stored profile holds no questions. Give the explorer an open session to see a layer over an image."
FITS = 60
"""A longer question is cut off in the list, so it is said in full below."""


def status(
    profile: RedundancyProfile | None, *, is_live: bool, is_alone: bool, is_first: bool, is_refining: bool
) -> str:
    """What the plots were measured on."""
    if profile is None:
        return "Looking at one question …" if is_live else "Nothing is measured."
    made = profile.provenance
    if is_alone:
        return f"{made.model}: this one question, as the plots are to be."
    if is_first:
        return "A first look: this one question. Press Measure to average over more."
    count = f"{profile.num_samples} question{'s' * (profile.num_samples != 1)}"
    if is_refining:
        return f"So far {count}; the plots follow. Cancel keeps them."
    task = f" of {made.task}" if made.task else ""
    spread = "; bands are ± 1 s.d." if profile.num_samples > 1 else ""
    return f"{made.model}: mean over {count}{task}, seed {made.seed}{spread}"


def beside(pinned: Pinned | None) -> str:
    """What the hollow points are."""
    return f"Beside, in hollow points: {pinned.label}" if pinned else ""


def question(seen: Seen) -> str:
    """The question if the list cuts it off, the right answer, and the model's."""
    text = seen.example.question
    return said(seen) if len(text) <= FITS else f"{text}\n{said(seen)}"


def said(seen: Seen) -> str:
    """The right answer, and the model's."""
    answer = seen.answer
    return f"right answer: {seen.example.answer} · model: {answer.text or 'nothing'} ({answer.probability:.0%})"
