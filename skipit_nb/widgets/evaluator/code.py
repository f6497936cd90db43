"""The evaluator as a cell: what gives the same `data` again."""

from __future__ import annotations

from skipit_nb.results import Comparison, Sweep
from skipit_nb.widgets.evaluator.state import EvaluatorState


def comparison_code(state: EvaluatorState, found: Comparison | None) -> list[str]:
    """The lines that compare A with B; a remark above them if what is shown is less than what they ask."""
    task = state.task.split("/")[0]
    named = f"a={str(state.a.open())!r}, b={str(state.b.open())!r}"
    how = f"{_sample(state)}, margin={state.margin:g}{', stop_early=True' * state.stop_early}{_ledger(state)}"
    call = f"comparison = session.compare({task!r}, {named}, {how})"
    remark = []
    if found is not None and not found.is_complete and found.planned is None:
        remark = [f"# what is shown was stopped after {found.num_questions} questions; this asks all of them"]
    return [*remark, call, "data = comparison.frame", "data"]


def sweep_code(state: EvaluatorState, swept: Sweep) -> list[str]:
    """The lines that ask the skip sets of a sweep again."""
    sets = ", ".join(repr(str(row.skipset.open())) for row in swept.rows)
    call = f"sweep = session.sweep({state.task.split('/')[0]!r}, [{sets}], {_sample(state)}{_ledger(state)})"
    return [call, "data = sweep.frame", "data"]


def _sample(state: EvaluatorState) -> str:
    task = state.task.split("/")[0]
    limit = f"len(session.examples({task!r}))" if state.limit is None else str(state.limit)
    return f"limit={limit}, seed={state.seed}"


def _ledger(state: EvaluatorState) -> str:
    return f", ledger={state.ledger!r}" if state.ledger else ""
