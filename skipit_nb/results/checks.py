"""`Checks`: what was tried before a run is trusted, and how it came out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

PASSED, FAILED, NOT_APPLICABLE = "passed", "failed", "not applicable"
_MARKS = {PASSED: "ok    ", FAILED: "FAILED", NOT_APPLICABLE: "n/a   "}


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """One thing that must hold before numbers mean anything."""

    name: str
    """Such as "model restored"."""
    outcome: str
    """"passed", "failed" or "not applicable"."""
    value: float | None
    """What was found, in `unit`; None if nothing was tried."""
    unit: str
    sentence: str
    """What it means."""


@dataclass(frozen=True, slots=True, repr=False)
class Checks(Stored):
    """Self-checks of one model under one skip set."""

    provenance: Provenance
    """`samples` are the prompts."""
    skipset: SkipSet
    """What the checks were made under."""
    rows: tuple[SelfCheck, ...]

    @property
    def passed(self) -> bool:
        """Whether none failed."""
        return all(row.outcome != FAILED for row in self.rows)

    def check(self, name: str) -> SelfCheck:
        """One check by name.

        Raises:
            SettingError: If there is none of that name.
        """
        for row in self.rows:
            if row.name == name:
                return row
        raise SettingError("check", name, f"one of {', '.join(row.name for row in self.rows)}")

    @property
    def frame(self) -> pd.DataFrame:
        """One row per check: name, outcome, value, unit, sentence."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(SelfCheck.__dataclass_fields__))

    def __repr__(self) -> str:
        failed = sum(row.outcome == FAILED for row in self.rows)
        word = f"{failed} FAILED" if failed else "none failed"
        head = f"Checks({self.provenance.model} under {str(self.skipset)!r}: {word} of {len(self.rows)})"
        return "\n".join([head, *(f"  {_MARKS[row.outcome]} {row.name}: {row.sentence}" for row in self.rows)])
