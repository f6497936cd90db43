"""Frozen results: what the backend gives and what charts and widgets draw. No torch, no widgets."""

from skipit_nb.results.agreement import OUTCOMES, SCORES, Agreement, AgreementRow, SkipCost
from skipit_nb.results.answer import Answer
from skipit_nb.results.bands import BAND_TOKENS, BandDistance, BandDistances
from skipit_nb.results.bounds import BoundRow, BoundsReport
from skipit_nb.results.comparison import Comparison, KindDelta, Metric, PairedAnswer, Verdict
from skipit_nb.results.contribution import Contribution, LayerContribution
from skipit_nb.results.exported import Exported
from skipit_nb.results.flow import Knockout, KnockoutRow
from skipit_nb.results.functional import Functional, FunctionalRow
from skipit_nb.results.information import Information, InformationRow, PidRow
from skipit_nb.results.lipschitz import Lipschitz, LipschitzRow
from skipit_nb.results.paired import PairedComparison
from skipit_nb.results.profile import EPSILONS, TOKENS, LayerDistance, LayerFlow, RedundancyProfile, TokenDistances
from skipit_nb.results.proposal import Candidate, Proposal
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.race import RaceResult, RaceRow
from skipit_nb.results.recommendation import LayerReason, Recommendation
from skipit_nb.results.reproduction import BandAccuracy, Check, LayerEvidence, Reproduction
from skipit_nb.results.robustness import (
    SEVERITY_UNITS,
    LayerCorrelation,
    LayerOrder,
    PerturbedDistance,
    Robustness,
    RobustnessRow,
)
from skipit_nb.results.search import SearchResult, SearchStep
from skipit_nb.results.similarity import LayerSimilarity, Similarity
from skipit_nb.results.statistics import NoiseFloor, PairedTests, Statistic
from skipit_nb.results.sweep import Sweep, SweepRow

__all__ = [
    "BAND_TOKENS",
    "EPSILONS",
    "OUTCOMES",
    "SCORES",
    "SEVERITY_UNITS",
    "TOKENS",
    "Agreement",
    "AgreementRow",
    "Answer",
    "BandAccuracy",
    "BandDistance",
    "BandDistances",
    "BoundRow",
    "BoundsReport",
    "Candidate",
    "Check",
    "Comparison",
    "Contribution",
    "Exported",
    "Functional",
    "FunctionalRow",
    "Information",
    "InformationRow",
    "KindDelta",
    "Knockout",
    "KnockoutRow",
    "LayerContribution",
    "LayerCorrelation",
    "LayerDistance",
    "LayerEvidence",
    "LayerFlow",
    "LayerOrder",
    "LayerReason",
    "LayerSimilarity",
    "Lipschitz",
    "LipschitzRow",
    "Metric",
    "NoiseFloor",
    "PairedAnswer",
    "PairedComparison",
    "PairedTests",
    "PerturbedDistance",
    "PidRow",
    "Proposal",
    "Provenance",
    "RaceResult",
    "RaceRow",
    "Recommendation",
    "RedundancyProfile",
    "Reproduction",
    "Robustness",
    "RobustnessRow",
    "SearchResult",
    "SearchStep",
    "Similarity",
    "SkipCost",
    "Statistic",
    "Sweep",
    "SweepRow",
    "TokenDistances",
    "Verdict",
]
