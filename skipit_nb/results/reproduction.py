"""`Reproduction`: whether a model shows what the paper says, in five checks whose thresholds were fixed beforehand."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.results.agreement import AgreementRow
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

ROLES = ("full", "predicted", "late entry", "early exit", "middle", "band")
"""What a set of layers is there for: nothing skipped; what the two conditions allow; its two ends, each alone, where
there are two; as many layers around the middle of the decoder; every band of `span` layers."""

OUTCOME_WORDS = {True: "passed", False: "failed", None: "undecided"}
"""What `Check.passed` says, in a word."""


@dataclass(frozen=True, slots=True)
class Check:
    """One statement, one number that decides it, and what came out."""

    number: int
    """1 to 5."""
    name: str
    """The statement."""
    statistic: str
    """What `value` is, and its unit. The statement is the paper's or follows from it; the statistic is ours."""
    value: float | None
    """High speaks for the statement. None where nothing could be measured."""
    low: float | None
    """Lower end of the 95 % interval of `value` over images, not corrected for the number of checks."""
    high: float | None
    threshold: float
    """Fixed before anything was measured: an interval above it passes, one below it fails."""
    passed: bool | None
    """True or False where the interval lies on one side of the threshold, or no band was predicted (False); None where
    this run could not decide."""
    why: str
    """One sentence with the numbers."""

    @property
    def outcome(self) -> str:
        """What came out, in a word: "passed", "failed" or "undecided"."""
        return OUTCOME_WORDS[self.passed]


@dataclass(frozen=True, slots=True)
class LayerEvidence:
    """One layer, measured without a label on the first half of the images."""

    layer: int
    """Decoder layer, from 0."""
    distance: float
    """Mean distance of the vision tokens, in 1 - cos. Low = redundant."""
    distance_low: float | None
    """Lower end of its 95 % interval over images; None with too few of them."""
    distance_high: float | None
    var: float | None
    """Attention mass of the last prompt token on vision tokens, 0 to 1; None where it cannot be measured."""
    var_low: float | None
    var_high: float | None
    uniform: float | None
    """What a flat attention would give."""


@dataclass(frozen=True, slots=True)
class BandAccuracy:
    """One set of layers in which the vision tokens are absent, judged with labels on the second half of the images."""

    role: str
    """One of `ROLES`."""
    skipset: SkipSet
    accuracy: float
    """Share of right answers, by generation, 0 to 1."""
    accuracy_low: float
    """Lower end of its 95 % interval, clustered by image."""
    accuracy_high: float
    delta: float
    """Accuracy minus that of the full model on the same questions."""
    low: float
    """Lower end of the 95 % interval of `delta`, clustered by image."""
    high: float
    worse: int
    """Questions the full model answers right and this set does not."""
    better: int
    log_likelihood_lost: float | None
    """Mean log-likelihood of the right answer lost against the full model, in nats; None where it cannot be had."""
    score: float | None
    """Foretold without labels: the mean over the set's layers of the larger of two ranks, that of distance and that of
    VAR, from 0 to 1. Low = redundant. None for the full model."""


@dataclass(frozen=True, slots=True, repr=False)
class Reproduction(Stored):
    """The acceptance checks of the paper's claims on one model and one task.

    Half of the images, without their answers, fix everything that is judged; the answers of the other half judge it.
    So no label had a part in what was chosen. That a check fails is a result, not an error.

    Source:
        Hartman et al., "Skip-It? Theoretical Conditions for Layer Skipping in Vision-Language Models",
        arXiv:2509.25584 (what is claimed); statistics, thresholds and protocol are ours.
    """

    provenance: Provenance
    """Of all questions; the first `num_fixed` fixed the bands, the others judged them. No image is in both."""
    num_fixed: int
    margin: float
    """Accuracy that may be lost, as a share."""
    instruction: str
    """What was written below every question; "" for nothing."""
    guess: float
    """Accuracy of always giving the commonest right answer of each question type, on the judging questions: what the
    full model must beat, or there is nothing to lose."""
    predicted: SkipSet
    """Late entry and/or early exit that meets both conditions by default thresholds; empty if no layer does."""
    span: int
    """Layers of every band that was ranked: as many as `predicted` has; a quarter of the decoder where that is none, or
    more than half of it."""
    layers: tuple[LayerEvidence, ...]
    arms: tuple[BandAccuracy, ...]
    """In the order of `ROLES`, then of layers. Bands that the model cannot run are left out."""
    rankings: tuple[AgreementRow, ...]
    """Spearman's correlation of what was foretold with what was lost, over all bands of `span` layers: the score
    "both" decides the check, "distance" and "VAR" alone are there to compare, so is the log-likelihood lost."""
    checks: tuple[Check, ...]
    """Five."""

    @property
    def counts(self) -> dict[str, int]:
        """How many checks passed, failed and were left undecided."""
        found = [check.outcome for check in self.checks]
        return {word: found.count(word) for word in OUTCOME_WORDS.values()}

    @property
    def statement(self) -> str:
        """What was fixed when, in one sentence."""
        judging = len(self.provenance.samples) - self.num_fixed
        return (
            f"Fixed on {self.num_fixed} questions without their answers, before any label was seen: "
            f"predicted '{self.predicted}', {len(self.of('band'))} bands of {self.span} layers; "
            f"judged on {judging} questions about other images, margin {100 * self.margin:g} points."
        )

    def check(self, number: int) -> Check:
        """One check by its number.

        Raises:
            KeyError: If there is none.
        """
        return {check.number: check for check in self.checks}[number]

    def of(self, role: str) -> tuple[BandAccuracy, ...]:
        """The sets of one role; none if it was not run."""
        return tuple(arm for arm in self.arms if arm.role == role)

    @property
    def frame(self) -> pd.DataFrame:
        """One row per check: number, name, outcome, then the other fields of `Check`."""
        import pandas as pd

        return pd.DataFrame(
            [{"number": check.number, "name": check.name, "outcome": check.outcome} | asdict(check)
             for check in self.checks]
        )  # fmt: skip

    @property
    def layer_frame(self) -> pd.DataFrame:
        """One row per layer, the fields of `LayerEvidence` as columns."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.layers], columns=list(LayerEvidence.__dataclass_fields__))

    @property
    def arm_frame(self) -> pd.DataFrame:
        """One row per set of layers, the fields of `BandAccuracy` as columns."""
        import pandas as pd

        rows = [asdict(arm) | {"skipset": str(arm.skipset)} for arm in self.arms]
        return pd.DataFrame(rows, columns=list(BandAccuracy.__dataclass_fields__))

    def report(self) -> str:
        """The checks as text: outcome, statement, the number with its interval and threshold, and why."""
        lines = [repr(self), self.statement, ""]
        for check in self.checks:
            lines += [f"{check.number}  {check.outcome.upper():9}  {check.name}", f"   {_measured(check)}",
                      f"   {check.why}"]  # fmt: skip
        return "\n".join(lines)

    def __repr__(self) -> str:
        made = self.provenance
        counts = ", ".join(f"{count} {word}" for word, count in self.counts.items())
        return f"Reproduction({made.model}, {made.task}, {len(made.samples)} questions: {counts})"


def _measured(check: Check) -> str:
    if check.value is None:
        return f"not measured: {check.statistic}"
    interval = "" if check.low is None or check.high is None else f" [{check.low:.4g}, {check.high:.4g}]"
    return f"{check.value:.4g}{interval}, needs more than {check.threshold:g}: {check.statistic}"
