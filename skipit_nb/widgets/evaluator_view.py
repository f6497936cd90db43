"""The evaluator's live view: two skip sets and a task, Run, the verdict, tables, and the flips with their images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.charts.pixels import image_url
from skipit_nb.errors import SkipitError
from skipit_nb.results import Comparison, PairedAnswer
from skipit_nb.results.comparison import FLIPS
from skipit_nb.widgets.code_box import CodeBox
from skipit_nb.widgets.comparison_words import facts, kind_rows, metric_rows
from skipit_nb.widgets.controls import Controls
from skipit_nb.widgets.flips import MOST_SHOWN, Flips
from skipit_nb.widgets.note import Note, Tone
from skipit_nb.widgets.table import Table
from skipit_nb.widgets.tool_view import ToolView

if TYPE_CHECKING:
    from skipit_nb.widgets.evaluator import ABEvaluator

METRICS = ("", "A", "B", "effect of B", "95 % interval", "how")
KINDS = ("question type", "questions", "A", "B", "B − A, points", "95 % interval", "worse", "better")
TONES: dict[str, Tone] = {"better": "verdict-good", "not worse": "verdict-good", "worse": "verdict-bad"}
"""How a kind of verdict looks; the others are neutral. The sentence says the same."""
THUMBNAIL_PIXELS = 96
"""Longest side of a flip's image."""


class EvaluatorView(ToolView):
    """Settings first, then the sentence to take away, then what it rests on."""

    tool: ABEvaluator

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        tool = self.tool
        self.arms = self.bind(Controls(label="Skip sets", fields=_arm_fields()))
        self.settings = self.bind(Controls(label="Settings", fields=_setting_fields(tool.tasks)))
        self.verdict, self.facts, self.stale = Note(live=True), Note(tone="quiet"), Note(tone="quiet")
        self.metrics, self.kinds, self.flips, self.code = Table(), Table(), Flips(), CodeBox()
        self.flips.on_filter(self.guarded(lambda wanted: tool.set(flips=wanted)))
        words = self.stack(self.stale, self.verdict, self.facts)
        found = [words, self.tables(self.metrics, self.kinds), self.flips]
        if tool.port is None:
            return [*found, self.code]
        self.job_bar.label = "Run A against B"
        return [self.arms, self.beside(self.settings, self.job_bar), *found, self.code]

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change of the settings or a result."""
        super().show(names)
        self.code.code = self.tool.code()
        found = self.tool.result
        is_stale = self.tool.is_stale
        self.stale.text = (
            "You have changed the settings: what follows was measured with those before." if is_stale else ""
        )
        if found is not None and (not names or "result" in names):
            self._show_result(found)
        if found is not None and (not names or names & {"result", "flips"}):
            self._show_flips(found)

    def _show_result(self, found: Comparison) -> None:
        self.verdict.say(found.verdict.sentence, TONES.get(found.verdict.kind, "verdict"))
        self.facts.text = f"A: {found.a} · B: {found.b}\n{facts(found)}"
        self.metrics.draw(METRICS, metric_rows(found), words=[5])
        self.kinds.draw(KINDS, kind_rows(found))

    def _show_flips(self, found: Comparison) -> None:
        wanted = self.tool.state.flips
        hits = [answer for answer in found.answers if _passes(answer, wanted)]
        with self.flips.hold_sync():
            self.flips.counts = {name: sum(_passes(answer, name) for answer in found.answers) for name in FLIPS}
            self.flips.chosen = wanted
            self.flips.items = [self._item(answer) for answer in hits[:MOST_SHOWN]]

    def _item(self, answer: PairedAnswer) -> dict[str, str]:
        words = {name: getattr(answer, name) for name in ("question", "target", "a", "b", "kind")}
        return words | {"change": _change(answer), "image": self._image(answer)}

    def _image(self, answer: PairedAnswer) -> str:
        try:
            image = self.tool.image_of(answer)
        except (SkipitError, OSError):  # the words of a flip stand without its image
            return ""
        return "" if image is None else image_url(image, THUMBNAIL_PIXELS)


def _passes(answer: PairedAnswer, wanted: str) -> bool:
    if wanted == "changed":
        return answer.a != answer.b
    change = _change(answer)
    return change in ("worse", "better") if wanted == "any" else change == wanted


def _change(answer: PairedAnswer) -> str:
    if answer.score_a == answer.score_b:
        return "changed"
    return "worse" if answer.score_b < answer.score_a else "better"


def _arm_fields() -> list[dict[str, Any]]:
    hint = "'none' for the full model, or clauses such as 'vision absent 0-7; whole 28'. Press Enter."
    return [
        {"name": "a", "label": "A (reference)", "kind": "code", "hint": hint},
        {"name": "b", "label": "B", "kind": "code", "hint": hint},
    ]


def _setting_fields(tasks: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {"name": "task", "label": "task", "kind": "choice", "options": list(tasks)},
        {
            "name": "limit",
            "label": "questions",
            "kind": "int",
            "min": 1,
            "optional": True,
            "hint": "At least so many, whole images; empty for all.",
        },
        {"name": "seed", "label": "seed", "kind": "int"},
        {
            "name": "margin",
            "label": "margin",
            "kind": "number",
            "min": 0,
            "max": 1,
            "step": 0.005,
            "hint": "The loss of accuracy you would accept, as a share: 0.01 is one point. Fix it before you look.",
        },
    ]
