"""Which flips of a comparison are shown, and how each one looks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from skipit_nb.charts.pixels import image_url
from skipit_nb.errors import SkipitError
from skipit_nb.results import Comparison, PairedAnswer
from skipit_nb.results.comparison import FLIPS
from skipit_nb.widgets.evaluator.flips import PAGE, Flips
from skipit_nb.widgets.evaluator.state import EvaluatorState

THUMBNAIL_PIXELS = 96
"""Longest side of a flip's image."""

ImageOf = Callable[[PairedAnswer], Any]


def draw_flips(
    flips: Flips, found: Comparison, state: EvaluatorState, image_of: ImageOf, earlier: Sequence[tuple[str, str]]
) -> None:
    """Show the page that is chosen, in one message; `earlier` is what other skip sets said to the pinned question."""
    of_kind = [answer for answer in found.answers if state.kind in ("", answer.kind)]
    hits = [answer for answer in of_kind if passes(answer, state.flips)]
    pages = max(1, -(-len(hits) // PAGE))
    page = min(state.page, pages - 1)
    pinned = next((answer for answer in found.answers if answer.key == state.pinned), None)
    with flips.hold_sync():
        flips.counts = {name: sum(passes(answer, name) for answer in of_kind) for name in FLIPS}
        flips.kinds, flips.kind = sorted({answer.kind for answer in found.answers} | {state.kind} - {""}), state.kind
        flips.chosen, flips.page, flips.pages, flips.first = state.flips, page, pages, page * PAGE
        flips.items = [_item(answer, image_of) for answer in hits[page * PAGE : (page + 1) * PAGE]]
        flips.pinned = {} if pinned is None else _item(pinned, image_of) | {"earlier": [list(one) for one in earlier]}


def passes(answer: PairedAnswer, wanted: str) -> bool:
    """Whether a filter lets a question through."""
    if wanted == "changed":
        return answer.a != answer.b
    change = _change(answer)
    return change in ("worse", "better") if wanted == "any" else change == wanted


def _change(answer: PairedAnswer) -> str:
    if answer.score_a == answer.score_b:
        return "same" if answer.a == answer.b else "changed"
    return "worse" if answer.score_b < answer.score_a else "better"


def _item(answer: PairedAnswer, image_of: ImageOf) -> dict[str, Any]:
    words = {name: getattr(answer, name) for name in ("key", "question", "target", "a", "b", "kind")}
    return words | {"change": _change(answer), "image": _image(answer, image_of)}


def _image(answer: PairedAnswer, image_of: ImageOf) -> str:
    try:
        image = image_of(answer)
    except (SkipitError, OSError):  # the words of a flip stand without its image
        return ""
    if isinstance(image, list | tuple):
        image = image[0] if image else None
    return "" if image is None else image_url(image, THUMBNAIL_PIXELS)
