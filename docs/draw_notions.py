"""Draws docs/pictures/notions/*.svg and writes what was measured into docs/notions/*.md: the model in the box.

    python docs/draw_notions.py              from the results stored in docs/results/: seconds
    python docs/draw_notions.py --measure    measures them first: some minutes on one CPU; behind it, names of some
    python docs/draw_notions.py --measure similarity functional      measures only these

A test compares the pages with what this writes, and the words of the pictures with those it draws.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import vl_convert
from notion_facts import FACTS
from notion_results import EPSILON, TASKS, Found, measure, stored

from skipit_nb import charts
from skipit_nb.charts.paper import CONFIG

DOCS = Path(__file__).parent
PICTURES, PAGES = DOCS / "pictures" / "notions", DOCS / "notions"
START, END = "<!-- measured by docs/draw_notions.py -->", "<!-- measured -->"
FONT = f'font-family="{CONFIG["font"]}" font-size="11px"'
NEEDLESS = (
    rf' (aria-[a-z]+|role|class|pointer-events)="[^"]*"| (opacity|stroke-width)="1"|<path[^>]*display="none"/>| {FONT}'
)
"""What repeats a default, or is said once for the whole picture."""
OUTLINES = r'(<path(?:(?! stroke=)[^>])*) stroke-width="[^"]*"'
"""The width of an outline that is not drawn."""
WIDTH = 140
NAMES = {"digits-vqa": "Digits-VQA", "easy-vqa": "easy-VQA"}

DRAWN: dict[str, Callable[[Found], Any]] = {
    "geometric": lambda found: charts.distance_chart(found.profile, scale="log"),
    "proximal": lambda found: charts.tail_chart(found.profile, EPSILON),
    "flow": lambda found: charts.knockout_chart(found.profile, found.knockout),
    "functional": lambda found: charts.functional_chart(found.functional),
    "contribution": lambda found: charts.contribution_chart(found.contribution),
    "informational": lambda found: charts.information_chart(found.information),
    "bounds": lambda found: charts.bounds_chart(found.bounds),
    "bands-and-similarity": lambda found: charts.band_map(found.bands, "last", layers=3),
    "agreement": lambda found: charts.agreement_chart(found.agreement),
}
"""File in `PICTURES` → its chart."""


def svg(name: str, found: Found) -> str:
    """One picture, made small. Words for every single mark go too: the page describes the whole."""
    drawn = vl_convert.vegalite_to_svg(DRAWN[name](found).to_dict())
    drawn = re.sub(OUTLINES, r"\1", re.sub(NEEDLESS, "", drawn)).replace("<svg", f"<svg {FONT}", 1)
    return re.sub(r' (d|transform|x|y|[xy][12]|width|height)="[^"]*"', _rounded, drawn) + "\n"


def _rounded(attribute: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}", attribute[0])


def facts(page: str, found: Found) -> str:
    """What was measured on one task, as an item of a list."""
    sentences = f"- *{NAMES[found.task]}.* {' '.join(FACTS[page](found))}"
    return "\n".join(textwrap.wrap(sentences, WIDTH, subsequent_indent="  ", break_on_hyphens=False))


def with_facts(page: str, text: str, everything: list[Found]) -> str:
    """The page with what was measured between its two marks."""
    before, rest = text.split(START)
    _, after = rest.split(END)
    lines = [START, "", *(facts(page, found) for found in everything), "", END]
    return before + "\n".join(lines) + after


def main() -> None:
    """Draw every picture and write every page anew."""
    if "--measure" in sys.argv[1:]:
        measure(sys.argv[sys.argv.index("--measure") + 1 :])
    everything = [stored(task) for task in TASKS]
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name in DRAWN:
        (PICTURES / f"{name}.svg").write_text(svg(name, everything[0]), encoding="utf-8")
    for page in FACTS:
        path = PAGES / f"{page}.md"
        path.write_text(with_facts(page, path.read_text(encoding="utf-8"), everything), encoding="utf-8")


if __name__ == "__main__":
    main()
