"""`ABEvaluator`: skip set A against skip set B on the same questions, with a verdict one can defend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from skipit_nb.errors import LimitError, SettingError, UnknownTaskError
from skipit_nb.jobs import Tick
from skipit_nb.ports import Compares
from skipit_nb.results import Comparison, PairedAnswer
from skipit_nb.results.comparison import FLIPS
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.tool import Tool

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.evaluator_view import EvaluatorView


@dataclass(frozen=True, slots=True)
class EvaluatorState(Stored):
    """What the user has chosen in the evaluator."""

    a: SkipSet
    """The reference; most often the full model."""
    b: SkipSet
    task: str
    limit: int | None
    """Whole images until at least so many questions; None for all."""
    seed: int
    margin: float
    """The loss of accuracy one would accept, as a share (0.01 = 1 point); fixed before the run."""
    flips: str = "any"
    """Which flips are shown: any, worse, better, changed."""


class ABEvaluator(Tool[EvaluatorState, Comparison]):
    """Two skip sets, a task, Run: accuracy with an honest interval, time, predicted cost, and the flips with images.

    Its `result` is the `Comparison`.

    Args:
        port: An open session.
        a: Skip set A; None for the full model.
        b: Skip set B.
        task: A task's name; by default the first that the session knows.
        limit: Whole images until at least so many questions; None for all of them.
        seed: Of the sampling.
        margin: The loss of accuracy one would accept, as a share.
    """

    result_type = Comparison

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
    ) -> None:
        self.num_layers = port.shape.num_layers
        named = task if task is not None else port.tasks()[0]
        state = EvaluatorState(SkipSet.of(a), SkipSet.of(b), named, limit, seed, margin)
        self._compares: Compares | None = port
        self._tasks: tuple[str, ...] = port.tasks()
        super().__init__(state, port)

    @classmethod
    def from_result(cls, comparison: Comparison) -> Self:
        """Show a stored comparison: no model, no Run button, no images."""
        made = comparison.provenance
        tool = cls.__new__(cls)
        tool.num_layers, tool._compares, tool._tasks = made.num_layers, None, (made.task,)
        margin = comparison.verdict.margin
        state = EvaluatorState(comparison.a, comparison.b, made.task, comparison.num_questions, made.seed, margin)
        Tool.__init__(tool, state)
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
        measured = (found.a, found.b, made.task.split("/")[0], made.seed, found.verdict.margin)
        return measured != (state.a, state.b, state.task, state.seed, state.margin)

    def _check(self, state: EvaluatorState) -> EvaluatorState:
        if state.task not in self._tasks:
            raise UnknownTaskError(state.task, self._tasks)
        if state.limit is not None and (isinstance(state.limit, bool) or not isinstance(state.limit, int)):
            raise SettingError("limit", state.limit, "a whole number of questions, or None for all")
        if state.limit is not None and state.limit < 1:
            raise LimitError(state.limit)
        if isinstance(state.seed, bool) or not isinstance(state.seed, int):
            raise SettingError("seed", state.seed, "a whole number")
        if isinstance(state.margin, bool) or not isinstance(state.margin, int | float) or not 0 < state.margin < 1:
            raise SettingError("margin", state.margin, "a share above 0 and below 1, such as 0.01 for one point")
        if state.flips not in FLIPS:
            raise SettingError("flips", state.flips, f"one of {', '.join(FLIPS)}")
        a, b = (SkipSet.of(skipset, num_layers=self.num_layers) for skipset in (state.a, state.b))
        return EvaluatorState(a, b, state.task, state.limit, state.seed, float(state.margin), state.flips)

    def _work(self) -> Callable[[Tick], Comparison] | None:
        port, s = self._compares, self.state
        if port is None:
            return None
        return lambda tick: port.compare(s.task, s.a, s.b, limit=s.limit, seed=s.seed, margin=s.margin, progress=tick)

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def data(self) -> pd.DataFrame:
        """One row per question of the last run, see `Comparison.frame`; no rows before the first."""
        import pandas as pd

        if self.result is None:
            return pd.DataFrame(columns=list(PairedAnswer.__dataclass_fields__))
        return self.result.frame

    @property
    def chart(self) -> Any:
        """Accuracy per question type, and the difference with its interval.

        Raises:
            SettingError: If nothing has run yet.
        """
        from skipit_nb.charts import comparison_chart

        if self.result is None:
            raise SettingError("result", None, "a comparison. Run the evaluator first")
        return comparison_chart(self.result)

    def image_of(self, answer: PairedAnswer) -> Any:
        """The image of one question; None for a stored comparison."""
        if self._compares is None:
            return None
        return self._compares.example(self.state.task, answer.key).image

    def code(self) -> str:
        """A cell that runs the same comparison and gives `data`."""
        s = self.state
        opening = self.opening() or [f"# session: an open session of {self._model}"]
        call = (
            f"comparison = session.compare({s.task.split('/')[0]!r}, a={str(s.a.open())!r}, b={str(s.b.open())!r}, "
            f"limit={s.limit}, seed={s.seed}, margin={s.margin:g})"
        )
        return "\n".join([*opening, call, "data = comparison.frame", "data"])

    @property
    def _model(self) -> str:
        return self.result.provenance.model if self.result else "the model"

    def _make_view(self) -> EvaluatorView:
        from skipit_nb.widgets.evaluator_view import EvaluatorView

        return EvaluatorView(self)

    def __repr__(self) -> str:
        s = self.state
        limit = "all questions" if s.limit is None else f"limit {s.limit}"
        said = f": {self.result.verdict.sentence}" if self.result else ""
        return f"ABEvaluator(A {str(s.a)!r}, B {str(s.b)!r}, {s.task}, {limit}{said})"
