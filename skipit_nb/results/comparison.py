"""`Comparison`: skip set A against B on the same questions, paired, with a verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.failed import FailedQuestion
from skipit_nb.results.likelihood import Likelihoods
from skipit_nb.results.loyalty import Loyalty
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.statistics import (
    NoiseFloor,
    PairedTests,
    Statistic,
    even_images,
    paired_statistics,
    statistics_frame,
)
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

GROUPS = ("kind", "target", "question", "cluster")
"""Columns that `Comparison.by` counts by."""
FLIPS = ("any", "worse", "better", "changed")
"""Kinds of flips: any change of score; right to wrong; wrong to right; another answer, whatever its score."""


@dataclass(frozen=True, slots=True)
class PairedAnswer:
    """One question, answered under A and under B."""

    key: str
    """Document key; the task gives the image back for it."""
    question: str
    target: str
    """The right answer."""
    kind: str
    """Question type."""
    cluster: str
    """The image: questions about one image are not independent."""
    a: str
    """Answer under A."""
    b: str
    """Answer under B."""
    score_a: float
    """0 to 1."""
    score_b: float
    """0 to 1."""
    parsed_a: bool
    """Whether the answer under A could be read as an answer at all."""
    parsed_b: bool


FRAME_COLUMNS = (*PairedAnswer.__dataclass_fields__, "error")
"""Columns of `Comparison.frame`."""
_NO_ANSWERS = {"a": None, "b": None, "score_a": math.nan, "score_b": math.nan, "parsed_a": False, "parsed_b": False}


@dataclass(frozen=True, slots=True)
class KindDelta:
    """One question type of a comparison."""

    kind: str
    n: int
    """Questions of this type."""
    accuracy_a: float
    accuracy_b: float
    delta: float
    """Accuracy under B minus that under A."""
    low: float
    """Lower end of the 95 % interval of `delta`, clustered by image, not corrected for the number of types."""
    high: float
    worse: int
    """Questions right under A, wrong under B."""
    better: int
    p: float = 1.0
    """Two-sided p of "A and B are exchangeable on these questions", images taken whole; for this type alone."""
    p_holm: float = 1.0
    """The same, corrected for having looked at every type (Holm)."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of a comparison: a quantity under A and under B."""

    name: str
    """Such as "accuracy" or "prefill time"."""
    unit: str
    """Unit of `a` and `b`."""
    a: float
    b: float
    effect: str
    """What `value` is: "B - A", or "A / B" (above 1: B is faster or cheaper)."""
    value: float
    low: float
    """Lower end of the 95 % interval of `value`; equal to `value` where it is arithmetic, not a measurement."""
    high: float
    method: str
    """How interval or number was found."""


def _left_out(count: int) -> Metric:
    """The line of a summary that says how many questions are in none of the others."""
    return Metric(
        "errors", "questions", count, count, "B - A", 0.0, 0.0, 0.0, "left out of both arms, and of all above"
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one sentence a reader takes away, and the rule's inputs."""

    kind: str
    """"better", "not worse", "slightly worse", "worse" or "inconclusive"."""
    sentence: str
    margin: float
    """Margin of non-inferiority, fixed before the run, as a share (0.01 = 1 point)."""


@dataclass(frozen=True, slots=True, repr=False)
class Comparison(Stored):
    """A paired A/B of two skip sets on one model and the same questions."""

    provenance: Provenance
    a: SkipSet
    b: SkipSet
    answers: tuple[PairedAnswer, ...]
    metrics: tuple[Metric, ...]
    kinds: tuple[KindDelta, ...]
    """One row per question type, sorted by name."""
    verdict: Verdict
    p_mcnemar: float
    """Exact McNemar p of no difference; printed, decides nothing: it ignores that questions share images."""
    mde: float
    """Minimal detectable effect: the smallest true difference this run would find 4 times in 5, as a share."""
    design_effect: float
    """(clustered standard error / naive standard error)²; above 1: questions about one image agree. 1 if none flips."""
    is_complete: bool = True
    """False if the run was stopped before its last question, or interrupted before its last measurement."""
    tests: PairedTests | None = None
    """What else the scores say; none of it decides. None in results of earlier versions."""
    noise: NoiseFloor | None = None
    """A against A in other batches: in half precision and batches of more than one question; else None."""
    planned: int | None = None
    """Questions there would have been, where the run was allowed to stop early; the interval then is anytime-valid."""
    errors: tuple[FailedQuestion, ...] = ()
    """Questions that could not be asked, or not be answered under both arms; they count in no number."""
    num_unasked: int = 0
    """Questions that were left when somebody interrupted the run."""
    choices: Likelihoods | None = None
    """How likely each choice is, where the likeliest one was the answer (`output_type="multiple_choice"`)."""
    loyalty: Loyalty | None = None
    """How far B stays with A, right or wrong; None if it was not measured."""

    @property
    def num_errors(self) -> int:
        """Questions left out because of an error."""
        return len(self.errors)

    @property
    def num_questions(self) -> int:
        """Questions that both arms answered."""
        return len(self.answers)

    @property
    def num_clusters(self) -> int:
        """Different images."""
        return len({answer.cluster for answer in self.answers})

    @property
    def even_images(self) -> float:
        """Images of equally many questions that would weigh as much; below 20 the interval may be too narrow."""
        return even_images(answer.cluster for answer in self.answers)

    @property
    def worse(self) -> int:
        """Questions with a lower score under B."""
        return sum(answer.score_b < answer.score_a for answer in self.answers)

    @property
    def better(self) -> int:
        """Questions with a higher score under B."""
        return sum(answer.score_b > answer.score_a for answer in self.answers)

    @property
    def flip_share(self) -> float:
        """ψ, the share of questions whose score changes, either way: what `power` wants to know of a pilot run."""
        return (self.worse + self.better) / self.num_questions

    def metric(self, name: str) -> Metric:
        """One metric by name.

        Raises:
            SettingError: If it was not measured.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise SettingError("metric", name, f"one of {', '.join(m.name for m in self.metrics)}")

    @property
    def frame(self) -> pd.DataFrame:
        """One row per question: key, question, target, kind, cluster, both answers, scores, parsed flags, error.

        Questions with an error come last; they have no answers (None), no scores (nan), and were not parsed. Where
        choices were ranked, an answer is the likeliest one, and margin_a and margin_b follow (see `choices`); with
        loyalty, kl and same_first_token.
        """
        import pandas as pd

        rows = [asdict(answer) | {"error": ""} for answer in self.answers]
        rows += [_NO_ANSWERS | asdict(failed) for failed in self.errors]
        frame = pd.DataFrame(rows, columns=list(FRAME_COLUMNS))
        found = [more.columns for more in (self.choices, self.loyalty) if more is not None]
        return frame.join([pd.DataFrame(columns) for columns in found])

    @property
    def summary(self) -> pd.DataFrame:
        """One row per metric: metric, unit, a, b, effect, value, low, high, method; a last one for errors, if any."""
        import pandas as pd

        metrics = [*self.metrics, *([_left_out(self.num_errors)] if self.errors else [])]
        return pd.DataFrame([asdict(metric) for metric in metrics]).rename(columns={"name": "metric"})

    @property
    def statistics(self) -> pd.DataFrame:
        """One row per statistic: statistic, value, unit, decides (whether the verdict depends on it), reading."""
        return statistics_frame([*paired_statistics(self, may_stop_early=self.planned is not None), *self._conduct()])

    def _conduct(self) -> list[Statistic]:
        """How the run went: answers that could be read, what changes by itself, and whether it came to its end."""
        n = self.num_questions
        parsed_a, parsed_b = (
            sum(getattr(answer, arm) for answer in self.answers) / n for arm in ("parsed_a", "parsed_b")
        )
        rows = [
            Statistic("parsed A", parsed_a, "share", False, "answers under A that could be read; the others are wrong"),
            Statistic("parsed B", parsed_b, "share", False, "answers under B that could be read"),
        ]
        if self.noise:
            between = " and ".join(str(size) for size in self.noise.batch_sizes)
            rows.append(
                Statistic("A/A flips", self.noise.share, "share", False, f"A against A, in batches of {between}")
            )
        tried = n + self.num_errors
        asked = tried / (self.planned or tried + self.num_unasked)
        return [
            *rows,
            Statistic("errors", self.num_errors, "questions", False, "could not be asked or answered; left out"),
            Statistic("asked", asked, "share", False, "of the questions that were planned"),
        ]

    def by_kind(self) -> pd.DataFrame:
        """One row per question type: kind, n, accuracy_a, accuracy_b, delta, low, high, worse, better."""
        return self.by("kind").drop(columns=["p", "p_holm"])

    def by(self, column: str = "kind") -> pd.DataFrame:
        """Where the difference is: one row per value of a column.

        Args:
            column: "kind" gives the fields of `KindDelta`, with intervals, p, and Holm's p for having looked at all of
                them; "target", "question" or "cluster" give counts alone: n, accuracy_a, accuracy_b, delta, worse,
                better.

        Raises:
            SettingError: If it is another column.
        """
        import pandas as pd

        if column == "kind":
            return pd.DataFrame([asdict(row) for row in self.kinds], columns=list(KindDelta.__dataclass_fields__))
        if column not in GROUPS:
            raise SettingError("column", column, f"one of {', '.join(GROUPS)}")
        frame = self._answered_frame
        frame = frame.assign(
            delta=frame.score_b - frame.score_a,
            worse=frame.score_b < frame.score_a,
            better=frame.score_b > frame.score_a,
        )
        return frame.groupby(column).agg(
            n=("key", "size"), accuracy_a=("score_a", "mean"), accuracy_b=("score_b", "mean"), delta=("delta", "mean"),
            worse=("worse", "sum"), better=("better", "sum"),
        ).reset_index()  # fmt: skip

    def flips(self, kind: str = "any") -> pd.DataFrame:
        """The questions that A and B answer differently.

        Args:
            kind: "worse" (A right, B wrong), "better", "any" (either), or "changed" (another text, any score).
        """
        if kind not in FLIPS:
            raise SettingError("kind", kind, f"one of {', '.join(FLIPS)}")
        frame = self._answered_frame
        wanted = {
            "any": frame.score_a != frame.score_b,
            "worse": frame.score_b < frame.score_a,
            "better": frame.score_b > frame.score_a,
            "changed": frame.a != frame.b,
        }[kind]
        return frame[wanted].reset_index(drop=True)

    @property
    def _answered_frame(self) -> pd.DataFrame:
        """The rows of `frame` with answers."""
        return self.frame.iloc[: self.num_questions].drop(columns="error")

    def __repr__(self) -> str:
        return f"Comparison(A {str(self.a)!r}, B {str(self.b)!r}: {self.verdict.sentence})"
