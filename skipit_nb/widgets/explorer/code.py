"""The explorer's numbers as a table, and the code that gives the same one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from skipit_nb.ports import Opened
from skipit_nb.results import RedundancyProfile
from skipit_nb.widgets.explorer.state import ExplorerState, Pinned

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("layer", "tokens", "distance", "spread", "norm", "update", "var", "var_uniform", "epsilon", "tail")


def table_of(profile: RedundancyProfile | None, beside: Pinned | None, epsilon: float) -> pd.DataFrame:
    """One row per layer and kind of token; with something beside, its rows after them."""
    import pandas as pd

    if profile is None:
        return pd.DataFrame(columns=[*COLUMNS])
    table = _table(profile, epsilon)
    if beside is None:
        return table
    both = [table.assign(shown="this"), _table(beside.profile, epsilon).assign(shown="beside")]
    return pd.concat(both, ignore_index=True)[["shown", *COLUMNS]]


def _table(profile: RedundancyProfile, epsilon: float) -> pd.DataFrame:
    return profile.frame.merge(profile.tail_frame(epsilon), on=["layer", "tokens"])


def code_of(opening: Sequence[str], call: str, beside: Pinned | None, epsilon: float, other: Opened | None) -> str:
    """A cell that gives what `table_of` gives."""
    lines = [*opening, f"profile = {call}"]
    table = "{0}.frame.merge({0}.tail_frame({1!r}), on=['layer', 'tokens'])"
    if beside is None:
        return "\n".join([*lines, f"data = {table.format('profile', epsilon)}", "data"])
    if beside.call.startswith("other."):
        reopened = other.code.replace("session =", "other =", 1) if other else ""
        lines.append(reopened or f"# other: an open session of {beside.profile.provenance.model!r}")
    columns = ", ".join(repr(name) for name in ("shown", *COLUMNS))
    return "\n".join(
        [
            "import pandas as pd",
            *lines,
            f"beside = {beside.call}" if beside.call else f"# beside: the profile of {beside.label}",
            f"this = {table.format('profile', epsilon)}.assign(shown='this')",
            f"that = {table.format('beside', epsilon)}.assign(shown='beside')",
            f"data = pd.concat([this, that], ignore_index=True)[[{columns}]]",
            "data",
        ]
    )


def call_of(state: ExplorerState, session: str = "session", first: int | None = None) -> str:
    """The call that measures what Measure does.

    Args:
        state: What is chosen.
        session: The name of the variable.
        first: Only so many questions, where a measurement was cancelled after them.
    """
    sample = f"limit={state.limit}, seed={state.seed}"
    cut = "" if first is None else f"[:{first}]"
    if state.over == "all tasks":
        asked = f"[one for task in {session}.tasks() for one in {session}.examples(task, {sample})]"
        return f"{session}.profile({asked}{cut})"
    if state.over == "question":
        return f"{session}.profile([{session}.examples({state.task!r}, {sample})[{state.question}]])"
    if first is not None:
        return f"{session}.profile({session}.examples({state.task!r}, {sample}){cut})"
    return f"{session}.profile({state.task!r}, {sample})"
