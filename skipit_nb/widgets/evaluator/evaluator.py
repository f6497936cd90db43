"""`ABEvaluator`: skip set A against skip set B on the same questions, with a verdict one can defend."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from skipit_nb.errors import SettingError
from skipit_nb.ports import Compares
from skipit_nb.results import Comparison, PairedAnswer
from skipit_nb.results.comparison import FRAME_COLUMNS
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.evaluator.asking import Judging
from skipit_nb.widgets.evaluator.code import comparison_code, sweep_code
from skipit_nb.widgets.evaluator.state import EvaluatorState, checked

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.evaluator.view import EvaluatorView


class ABEvaluator(Judging):
    """Two skip sets, a task, Run: accuracy with an honest interval, time, predicted cost, and the flips with images.

    While it runs you see how it stands, with an interval that holds however often you look; it can be paused, and a
    run that is cancelled hands over what it has, labelled incomplete. Its `result` is the `Comparison`; `swept` is
    what many skip sets at once say, drawn as accuracy against FLOPs, and a press on a point there makes it B.

    Args:
        port: An open session.
        a: Skip set A; None for the full model.
        b: Skip set B.
        task: A task's name; by default the first that the session knows.
        limit: Whole images until at least so many questions; None for all of them.
        seed: Of the sampling.
        margin: The loss of accuracy one would accept, as a share.
        stop_early: Stop as soon as the verdict is clear; the interval then allows for looking, and is wider.
        ledger: A folder that keeps every answer as soon as it is there: after a kernel restart the same run goes on.

    Raises:
        UnknownTaskError: If there is no such task.
        LimitError: If `limit` is below 1.
        SettingError: If another argument is out of range.
    """

    def __init__(
        self,
        port: Compares,
        a: SkipSet | str | None = "none",
        b: SkipSet | str | None = "none",
        *,
        task: str | None = None,
        limit: int | None = 200,
        seed: int = 0,
        margin: float = 0.01,
        stop_early: bool = False,
        ledger: str | Path | None = None,
    ) -> None:
        self._tasks: tuple[str, ...] = port.tasks()
        named, folder = task if task is not None else self._tasks[0], None if ledger is None else str(ledger)
        arms = SkipSet.of(a), SkipSet.of(b)
        state = EvaluatorState(*arms, named, limit, seed, margin, ledger=folder, stop_early=stop_early)
        super().__init__(state, port, port.shape.num_layers)

    @classmethod
    def from_result(cls, comparison: Comparison) -> Self:
        """Show a stored comparison: no model, no Run button, no images."""
        made = comparison.provenance
        tool = cls.__new__(cls)
        tool._tasks = (made.task,)
        margin = comparison.verdict.margin
        asked, looked = comparison.planned or comparison.num_questions, comparison.planned is not None
        state = EvaluatorState(comparison.a, comparison.b, made.task, asked, made.seed, margin, stop_early=looked)
        Judging.__init__(tool, state, None, made.num_layers)
        tool._take(comparison)
        return tool

    # -- state ----------------------------------------------------------------------------------------------------

    @property
    def a(self) -> SkipSet:
        """Skip set A, the reference."""
        return self.state.a

    @a.setter
    def a(self, value: SkipSet | str | None) -> None:
        self.set(a=value)

    @property
    def b(self) -> SkipSet:
        """Skip set B."""
        return self.state.b

    @b.setter
    def b(self, value: SkipSet | str | None) -> None:
        self.set(b=value)

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks to choose from."""
        return self._tasks

    @property
    def is_stale(self) -> bool:
        """Whether the result was measured with other settings than are chosen now."""
        found, state = self.result, self.state
        if found is None or self._compares is None:
            return False
        made = found.provenance
        looked = found.planned is not None
        measured = (found.a, found.b, made.task.split("/")[0], made.seed, found.verdict.margin, looked)
        return measured != (state.a, state.b, state.task, state.seed, state.margin, state.stop_early)

    def _check(self, state: EvaluatorState) -> EvaluatorState:
        return checked(state, tasks=self._tasks, num_layers=self.num_layers)

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def data(self) -> pd.DataFrame:
        """One row per question of the last run, see `Comparison.frame`; no rows before the first.

        Where only a sweep was run, one row per skip set: `Sweep.frame`.
        """
        import pandas as pd

        if self.result is not None:
            return self.result.frame
        return pd.DataFrame(columns=list(FRAME_COLUMNS)) if self.swept is None else self.swept.frame

    @property
    def chart(self) -> Any:
        """Accuracy per question type, and the difference with its interval; of a sweep alone, accuracy of every set.

        Raises:
            SettingError: If nothing has run yet.
        """
        from skipit_nb.charts import comparison_chart, sweep_chart

        if self.result is not None:
            return comparison_chart(self.result)
        if self.swept is not None:
            return sweep_chart(self.swept)
        raise SettingError("result", None, "a comparison. Run the evaluator first")

    def image_of(self, answer: PairedAnswer) -> Any:
        """The image of one question; None for a stored comparison."""
        if self._compares is None:
            return None
        return self._compares.example(self.state.task, answer.key).image

    def code(self) -> str:
        """A cell that runs the same comparison, or sweep, and gives `data`."""
        opening = self.opening() or [f"# session: an open session of {self._model!r}"]
        if self.result is None and self.swept is not None:
            return "\n".join([*opening, *sweep_code(self.state, self.swept)])
        return "\n".join([*opening, *comparison_code(self.state, self.result)])

    @property
    def _model(self) -> str:
        return self.result.provenance.model if self.result else "the model"

    def _has_picture(self) -> bool:
        return self.result is not None or self.swept is not None

    def _make_view(self) -> EvaluatorView:
        from skipit_nb.widgets.evaluator.view import EvaluatorView

        return EvaluatorView(self)

    def __repr__(self) -> str:
        s = self.state
        limit = "all questions" if s.limit is None else f"limit {s.limit}"
        said = f": {self.result.verdict.sentence}" if self.result else ""
        return f"ABEvaluator(A {str(s.a)!r}, B {str(s.b)!r}, {s.task}, {limit}{said})"
