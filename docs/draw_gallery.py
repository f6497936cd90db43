"""Draws docs/pictures/gallery/*.png and writes docs/gallery.md: every chart, with the line that makes it.

    python docs/draw_gallery.py                 a minute or two on one CPU
    python docs/draw_gallery.py norm flow       draws only these, and writes the page

The lines run on the model in the box. What the pages of the notions show too is read from docs/results/ rather than
measured again; a test holds the page to this list, and this list to the charts there are.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from notion_results import KINDS, Found, stored

from skipit_nb import Session, SkipSet, charts

DOCS = Path(__file__).parent
PICTURES, PAGE = DOCS / "pictures" / "gallery", DOCS / "gallery.md"
TASK = "digits-vqa"
SCALE = 1.5

INTRODUCTION = """\
# Gallery

Every chart, on the model in the box, with the line that makes it. All of them are functions from a result to an
Altair chart: show them in a notebook, `.save("x.png")` them, or change them as any Altair chart. The widgets' `.chart`
gives the same pictures. Before the lines stands

```python
from skipit_nb import Session, SkipSet, charts

session = Session.open()
example = session.examples("digits-vqa", limit=1)[0]
```
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture of the gallery."""

    heading: str
    line: str
    """What makes it, given `session`, `example`, `charts` and `SkipSet`."""
    words: str


GALLERY: dict[str, Shown] = {
    "profile": Shown(
        "Profile",
        'charts.profile_chart(session.profile("digits-vqa", limit=400), 0.02, scale="log")',
        "Distance, tail and flow of every layer, under each other.",
    ),
    "distance": Shown(
        "Distance per layer",
        'charts.distance_chart(session.profile("digits-vqa", limit=400), scale="log")',
        "How far each layer turns vision and text tokens.",
    ),
    "norm": Shown(
        "Lengths",
        'charts.norm_chart(session.profile("digits-vqa", limit=400))',
        "What a cosine cannot see: how long states are, and how much each layer adds to them.",
    ),
    "tail": Shown(
        "Tail per layer",
        'charts.tail_chart(session.profile("digits-vqa", limit=400), 0.02)',
        "The share of tokens that a layer turns by more than ε.",
    ),
    "tail-curves": Shown(
        "Tail over ε",
        'charts.tail_curve_chart(session.profile("digits-vqa", limit=400), [0, 4, 11])',
        "The same for every ε at once, for some layers.",
    ),
    "flow": Shown(
        "Cross-modal flow",
        'charts.flow_chart(session.profile("digits-vqa", limit=400))',
        "The share of attention that the last prompt token pays to the image, beside what a flat attention would give.",
    ),
    "knockout": Shown(
        "Knockout",
        'charts.knockout_chart(session.profile("digits-vqa", limit=400), session.knockout("digits-vqa", limit=400))',
        "Flow, and what it costs when text cannot read the image at a layer: the causal check.",
    ),
    "overlay": Shown(
        "Overlay",
        "charts.overlay_chart(session.look(example.image, example.question), 4, example.image)",
        "One layer's distances, token by token over the image.",
    ),
    "bands": Shown(
        "Band map",
        'charts.band_map(session.bands("digits-vqa", limit=200), "last", layers=3)',
        "The angle between any two boundaries; the best band of three layers is framed.",
    ),
    "similarity": Shown(
        "Similarity",
        'charts.similarity_chart(session.similarity("digits-vqa", limit=200))',
        "Linear CKA of the states before and behind each layer.",
    ),
    "contribution": Shown(
        "Layer contribution",
        'charts.contribution_chart(session.contribution("digits-vqa", limit=200))',
        "How much the next token changes when vision is frozen or absent at one layer.",
    ),
    "functional": Shown(
        "Functional redundancy",
        'charts.functional_chart(session.functional("digits-vqa", limit=400))',
        "What the best probe makes of each boundary.",
    ),
    "information": Shown(
        "Information",
        'charts.information_chart(session.information("digits-vqa", limit=1000, permutations=100))',
        "What each boundary tells of the answer, in nats.",
    ),
    "decomposition": Shown(
        "Decomposition",
        'charts.decomposition_chart(session.information("digits-vqa", limit=800, permutations=20, pid=True))',
        "Unique, redundant and synergistic information of vision and text.",
    ),
    "bounds": Shown(
        "Bounds",
        'charts.bounds_chart(session.bounds_report("digits-vqa", limit=128))',
        "What was measured beside what each implication of the theory allows.",
    ),
    "conditions": Shown(
        "The paper's conditions",
        'charts.conditions_chart(session.recommend(session.profile("digits-vqa", limit=400)))',
        "Which layers meet which condition, and the bands that follow.",
    ),
    "skipset": Shown(
        "A skip set",
        'charts.skipset_chart(SkipSet.parse("vision frozen 5-6; vision absent 8-10; whole 11", num_layers=12))',
        "What happens to which tokens at which layer.",
    ),
    "sweep": Shown(
        "A sweep",
        'charts.sweep_chart(session.sweep("digits-vqa", [SkipSet.early_exit(k) for k in range(1, 12)], limit=200))',
        "Accuracy of many skip sets against the full model.",
    ),
    "equal-cost": Shown(
        "Methods at equal cost",
        'charts.equal_cost_chart(session.equal_cost("digits-vqa", speedup=1.4, limit=400))',
        "Published methods, and random sets, that all save as much.",
    ),
    "agreement": Shown(
        "Agreement",
        'charts.agreement_chart(session.agreement("digits-vqa", limit=400, epsilon=0.02))',
        "Whether scores that need no answers foretell what skipping costs.",
    ),
    "comparison": Shown(
        "A comparison",
        'charts.comparison_chart(session.compare("digits-vqa", b="vision absent 6-11", limit=300))',
        "Accuracy by kind of question, and what was saved.",
    ),
    "efficiency": Shown(
        "Efficiency",
        'charts.efficiency_chart(session.efficiency("whole 6-11"))',
        "Where the time of an answer goes, with all layers and without six; it differs from machine to machine.",
    ),
    "robustness": Shown(
        "Robustness",
        'charts.robustness_chart(session.robustness("digits-vqa", limit=60))',
        "Redundancy and accuracy under noise, blur, occlusion and small adversarial changes of the image.",
    ),
    "reproduction": Shown(
        "Reproduction",
        'charts.reproduction_chart(session.reproduce("digits-vqa", limit=200))',
        "The acceptance checks of the paper, passed, failed or undecided.",
    ),
}


class Remembering:
    """A session that reads what is stored of a task, and measures the rest."""

    def __init__(self, session: Session, found: Found) -> None:
        self._session, self._found = session, found

    def __getattr__(self, name: str) -> Any:
        kind = name.removesuffix("_report")

        def ask(*args: Any, **kwargs: Any) -> Any:
            is_stored = kind in KINDS and "pid" not in kwargs
            return getattr(self._found, kind) if is_stored else getattr(self._session, name)(*args, **kwargs)

        return ask


def picture(name: str, session: Any) -> Any:
    """The chart of one entry."""
    scope = {"session": session, "charts": charts, "SkipSet": SkipSet, "example": session.examples(TASK, limit=1)[0]}
    return eval(GALLERY[name].line, scope)  # noqa: S307  lines of ours, above


def page() -> str:
    """The page."""
    parts = [INTRODUCTION]
    for name, shown in GALLERY.items():
        parts += [f"## {shown.heading}\n", f"{shown.words}\n", f"```python\n{shown.line}\n```\n",
                  f"![{shown.heading}: {shown.words}](pictures/gallery/{name}.png)\n"]  # fmt: skip
    return "\n".join(parts)


def main() -> None:
    """Draw every picture, and write the page."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with Session.open(device="cpu") as session:
        told = Remembering(session, stored(TASK))
        for name in sys.argv[1:] or GALLERY:
            picture(name, told).save(PICTURES / f"{name}.png", scale_factor=SCALE)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
