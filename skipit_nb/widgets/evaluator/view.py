"""The evaluator's live view: two skip sets and a task, Run, the verdict, what it rests on, the flips, many sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from skipit_nb.jobs import UNDER_WAY, Job
from skipit_nb.results import Comparison
from skipit_nb.widgets.evaluator.asking import LOOKED, SWEPT
from skipit_nb.widgets.evaluator.fields import SWEEP, arm_fields, many_fields, setting_fields
from skipit_nb.widgets.evaluator.flips import Flips
from skipit_nb.widgets.evaluator.flips_shown import draw_flips
from skipit_nb.widgets.evaluator.pareto_plot import ParetoPlot
from skipit_nb.widgets.evaluator.scoreboard import Scoreboard
from skipit_nb.widgets.evaluator.standing_plot import StandingPlot
from skipit_nb.widgets.evaluator.words import facts, kind_bars, kind_rows, metric_bars, metric_rows, standing_words
from skipit_nb.widgets.parts.code_box import CodeBox
from skipit_nb.widgets.parts.controls import Controls
from skipit_nb.widgets.parts.note import Note, Tone
from skipit_nb.widgets.parts.table import Table
from skipit_nb.widgets.tool import RESULT
from skipit_nb.widgets.tool_view import ToolView

if TYPE_CHECKING:
    from skipit_nb.widgets.evaluator.evaluator import ABEvaluator

METRICS = ("", "A", "B", "effect of B", "95 % interval", "how")
EVERY = "Every measurement, and how it was made"
KINDS = ("question type", "questions", "A", "B", "B − A, points", "95 % interval", "worse", "better")
TONES: dict[str, Tone] = {"better": "verdict-good", "not worse": "verdict-good", "worse": "verdict-bad"}
"""How a kind of verdict looks; the others are neutral. The sentence says the same."""
FLIPS_SHOWN = {RESULT, "flips", "kind", "page", "pinned"}
"""What the gallery depends on."""
STALE = "You have changed the settings: what follows was measured with those before."


class EvaluatorView(ToolView):
    """Settings first, then the sentence to take away, then what it rests on."""

    tool: ABEvaluator

    def parts(self) -> list[Any]:
        """The widgets, top to bottom."""
        tool = self.tool
        self.arms = self.bind(Controls(label="Skip sets", fields=arm_fields()))
        self.settings = self.bind(Controls(label="Settings", fields=setting_fields(tool.tasks)))
        self.many = self.bind(Controls(label="Many skip sets", fields=many_fields()))
        self.so_far, self.standing = Note(), StandingPlot()
        self.verdict, self.facts, self.stale = Note(live=True), Note(tone="quiet"), Note(tone="quiet")
        self.scores, self.metrics, self.kinds = Scoreboard(), Table(label=EVERY), Table()
        self.flips, self.code = Flips(), CodeBox()
        self.pareto = ParetoPlot()
        self._listen()
        words = self.stack(self.stale, self.verdict, self.facts)
        found = [words, self.standing, self.scores, self.kinds, self.flips, self.metrics]
        if tool.port is None:
            return [*found, self.code]
        self.job_bar.label, self.job_bar.can_pause = "Run A against B", True
        many = [self.many, self.pareto] if tool.can_sweep else []
        return [self.arms, self.beside(self.settings, self.job_bar), self.so_far, *found, *many, self.code]

    def _listen(self) -> None:
        tool = self.tool
        self.flips.on_wish(self.guarded(self._wish))
        self.many.on_press(self.guarded(lambda name: tool.sweep(block=False) if name == SWEEP else None))
        self.pareto.on_take(self.guarded(tool.take_as_b))

    def _wish(self, name: str, value: Any) -> None:
        """What the gallery asks for. Another filter begins at its first page."""
        first = {"page": 0} if name in ("flips", "kind") else {}
        self.tool.set(**first, **{name: value})

    def track(self, job: Job[Any]) -> None:
        """Show progress and end of a job; meanwhile no sweep can be started, as it would end the job."""
        super().track(job)
        job.watch(self._hold_sweep)
        self._hold_sweep(job)

    def _hold_sweep(self, job: Job[Any]) -> None:
        if job is self.tool.job:
            self.many.change(SWEEP, disabled=job.state in UNDER_WAY)

    def show(self, names: frozenset[str]) -> None:
        """Redraw after a change of the settings, a look at the run under way, or a result."""
        super().show(names)
        if not names or LOOKED in names:
            self._show_standing()
        if names == {LOOKED}:
            return
        self.code.code = self.tool.code()
        found = self.tool.result
        self.stale.text = STALE if self.tool.is_stale else ""
        if found is not None and (not names or RESULT in names):
            self._show_result(found)
        if found is not None and (not names or names & FLIPS_SHOWN):
            draw_flips(self.flips, found, self.tool.state, self.tool.image_of, self.tool.earlier)
        if self.tool.swept is not None and (not names or names & {SWEPT, "b"}):
            self.pareto.draw(self.tool.swept, self.tool.b)

    def _show_standing(self) -> None:
        looks = self.tool.looks
        words = standing_words(looks[-1]) if looks else ""
        self.so_far.text = words
        self.standing.follow(looks, self.tool.state.margin, words)

    def _show_result(self, found: Comparison) -> None:
        self.so_far.text = ""  # the verdict says it now
        self.standing.end(found)
        self.verdict.say(found.verdict.sentence, TONES.get(found.verdict.kind, "verdict"))
        self.facts.text = f"A: {found.a} · B: {found.b}\n{facts(found)}"
        self.scores.draw(found)
        self.metrics.draw(METRICS, metric_rows(found), words=[5], bars=metric_bars(found))
        self.kinds.draw(KINDS, kind_rows(found), bars=kind_bars(found))

    def close(self) -> None:
        """Close every widget, those too that a stored comparison has no place for."""
        super().close()
        for widget in (self.arms, self.settings, self.many, self.so_far, self.pareto):
            widget.layout.close()
            widget.close()
