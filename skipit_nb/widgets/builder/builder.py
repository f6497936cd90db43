"""`SkipSetBuilder`: draw a skip set on a strip of layers; see what it saves, what it breaks, and what is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from skipit_nb.cost import USUAL_TEXT, USUAL_VISION, Cost, ModelShape, cost, usual_vision
from skipit_nb.errors import LayerCountError, SessionClosedError, SettingError
from skipit_nb.jobs import Job, Tick
from skipit_nb.ports import Opened
from skipit_nb.results import Proposal, Recommendation, RedundancyProfile, WhatIf
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import MODALITIES, SkipSet
from skipit_nb.widgets.builder.drawing import Drawing
from skipit_nb.widgets.builder.state import BuilderState, checked
from skipit_nb.widgets.builder.what_if import Asked, Asker, Wish
from skipit_nb.widgets.tool import RESULT

if TYPE_CHECKING:
    import pandas as pd

    from skipit_nb.widgets.builder.view import BuilderView

LIMIT = 64
"""Questions that a method measures on, at least, unless asked for more."""

ANSWERED, PROPOSED = "answered", "proposed"
"""What a view is told besides fields of the state: a what-if was answered, a method has proposed something."""


class SkipSetBuilder(Drawing):
    """A strip of layers by kinds of tokens: click, drag, type or paste, and see at once what it does.

    It shows the predicted cost, the paper's conditions with the reason per layer, and, with a session, what the model
    answers to one question under the skip set (`what_if`). Everything it says about cost is arithmetic
    (`skipit_nb.cost`), never a measured time. Its `result` is the recommendation that the conditions come from.

    Args:
        source: An open session; or a `ModelShape`, a profile or a recommendation, without any model.
        profile: Where the model is redundant; with a session that can recommend, the conditions follow from it.
        recommendation: The conditions, if they are known already.
        skipset: What to start with.
        num_vision: Vision tokens of the prompt that the cost is counted for; those of one image by default.
        num_text: Its text tokens.
        task: Where the question of the what-if comes from; by default the first task of the session.
        question: Document key of that question; by default the first of the task's sample.
    """

    results: ClassVar[Mapping[str, type[Stored]]] = {RESULT: Recommendation}

    def __init__(
        self,
        source: Opened | ModelShape | RedundancyProfile | Recommendation,
        profile: RedundancyProfile | None = None,
        recommendation: Recommendation | None = None,
        *,
        skipset: SkipSet | str | None = "none",
        num_vision: int | None = None,
        num_text: int = USUAL_TEXT,
        task: str | None = None,
        question: str = "",
    ) -> None:
        given = isinstance(source, ModelShape | RedundancyProfile | Recommendation)
        self.shape: ModelShape | None = source if isinstance(source, ModelShape) else getattr(source, "shape", None)
        self.num_layers = _num_layers(source)
        self.profile: RedundancyProfile | None = None
        self.proposal: Proposal | None = None
        self.asked: Asked | None = None
        self._asker = None if given or not hasattr(source, "what_if") else Asker(source, self._hear)  # type: ignore[arg-type]
        if num_vision is None:
            num_vision = usual_vision(self.shape) if self.shape else USUAL_VISION
        state = BuilderState(skipset, num_vision, num_text, task or "", question)  # type: ignore[arg-type]
        super().__init__(state, None if given else source)  # type: ignore[arg-type]
        profile = source if isinstance(source, RedundancyProfile) else profile
        recommendation = source if isinstance(source, Recommendation) else recommendation
        if profile is not None or recommendation is not None:
            self.inform(profile, recommendation)

    def _check(self, state: BuilderState) -> BuilderState:
        port = self.port if self._asker else None
        return checked(state, num_layers=self.num_layers, port=port, before=getattr(self, "_state", None))  # type: ignore[arg-type]

    # -- what is known about the layers ---------------------------------------------------------------------------

    def inform(self, profile: RedundancyProfile | None, recommendation: Recommendation | None = None) -> None:
        """Take a profile, and the recommendation that follows from it, for the conditions.

        Raises:
            LayerCountError: If it was measured on a model with another number of layers.
        """
        for known in (profile, recommendation):
            if known is not None and known.provenance.num_layers != self.num_layers:
                raise LayerCountError(known.provenance.num_layers, self.num_layers, type(known).__name__)
        self.profile = profile
        if recommendation is None and profile is not None and profile.flow and hasattr(self.port, "recommend"):
            with suppress(SessionClosedError):  # what was measured until then stands, without conditions
                recommendation = self.port.recommend(profile)  # type: ignore[union-attr]
        with self._lock:
            old, self._result = self._result, recommendation
        self._announce({RESULT: (old, recommendation)})

    def _work(self) -> Callable[[Tick], Recommendation] | None:
        profile, port = self.profile, self.port
        if profile is None or not hasattr(port, "recommend"):
            return None
        return lambda _: port.recommend(profile)  # type: ignore[union-attr]

    def _take(self, result: Recommendation) -> None:
        """Take conditions that a file holds, or that were measured anew; those of another model are refused."""
        made = result.provenance
        if made.num_layers != self.num_layers:
            raise LayerCountError(made.num_layers, self.num_layers, "recommendation")
        if self.port is not None and made.model != self.port.name:
            known = (
                f"{self.port.name!r}, this builder's model: conditions that were measured on another say nothing here"
            )
            raise SettingError("the model of the recommendation", made.model, known)
        super()._take(result)

    def propose(self, method: str, *, limit: int = LIMIT, block: bool = True, **knobs: Any) -> Proposal | None:
        """Let a published method take a skip set from questions of the chosen task; `proposal` has it afterwards.

        What is drawn stays as it is: `take(builder.proposal.skipset)` replaces it.

        Args:
            method: One of `session.methods()`.
            limit: Questions to measure on, at least: whole images.
            block: Wait for the end, and raise what it raised. Otherwise return at once: `job` has the rest.
            knobs: The method's own, such as `layers=3`.

        Raises:
            SettingError: If there is no session, no such method, or it has no such knob, or lacks one.
        """
        port, task = self.port, self.state.task
        if not self.can_propose:
            raise SettingError("source", port, "an open session, which a method measures")
        job: Job[Proposal] = self._start(
            lambda tick: port.propose(method, task, limit=limit, progress=tick, **knobs),  # type: ignore[union-attr]
            take=self._take_proposal,
        )
        return job.result() if block else None

    @property
    def can_propose(self) -> bool:
        """Whether there is a session that methods can measure."""
        return self.can_ask and hasattr(self.port, "propose")

    def _take_proposal(self, proposal: Proposal) -> None:
        self.proposal = proposal
        self._tell_view(PROPOSED)

    # -- what the model would say ---------------------------------------------------------------------------------

    @property
    def answer(self) -> WhatIf | None:
        """The last what-if that was answered; None before the first."""
        return self.asked.answer if self.asked else None

    def what_if(self) -> WhatIf:
        """Ask the chosen question under the skip set as it is now, and under the full model, and wait for both.

        The live view does so by itself after each edit, without waiting (`ask_soon`).

        Raises:
            SettingError: If there is no session to ask.
        """
        if self._asker is None:
            raise SettingError("source", self.port, "an open session, which answers questions")
        self._hear(found := self._asker.ask(self._wish()))
        return found.answer

    def ask_soon(self) -> None:
        """Ask once no other edit has come for a moment; an older question that runs is cancelled."""
        if self._asker is not None:
            self._asker.ask_soon(self._wish())

    @property
    def can_ask(self) -> bool:
        """Whether there is a session that answers what-ifs."""
        return self._asker is not None

    def _wish(self) -> Wish:
        return Wish(self.state.task, self.state.question, self.skipset)

    def _hear(self, found: Asked | BaseException) -> None:
        if isinstance(found, BaseException):
            if self._view is not None:
                self._view.fail(found)  # type: ignore[attr-defined]
            return
        self.asked = found
        self._tell_view(ANSWERED)

    def _tell_view(self, what: str) -> None:
        if self._view is not None:
            self._view.redraw(frozenset({what}))

    # -- what it shows --------------------------------------------------------------------------------------------

    @property
    def cost(self) -> Cost | None:
        """The predicted cost of the skip set; None without the model's shape."""
        return self._cost(self.skipset)

    @property
    def full_cost(self) -> Cost | None:
        """The predicted cost of the full model for the same prompt."""
        return self._cost(None)

    def _cost(self, skipset: SkipSet | None) -> Cost | None:
        if self.shape is None:
            return None
        return cost(self.shape, skipset, num_vision=self.state.num_vision, num_text=self.state.num_text)

    @property
    def data(self) -> pd.DataFrame:
        """One row per layer: layer, the actions of vision and text, and predicted prefill FLOPs with and without."""
        import pandas as pd

        chosen, full = self.cost, self.full_cost
        rows: dict[str, Any] = {"layer": range(self.num_layers)}
        rows |= {name: [self.skipset.action(i, name) for i in range(self.num_layers)] for name in MODALITIES}
        if chosen and full:
            rows |= {"flops": chosen.layer_flops, "flops_full": full.layer_flops}
        return pd.DataFrame(rows)

    @property
    def chart(self) -> Any:
        """The strip as an Altair chart."""
        from skipit_nb.charts import skipset_chart

        return skipset_chart(self.skipset)

    def code(self) -> str:
        """A cell that names the skip set and gives `data`; `skipset` in it is ready for `session.skipping`.

        If a question was chosen, the cell asks it too: `answer` is the what-if.
        """
        lines = [f"skipset = {self.skipset.code()}"]
        if self.port is None and self.shape is None:
            return "\n".join([*self.opening("SkipSet"), *lines, f"skipset = skipset.bind({self.num_layers})"])
        if self.state.question:
            lines += [
                f"example = session.example({self.state.task!r}, {self.state.question!r})",
                "answer = session.what_if(example.image, example.question, skipset)",
            ]
        names = ["SkipSet", "SkipSetBuilder", *([] if self.port else ["ModelShape"])]
        source = "session" if self.port else repr(self.shape)
        size = f"num_vision={self.state.num_vision}, num_text={self.state.num_text}"
        call = f"SkipSetBuilder({source}, skipset=skipset, {size})"
        return "\n".join([*self.opening(*names), *lines, f"data = {call}.data", "data"])

    def _has_picture(self) -> bool:
        return True

    def _draw_thumbnail(self) -> bytes:
        from skipit_nb.widgets.builder.measures import measures
        from skipit_nb.widgets.builder.strip_picture import strip_png

        return strip_png(self.skipset, measures(self.profile, self.result))

    def _make_view(self) -> BuilderView:
        from skipit_nb.widgets.builder.view import BuilderView

        return BuilderView(self)

    def close(self) -> None:
        """Cancel what runs or was asked, and free every widget, observer and image. Showing it builds a new view."""
        if self._asker is not None:
            self._asker.close()
        self.asked = None
        super().close()

    def __repr__(self) -> str:
        return f"SkipSetBuilder({str(self.skipset)!r}, {self.num_layers} layers)"


def _num_layers(source: Any) -> int:
    shape = getattr(source, "shape", source)
    count = getattr(shape, "num_layers", None) or getattr(getattr(source, "provenance", None), "num_layers", None)
    if count is None:
        raise SettingError("source", source, "an open session, a ModelShape, a profile or a recommendation")
    return int(count)
