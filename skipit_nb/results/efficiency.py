"""`Efficiency`: what skip set B saves over A on one machine, measured and predicted, stage by stage."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.comparison import Metric
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

FIXED, FREE = "fixed length", "free-running"
"""How long answers are: as many new tokens in both arms, or until each arm stops by itself. Where a row of a
comparison names no mode, it is the fixed length."""

CONVENTION = "1 multiply-add = 2 FLOPs; attention as a full square; the LM head for one position"
"""What FLOPs count, printed with them."""


@dataclass(frozen=True, slots=True)
class EfficiencyRow:
    """One quantity under A and under B."""

    name: str
    """Such as "prefill time" or "KV cache"."""
    mode: str
    """"fixed length" or "free-running"; "" for what does not depend on how long the answer is."""
    unit: str
    """Unit of `a` and `b`."""
    a: float | None
    """Under A: of times the median over prompts; None if it was not measured, and `method` says why."""
    b: float | None
    quartiles_a: tuple[float, float] | None
    """The middle half of the prompts is between them; of times only."""
    quartiles_b: tuple[float, float] | None
    ratio: float | None
    """A / B: above 1, B is faster or cheaper. Of times the geometric mean of the prompts' own ratios."""
    low: float | None
    """Lower end of the 95 % interval of `ratio` over prompts, of times; equal to `ratio` of what was counted."""
    high: float | None
    predicted_a: float | None
    """What the arithmetic of `skipit_nb.cost` says for the same prompts; None where it says nothing."""
    predicted_b: float | None
    method: str
    """How it was measured, or why it was not."""

    @property
    def is_measured(self) -> bool:
        """Whether there are numbers of both arms."""
        return self.a is not None and self.b is not None

    def as_metric(self) -> Metric | None:
        """The row as a line of a comparison; None if it was not measured, or is nothing at all under B."""
        if self.a is None or self.b is None or self.ratio is None:
            return None
        low, high = (self.ratio if end is None else end for end in (self.low, self.high))
        name = f"{self.name}, {FREE}" if self.mode == FREE else self.name
        return Metric(name, self.unit, self.a, self.b, "A / B", self.ratio, low, high, self.method)


@dataclass(frozen=True, slots=True)
class Expectation:
    """Amdahl's line: what a cheaper decoder can do for the whole, given what skipping cannot touch."""

    of: str
    """The whole: "time to first token" or "FLOPs to first token"."""
    share: float
    """Share of the whole under A that skipping leaves as it is: vision tower, projector, preparation; 0 to 1."""
    decoder: float
    """FLOPs of the language model under A / under B, for reading the prompt: by arithmetic."""
    expected: float
    """1 / (share + (1 - share) / decoder): A / B of the whole, if the decoder got cheaper by just so much."""
    measured: float | None
    """A / B of the whole, measured."""

    def __str__(self) -> str:
        measured = "" if self.measured is None else f"; measured {self.measured:.2f}x"
        return (
            f"{self.of}: {self.share:.0%} of it is not the language model, so {self.decoder:.2f}x less work there "
            f"gives {self.expected:.2f}x, and no skip set more than {_most(self.share)}{measured}"
        )


def _most(share: float) -> str:
    return f"{1 / share:.2f}x" if share else "any number"


@dataclass(frozen=True, slots=True)
class Conditions:
    """The machine while it was measured."""

    threads: int
    """CPU threads that PyTorch used, the same for every run."""
    cores: int
    """CPU cores that this process may use."""
    load: float | None
    """Processes that wanted a core, on average over the minute before; None where the system does not tell."""

    @property
    def is_busy(self) -> bool:
        """Whether other processes wanted more than the cores that these threads left over: times are then rough."""
        return self.load is not None and self.load > max(self.cores - self.threads, 0.5)

    def __str__(self) -> str:
        load = "" if self.load is None else f", load {self.load:.1f} before the run"
        busy = " (BUSY: measure again when it is not)" if self.is_busy else ""
        threads, cores = _counted(self.threads, "CPU thread"), _counted(self.cores, "core")
        return f"{threads} on {cores}{load}{busy}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


@dataclass(frozen=True, slots=True, repr=False)
class Efficiency(Stored):
    """Time, FLOPs, memory and energy of skip set B beside A, on the same prompts, one prompt at a time."""

    provenance: Provenance
    """`samples` are the prompts."""
    a: SkipSet
    b: SkipSet
    rows: tuple[EfficiencyRow, ...]
    expectations: tuple[Expectation, ...]
    """Amdahl's line, of time and of FLOPs where they were measured."""
    conditions: Conditions
    convention: str = CONVENTION
    """What a FLOP is here."""

    def row(self, name: str, mode: str | None = None) -> EfficiencyRow:
        """One quantity by name; of two modes the fixed length, unless another is named.

        Raises:
            SettingError: If there is none of that name.
        """
        for row in self.rows:
            if row.name == name and mode in (None, row.mode):
                return row
        raise SettingError("row", name, f"one of {', '.join(dict.fromkeys(row.name for row in self.rows))}")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What was measured, as lines of a comparison."""
        found = (row.as_metric() for row in self.rows)
        return tuple(metric for metric in found if metric is not None)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per quantity and mode, with the fields of `EfficiencyRow` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(EfficiencyRow.__dataclass_fields__))

    def __repr__(self) -> str:
        n = len(self.provenance.samples)
        head = f"Efficiency(A {str(self.a)!r}, B {str(self.b)!r}: {n} prompts, {self.provenance.device}"
        return "\n".join([f"{head}, {self.conditions})", *map(_line, self.rows), *map(str, self.expectations)])


def _line(row: EfficiencyRow) -> str:
    name = f"{row.name}, {row.mode}" if row.mode else row.name
    if row.a is None or row.b is None:
        return f"  {name:<36} not measured: {row.method}"
    ratio = "" if row.ratio is None else f"  A / B {row.ratio:.2f}"
    if row.low is not None and row.low != row.high:
        ratio += f" [{row.low:.2f}, {row.high:.2f}]"
    return f"  {name:<36} {row.a:>9.4g} {row.b:>9.4g} {row.unit:<7}{ratio}{_beside(row)}"


def _beside(row: EfficiencyRow) -> str:
    """The prediction, where there is one."""
    if row.predicted_a is None or row.predicted_b is None:
        return ""
    return f"  (predicted {row.predicted_a:.4g} and {row.predicted_b:.4g})"
