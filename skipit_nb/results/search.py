"""`SearchResult`: skip sets found step by step on some questions, and what they are worth on others."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.results.sweep import SweepRow
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class SearchStep:
    """One set that was tried."""

    step: int
    """From 1: how many moves the set is made of."""
    kept: bool
    """Whether the search went on from it."""
    row: SweepRow
    """What it scored on the questions of the search. That flatters a winner; see `SearchResult.confirmed`."""
    questions: int
    """How many of them it was asked: all, or fewer where sets raced and this one could not be the best any more."""
    latency_ratio: float | None = None
    """Measured time to the first token of the full model / that of this set, on the device of the provenance; None
    where the budget is not time, or the search did not go on from it."""


@dataclass(frozen=True, slots=True, repr=False)
class SearchResult(Stored):
    """A search over skip sets: every set tried, the winner, and its worth on questions the search never saw."""

    provenance: Provenance
    """Of all questions; the first `num_search` were searched on, the others confirm. No image is in both."""
    num_search: int
    objective: str
    """What sets were ranked by: "log_likelihood", "accuracy" or "kl"."""
    speedup: float | None
    """Budget: predicted FLOPs of the full model / those of the set, at least; None if it was a margin."""
    margin: float | None
    """Budget: accuracy that may be lost on the questions of the search, as a share; None if it was a speed-up."""
    steps: tuple[SearchStep, ...]
    """Every set tried, in order."""
    winner: SkipSet
    """The best set within the budget; empty if no set was."""
    baseline: float
    """Accuracy of the full model on the confirming questions, 0 to 1."""
    confirmed: tuple[SweepRow, ...]
    """The winner, and every set that none tried was better than at its cost, on the confirming questions."""
    latency: float | None = None
    """Budget: measured time to the first token of the full model / that of the set, at least; None if another."""
    unit: str = "accuracy: share; log_likelihood, kl: nats; speed-up: full model / set"
    redundant_when: str = "little is lost at a high speed-up"
    source: str = "ours: greedy and beam search, confirmed on questions that it never saw"

    @property
    def confirmation(self) -> SweepRow | None:
        """The winner on the confirming questions: `delta`, with its interval `low` to `high`; None if it is empty."""
        return next((row for row in self.confirmed if row.skipset == self.winner), None)

    @property
    def path(self) -> tuple[SkipSet, ...]:
        """The best set of each step, in order."""
        best: dict[int, SkipSet] = {}
        for step in self.steps:
            if step.kept:
                best.setdefault(step.step, step.row.skipset)
        return tuple(best.values())

    @property
    def frame(self) -> pd.DataFrame:
        """One row per set tried: step, kept, questions, the fields of `SweepRow` on that many, and latency_ratio."""
        return _frame([
            asdict(step.row) | {"step": step.step, "kept": step.kept, "questions": step.questions,
                                "latency_ratio": step.latency_ratio, "skipset": str(step.row.skipset)}
            for step in self.steps
        ])  # fmt: skip

    @property
    def pareto(self) -> pd.DataFrame:
        """Accuracy against cost, from cheapest to dearest: skipset, flops_ratio, searched, accuracy, delta, low, high.

        The sets were picked by their accuracy on the questions of the search, `searched`; the others are confirmed.
        """
        searched = {step.row.skipset: step.row.accuracy for step in self.steps}
        rows = sorted(self.confirmed, key=lambda row: -row.flops_ratio)
        names = ("flops_ratio", "accuracy", "delta", "low", "high")
        return _frame([{"skipset": str(row.skipset), "searched": searched[row.skipset],
                        **{name: getattr(row, name) for name in names}} for row in rows])  # fmt: skip

    @property
    def _budget(self) -> str:
        if self.latency is not None:
            return f"a first token {self.latency:g}x sooner"
        return f"{self.speedup:g}x fewer FLOPs" if self.speedup is not None else f"margin {self.margin:g}"

    def __repr__(self) -> str:
        tried, found = f"{len(self.steps)} sets tried for {self._budget}", self.confirmation
        worth = f", {found.delta:+.3f} [{found.low:+.3f}, {found.high:+.3f}] confirmed" if found else ""
        return f"SearchResult({str(self.winner)!r}, {tried}{worth})"


def _frame(rows: list[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)
