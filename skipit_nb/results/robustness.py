"""`Robustness`: what perturbed images do to accuracy, to skip sets, and to the distances of the layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from skipit_nb.errors import SettingError
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.stored import Stored
from skipit_nb.skipset import SkipSet

if TYPE_CHECKING:
    import pandas as pd

CLEAN = "clean"
"""The images as they are."""

SEVERITY_UNITS = {
    "noise": "standard deviation of Gaussian noise, of a value from 0 to 1",
    "blur": "standard deviation of the Gaussian, in pixels of the image as the task gives it",
    "occlusion": "share of the area under a grey square, 0 to 1",
    "fgsm": "ε: the most that a value from 0 to 1 may move, in one step",
    "pgd": "ε: the most that a value from 0 to 1 may move, in ten steps",
}
"""Every kind of perturbation, and what its severity counts."""


@dataclass(frozen=True, slots=True)
class RobustnessRow:
    """One skip set, or the full model, on images perturbed in one way."""

    perturbation: str
    """"clean" or a kind of `SEVERITY_UNITS`."""
    severity: float
    """In the unit of `SEVERITY_UNITS`; 0 for clean images."""
    skipset: SkipSet
    """The empty set is the full model."""
    accuracy: float
    """Share of right answers, 0 to 1, scored from the prompt's pass as a sweep does."""
    delta: float
    """Accuracy minus that of the same arm on the clean images; 0 for clean. Below 0: the perturbation costs."""
    low: float
    """Lower end of the 95 % interval of `delta`, clustered by image, not corrected for the number of rows."""
    high: float
    worse: int
    """Questions that score less than on the clean image, under the same arm."""
    better: int
    extra: float
    """Accuracy that the perturbation costs this arm beyond what it costs the full model. Above 0: skipping makes the
    model more sensitive to it."""
    log_likelihood: float | None = None
    """Mean over questions of log p(right answer), in nats; higher is better; None where it cannot be had."""


@dataclass(frozen=True, slots=True)
class PerturbedDistance:
    """How far one layer turns the vision tokens of images perturbed in one way. Low = redundant."""

    perturbation: str
    severity: float
    layer: int
    """Decoder layer, from 0."""
    distance: float
    """Mean d = 1 - cos, 0 to 2: vision tokens within a question first, then questions."""
    spread: float
    """Standard deviation over questions; 0 with one."""


@dataclass(frozen=True, slots=True)
class LayerCorrelation:
    """One layer, across questions: does its distance on the clean image tell which answers a perturbation costs?"""

    perturbation: str
    severity: float
    layer: int
    skipset: SkipSet
    """Whose answers: the full model's (the empty set), or those of a set that acts at this layer alone."""
    outcome: str
    """What the perturbation costs each question: "accuracy" (1 lost, 0 as before, -1 gained) or "log_likelihood" of
    the right answer, in nats."""
    rho: float | None
    """Spearman's rank correlation, -1 to 1, of the question's distance at this layer and its cost. Above 0: the less
    redundant the layer is for a question, the more the perturbation costs it; below 0 the other way round. None where
    distances or costs do not vary."""
    low: float | None
    """Lower end of the 95 % interval of `rho`: images are resampled whole, and ranked anew. None where fewer than 10
    costs are not 0, or all questions are about one image: too few to say."""
    high: float | None
    changed: int
    """Questions whose cost is not 0."""


@dataclass(frozen=True, slots=True)
class LayerOrder:
    """One perturbation, across layers."""

    perturbation: str
    severity: float
    kept: float | None
    """Spearman's rank correlation over layers of their distances on clean and on perturbed images. 1: they are in the
    same order, so that what was chosen by redundancy would be chosen again."""
    kept_low: float | None
    """Lower end of the 95 % interval over images, resampled whole."""
    kept_high: float | None
    family: str
    """The single-layer sets of the next numbers, such as "vision absent"; "" where fewer than 3 were asked for."""
    rho: float | None
    """Spearman's rank correlation over layers of the clean distance and of `RobustnessRow.extra` with that layer
    skipped. Above 0: skipping a less redundant layer makes the model more sensitive to the perturbation. A layer
    without which the clean answers are wrong already has nothing left to lose, which alone can put it below 0."""
    low: float | None
    """Lower end of the 95 % interval over images, resampled whole. Layers that nearly tie change places in the draws,
    so it leans to 0. None where skipping changed the cost of fewer than 10 questions."""
    high: float | None


@dataclass(frozen=True, slots=True, repr=False)
class Robustness(Stored):
    """Accuracy and redundancy under image noise, blur, occlusion and small attacks, for the full model and skip sets.

    Every arm sees the same perturbed images. Attacks are made against the full model and transferred to the skip
    sets, so a set may look more robust than it would be against an attack made for itself. Blur and occlusion are
    applied to the image as it is given, attacks to the pixels that the model sees.

    What it does not see: perturbations of the question, other corruptions, and attacks without a bound on each value.

    Source:
        FGSM: Goodfellow et al. 2015, arXiv:1412.6572. PGD: Madry et al. 2018, arXiv:1706.06083, here without a random
        start. What is correlated, and all intervals, are our definition.
    """

    provenance: Provenance
    rows: tuple[RobustnessRow, ...]
    """By perturbation (clean first) and severity; the full model first, then the sets in the order given."""
    layers: tuple[PerturbedDistance, ...]
    by_layer: tuple[LayerCorrelation, ...]
    orders: tuple[LayerOrder, ...]
    attack: str = ""
    """How attacks were made, in words; "" without one."""
    unit: str = "accuracy: share; log-likelihood: nats; distance: 1 - cos, 0 to 2"
    redundant_when: str = "low (distance), where little accuracy is lost"
    source: str = "arXiv:1412.6572 (FGSM), arXiv:1706.06083 (PGD, no random start); correlations, intervals: ours"

    @property
    def perturbations(self) -> dict[str, tuple[float, ...]]:
        """The kinds that were tried and their severities, ascending; clean left out."""
        found = dict.fromkeys((row.perturbation, row.severity) for row in self.rows if row.perturbation != CLEAN)
        kinds = dict.fromkeys(kind for kind, _ in found)
        return {kind: tuple(severity for other, severity in found if other == kind) for kind in kinds}

    @property
    def skipsets(self) -> tuple[SkipSet, ...]:
        """The arms: the empty set, which is the full model, then the others."""
        return tuple(dict.fromkeys(row.skipset for row in self.rows))

    def distances(self, perturbation: str = CLEAN, severity: float = 0.0) -> tuple[float, ...]:
        """The mean distance of each layer under one perturbation.

        Raises:
            SettingError: If it was not tried.
        """
        found = tuple(
            row.distance for row in self.layers if (row.perturbation, row.severity) == (perturbation, severity)
        )
        if not found:
            tried = ", ".join(f"{kind} {value:g}" for kind, values in self.perturbations.items() for value in values)
            raise SettingError("perturbation", f"{perturbation} {severity:g}", f"clean 0 or one of: {tried}")
        return found

    @property
    def frame(self) -> pd.DataFrame:
        """One row per perturbation, severity and arm, with the fields of `RobustnessRow` as columns."""
        return _framed(self.rows, RobustnessRow)

    @property
    def distance_frame(self) -> pd.DataFrame:
        """One row per perturbation, severity and layer, with the fields of `PerturbedDistance` as columns."""
        return _framed(self.layers, PerturbedDistance)

    @property
    def correlations(self) -> pd.DataFrame:
        """One row per perturbation, severity, layer, arm and outcome: the fields of `LayerCorrelation` as columns."""
        return _framed(self.by_layer, LayerCorrelation)

    @property
    def order_frame(self) -> pd.DataFrame:
        """One row per perturbation, severity and family of single-layer sets: the fields of `LayerOrder` as columns."""
        return _framed(self.orders, LayerOrder)

    def __repr__(self) -> str:
        made, clean = self.provenance, self.rows[0].accuracy
        about = f"{made.task or 'own questions'}, {len(made.samples)} questions, {', '.join(self.perturbations)}"
        return f"Robustness({made.model}, {about}, {len(self.skipsets) - 1} skip sets, clean accuracy {clean:.3f})"


def _framed(rows: Sequence[Any], kind: type) -> pd.DataFrame:
    """Plain rows, skip sets as text."""
    import pandas as pd

    columns = list(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    plain = [asdict(row) | ({"skipset": str(row.skipset)} if "skipset" in columns else {}) for row in rows]
    return pd.DataFrame(plain, columns=columns)
