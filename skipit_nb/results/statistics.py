"""What else a paired comparison says beside its interval, and all of it as one table."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from skipit_nb.results.comparison import Metric, Verdict

ENOUGH_IMAGES = 20
"""Even images from which on an interval by image holds about as often as it says; found by simulation."""


@dataclass(frozen=True, slots=True)
class PairedTests:
    """Tests of the same pairs of scores. They are printed; the verdict reads the interval and the margin alone."""

    p_sign_flip: float
    """Two-sided p of "A and B are exchangeable", images taken whole; exact. Small: they differ."""
    p_mid: float
    """Mid-p McNemar of the same, questions taken one by one: too small where questions about one image agree."""
    p_not_worse: float
    """One-sided p of "B is worse by the margin or more". Below 0.025 exactly when the interval lies above -margin."""
    p_equivalent: float
    """The same to both sides: small says that A and B differ by less than the margin."""
    agreement: float
    """Share of questions with the same score under A and B."""
    correlation: float | None
    """Of the scores under A and B, -1 to 1; None where one arm scores the same on every question."""


@dataclass(frozen=True, slots=True)
class NoiseFloor:
    """A against A: one configuration asked twice, in batches of two sizes. What changes, changes by rounding."""

    batch_sizes: tuple[int, int]
    asked: int
    """Questions asked twice."""
    changed: int
    """Questions with another text."""
    flipped: int
    """Questions with another score. A comparison with no more flips than this says nothing."""
    high: float
    """Upper end of the 95 % interval of the share of flips."""

    @property
    def share(self) -> float:
        """Share of questions whose score flips for no reason."""
        return self.flipped / self.asked


@dataclass(frozen=True, slots=True)
class Statistic:
    """One line of a comparison's statistics."""

    statistic: str
    value: float | None
    unit: str
    """"questions", "share", "p", ..."""
    decides: bool
    """Whether the verdict depends on it."""
    reading: str
    """What it means, in a sentence."""


class Judged(Protocol):
    """What `paired_statistics` reads: a comparison of any make."""

    @property
    def num_questions(self) -> int:
        """Questions that both arms answered."""

    @property
    def num_clusters(self) -> int:
        """Different images."""

    @property
    def even_images(self) -> float | None:
        """Images of equally many questions that would weigh as much; None where nobody counted."""

    @property
    def worse(self) -> int:
        """Questions with a lower score under B."""

    @property
    def better(self) -> int:
        """Questions with a higher score under B."""

    @property
    def verdict(self) -> Verdict:
        """The sentence and its margin."""

    @property
    def p_mcnemar(self) -> float:
        """Exact McNemar p."""

    @property
    def mde(self) -> float:
        """Minimal detectable effect, a share."""

    @property
    def design_effect(self) -> float:
        """How many questions count as one."""

    @property
    def tests(self) -> PairedTests | None:
        """The other tests."""

    def metric(self, name: str) -> Metric:
        """One metric by name."""


def paired_statistics(found: Judged, *, may_stop_early: bool = False) -> list[Statistic]:
    """All that a comparison's scores say, those that decide marked.

    Args:
        found: The comparison.
        may_stop_early: Whether it was looked at on the way; then no p holds at its level.
    """
    accuracy, n = found.metric("accuracy"), found.num_questions
    rows = [
        Statistic("questions", n, "questions", False, "answered under A and under B"),
        Statistic("images", found.num_clusters, "images", False, _of_images(found.even_images)),
        Statistic("accuracy A", accuracy.a, "share", False, "right answers under A"),
        Statistic("accuracy B", accuracy.b, "share", False, "right answers under B"),
        Statistic("delta", accuracy.value, "share", False, "accuracy B - A; below 0 B is worse"),
        Statistic("delta low", accuracy.low, "share", True, f"lower end of its 95 % interval, {accuracy.method}"),
        Statistic("delta high", accuracy.high, "share", True, "upper end"),
        Statistic("margin", found.verdict.margin, "share", True, "the loss you said you would accept"),
        Statistic("worse", found.worse, "questions", False, "lower score under B"),
        Statistic("better", found.better, "questions", False, "higher score under B"),
        Statistic("flips", (found.worse + found.better) / n, "share", False, "ψ, worse and better together"),
        Statistic("design effect", found.design_effect, "ratio", False, "so many questions count as one"),
        Statistic("MDE", found.mde, "share", False, "smallest true difference such a run finds 4 times in 5"),
    ]
    tests = _tests(found.tests, found.p_mcnemar) if found.tests else []
    return rows + [_looked_at(row) if may_stop_early and row.unit == "p" else row for row in tests]


def even_images(clusters: Iterable[str]) -> float:
    """Images of equally many questions that would weigh as much as these: (Σ questions)² / Σ questions², at most all.

    An interval by image trusts that there are enough of them; of twelve with 1 to 55 questions each, the three largest
    are most of what it sees.

    Args:
        clusters: The image of each question.
    """
    sizes = Counter(clusters).values()
    return sum(sizes) ** 2 / sum(size**2 for size in sizes)


def _of_images(even: float | None) -> str:
    reading = "questions about one image are not independent"
    if even is None or even >= ENOUGH_IMAGES:
        return reading
    return f"{reading}; these weigh like {even:.1f} even ones, and below {ENOUGH_IMAGES} the interval may be too narrow"


def _looked_at(row: Statistic) -> Statistic:
    return replace(row, reading=f"{row.reading}; too small here, where the run could stop at any look")


def _tests(tests: PairedTests, p_mcnemar: float) -> list[Statistic]:
    return [
        Statistic("agreement", tests.agreement, "share", False, "same score under A and B"),
        Statistic("correlation", tests.correlation, "ratio", False, "of the scores under A and B"),
        Statistic("p sign-flip", tests.p_sign_flip, "p", False, "small: A and B differ; images taken whole"),
        Statistic("p McNemar", p_mcnemar, "p", False, "the same, as if questions were independent; exact"),
        Statistic("p McNemar mid", tests.p_mid, "p", False, "the same, less cautious"),
        Statistic("p not worse", tests.p_not_worse, "p", False, "small: B loses less than the margin"),
        Statistic("p equivalent", tests.p_equivalent, "p", False, "small: B differs by less than the margin"),
    ]


def statistics_frame(rows: list[Statistic]) -> pd.DataFrame:
    """One row per statistic: statistic, value, unit, decides, reading."""
    import pandas as pd

    return pd.DataFrame([asdict(row) for row in rows], columns=list(Statistic.__dataclass_fields__))
