"""`PairedComparison`: two lists of scores on the same questions, judged as `session.compare` judges."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from skipit_nb.errors import SettingError
from skipit_nb.results.comparison import KindDelta, Metric, Verdict
from skipit_nb.results.statistics import PairedTests, paired_statistics, statistics_frame
from skipit_nb.results.stored import Stored

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, repr=False)
class PairedComparison(Stored):
    """A paired A/B of scores that someone already has: no model, no answers, the same statistics."""

    num_questions: int
    num_clusters: int
    """Different images."""
    accuracy: Metric
    """Mean score under A and B, and the difference B - A with its 95 % interval."""
    kinds: tuple[KindDelta, ...]
    """One row per kind of question, sorted by name; one row "" if none were given."""
    verdict: Verdict
    p_mcnemar: float
    """Exact McNemar p of no difference; printed, decides nothing: it ignores that questions share images."""
    mde: float
    """Minimal detectable effect: the smallest true difference such a run would find 4 times in 5, as a share."""
    design_effect: float
    """(clustered standard error / naive standard error)²; 1 if none flips."""
    tests: PairedTests
    even_images: float | None = None
    """Images of equally many questions that would weigh as much as these; below 20 the interval may be too narrow. None
    in results of earlier versions."""

    @property
    def worse(self) -> int:
        """Questions with a lower score under B."""
        return sum(row.worse for row in self.kinds)

    @property
    def better(self) -> int:
        """Questions with a higher score under B."""
        return sum(row.better for row in self.kinds)

    def metric(self, name: str) -> Metric:
        """The accuracy, as of a `Comparison`.

        Raises:
            SettingError: If something else is asked for.
        """
        if name != self.accuracy.name:
            raise SettingError("metric", name, repr(self.accuracy.name))
        return self.accuracy

    @property
    def statistics(self) -> pd.DataFrame:
        """One row per statistic: statistic, value, unit, decides, reading."""
        return statistics_frame(paired_statistics(self))

    @property
    def frame(self) -> pd.DataFrame:
        """One row per kind of question: the fields of `KindDelta`."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.kinds], columns=list(KindDelta.__dataclass_fields__))

    def __repr__(self) -> str:
        return f"PairedComparison({self.num_questions} questions, {self.num_clusters} images: {self.verdict.sentence})"
