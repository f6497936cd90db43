"""`Studio`: explore, build, evaluate, in one place and with one shared state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from skipit_nb.errors import SettingError
from skipit_nb.results import BandDistances, Comparison, Recommendation, RedundancyProfile, Sweep
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet
from skipit_nb.widgets.builder import SkipSetBuilder
from skipit_nb.widgets.builder.state import BuilderState
from skipit_nb.widgets.evaluator import ABEvaluator
from skipit_nb.widgets.evaluator.state import EvaluatorState
from skipit_nb.widgets.explorer import LayerDistanceExplorer
from skipit_nb.widgets.explorer.state import ExplorerState
from skipit_nb.widgets.readout import quantity
from skipit_nb.widgets.tool import RESULT, Change, Tool, field_names

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.session import Session
    from skipit_nb.widgets.studio_view import StudioView


@dataclass(frozen=True, slots=True)
class StudioState(Stored):
    """What the user has chosen in all three tools."""

    explorer: ExplorerState
    builder: BuilderState
    evaluator: EvaluatorState


@dataclass(frozen=True, slots=True)
class StudioResult(Stored):
    """What was measured so far; None where nothing was."""

    profile: RedundancyProfile | None
    recommendation: Recommendation | None
    comparison: Comparison | None
    sweep: Sweep | None = None
    bands: BandDistances | None = None


class Studio(Tool[StudioState, StudioResult]):
    """Three tools on one session: the explorer's profile tells the builder what is redundant, and the builder's skip
    set is B in the evaluator. Task and skip set are the same everywhere, and the builder asks the question that the
    explorer shows.

    `explorer`, `builder` and `evaluator` are the tools; `state` holds the states of all three. `studio.save("x.json")`
    writes state and results, and `Studio(session, state="x.json")` is the studio as it was.

    Args:
        session: An open session; the model in the box by default, which `close` then closes too.
        task: Where the questions come from; by default the first that the session knows.
        skipset: What the builder starts with.
        limit: Questions of a comparison, at least.
        state: A file that `save` wrote as .json; it decides what the other arguments would.

    Raises:
        ResultFormatError: If `state` is something else, or of another version.
        LayerCountError: If it is of a model with another number of layers.
        SettingError: If it was measured on another model.
    """

    results: ClassVar[Mapping[str, type[Stored]]] = {RESULT: StudioResult}

    def __init__(
        self,
        session: Session | None = None,
        *,
        task: str | None = None,
        skipset: SkipSet | str | None = "none",
        limit: int | None = 200,
        state: str | Path | None = None,
    ) -> None:
        self._is_own = session is None
        if session is None:
            from skipit_nb import Session  # quicker than from its own home: see `garbage`

            session = Session.open()
        self.session = session
        self.card = card_of(session)
        """One line about the session: model, layers, vision tokens, number format, device, memory."""
        self._name = session.name  # a closed session has none, and the studio still shows what was measured
        self.explorer = LayerDistanceExplorer(session, task=task, skipset=skipset)
        self.builder = SkipSetBuilder(session, skipset=skipset, task=task)
        self.evaluator = ABEvaluator(session, b=skipset, task=task, limit=limit)
        super().__init__(self._gathered(), session)
        self._join()
        if state is not None:
            self._restore(state)

    def _restore(self, path: str | Path) -> None:
        """Load, and leave nothing open if that fails."""
        try:
            self.load(path)
        except BaseException:
            self.close()
            raise

    # -- one shared state -----------------------------------------------------------------------------------------

    @property
    def tools(self) -> dict[str, Tool[Any, Any]]:
        """The three tools by the name of their part of the state."""
        return {"explorer": self.explorer, "builder": self.builder, "evaluator": self.evaluator}

    @property
    def skipset(self) -> SkipSet:
        """The skip set that is being built: B."""
        return self.builder.skipset

    @skipset.setter
    def skipset(self, value: SkipSet | str | None) -> None:
        self.builder.set(skipset=value)

    def set(self, **changes: Any) -> None:
        """Change parts of the state, each a state or a dict of changes: `studio.set(builder={"skipset": "none"})`.

        Raises:
            SettingError: If a name is not a tool, or not a field of its state, or a value is not one it takes. No
                tool has changed then.
        """
        for name in changes:
            if name not in self.tools:
                raise SettingError("field of the state", name, f"one of {', '.join(self.tools)}")
        fields = {
            name: change if isinstance(change, dict) else {n: getattr(change, n) for n in field_names(change)}
            for name, change in changes.items()
        }
        for name, changed in fields.items():
            self.tools[name]._changed(changed)
        for name, changed in fields.items():
            self.tools[name].set(**changed)

    def _check(self, state: StudioState) -> StudioState:
        for name, tool in self.tools.items():
            tool._check(getattr(state, name))
        return state

    def _gathered(self) -> StudioState:
        return StudioState(self.explorer.state, self.builder.state, self.evaluator.state)

    def _join(self) -> None:
        """Let each tool hear of what the others need to know. A change that is none ends the circle."""
        for name, tool in self.tools.items():
            tool.observe(partial(self._hear, name))
        self.builder.observe(lambda change: self._spread(change.new), "skipset")
        self.explorer.observe(lambda change: self.builder.set(skipset=change.new), "skipset")
        self.evaluator.observe(lambda change: self.builder.set(skipset=change.new), "b")
        self.explorer.observe(lambda change: self.evaluator.set(task=change.new), "task")
        self.explorer.observe(lambda change: self.builder.set(task=change.new), "task")
        self.builder.observe(lambda change: self.explorer.set(task=change.new), "task")
        self.evaluator.observe(lambda change: self.explorer.set(task=change.new), "task")
        self.explorer.observe(self._ask_what_is_seen, ("question", "task"))
        self.builder.observe(self._look_at_what_is_asked, "question")
        self.explorer.observe(lambda change: self.builder.inform(change.new), RESULT)

    def _spread(self, skipset: SkipSet) -> None:
        self.explorer.set(skipset=skipset)
        self.evaluator.set(b=skipset)

    def _ask_what_is_seen(self, change: Change) -> None:
        """Of another task the builder asks the first question by itself, and the explorer shows the first."""
        place, sample = self.explorer.state.question, self.explorer.sample
        if place < len(sample) and (place or change.name == "question"):
            self.builder.set(question=sample[place].key)

    def _look_at_what_is_asked(self, change: Change) -> None:
        """The explorer has a sample of its own, and may not have this question."""
        keys = [example.key for example in self.explorer.sample]
        if change.new in keys:
            self.explorer.set(question=keys.index(change.new))

    def _hear(self, name: str, change: Change) -> None:
        with self._lock:
            old, self._state = self._state, self._gathered()
            changes: dict[str, tuple[Any, Any]] = {}
            if change.name in self.tools[name].results:
                before, self._result = self._result, self._measured()
                changes[RESULT] = (before, self._result)
            else:
                changes[name] = (getattr(old, name), getattr(self._state, name))
        self._announce(changes)

    def _measured(self) -> StudioResult | None:
        """Bands alone are part of a first look, which every explorer takes by itself."""
        parts = self.explorer.result, self.builder.result, self.evaluator.result, self.evaluator.swept
        return StudioResult(*parts, self.explorer.bands) if any(part is not None for part in parts) else None

    def _take(self, result: StudioResult) -> None:
        """Hand stored results to the tools they belong to."""
        if result.profile is not None:
            self.explorer._take(result.profile)
        if result.bands is not None:
            self.explorer._take_bands(result.bands)
        if result.recommendation is not None:
            self.builder._take(result.recommendation)
        if result.comparison is not None:
            self.evaluator._take(result.comparison)
        if result.sweep is not None:
            self.evaluator._take_sweep(result.sweep)

    # -- what it shows --------------------------------------------------------------------------------------------

    def run(self, block: bool = True) -> StudioResult | None:
        """Measure the profile, then compare A with B.

        Args:
            block: Wait for the end, and raise what was raised. Otherwise return at once.
        """
        self.explorer.run(block=block)
        self.evaluator.run(block=block)
        return self._result if block else None

    @property
    def furthest(self) -> Tool[Any, Any]:
        """The tool that the story has come to: the evaluator once it ran, before it the explorer, else the builder."""
        if self.evaluator.result is not None or self.evaluator.swept is not None:
            return self.evaluator
        return self.builder if self.explorer.result is None else self.explorer

    @property
    def data(self) -> pd.DataFrame:
        """The table of the tool that the story has come to."""
        return self.furthest.data

    @property
    def chart(self) -> Any:
        """The picture of the tool that the story has come to."""
        return self.furthest.chart

    def code(self) -> str:
        """A cell that does what was done here, and gives `data`; `skipset` in it is ready for `session.skipping`."""
        if self.furthest is self.builder:
            return self.builder.code()
        body = self.furthest.code().split("\n")[len(self.opening()) :]
        return "\n".join([*self.opening("SkipSet"), f"skipset = {self.skipset.code()}", *body])

    @property
    def at_work(self) -> str:
        """Who has the model now: the job that runs, whether it is paused, and how many wait for it."""
        jobs = self.session.jobs
        if not jobs:
            return "The model is free."
        busy = next((job for job in jobs if job.state in ("running", "paused")), jobs[0])
        doing = "Paused" if busy.state == "paused" else "At work"
        waiting = f" · {len(jobs) - 1} more waiting" if len(jobs) > 1 else ""
        return f"{doing}: {busy.name or 'a job'}{waiting}"

    def _has_picture(self) -> bool:
        return True

    def _draw_thumbnail(self) -> bytes:
        return self.furthest._draw_thumbnail()

    def _make_view(self) -> StudioView:
        from skipit_nb.widgets.studio_view import StudioView

        return StudioView(self)

    def close(self) -> None:
        """Close the tools, and the session if the studio opened it."""
        for tool in self.tools.values():
            tool.close()
        super().close()
        self._join()  # shown again, the tools still hear of each other
        if self._is_own:
            self.session.close()

    def __repr__(self) -> str:
        return f"Studio({self._name}, {str(self.skipset)!r}, {self.evaluator.state.task})"


def card_of(session: Session) -> str:
    """One line about the session: model, layers, vision tokens, number format, device, memory."""
    shape, made = session.shape, session.provenance
    seen = f"{shape.num_vision} vision tokens an image" if shape.num_vision else "vision tokens as the image needs"
    where = f"{made.dtype} on {made.device} · {quantity(session.weights_bytes, 'B')} of weights"
    return f"{made.model} · {shape.num_layers} layers · {seen} · {where} · {made.attention}"
