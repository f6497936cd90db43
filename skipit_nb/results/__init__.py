"""Frozen results: what the backend gives and what charts and widgets draw. No torch, no widgets."""

from skipit_nb.results.agreement import OUTCOMES, SCORES, Agreement, AgreementRow, SkipCost
from skipit_nb.results.answer import Answer
from skipit_nb.results.bands import BAND_TOKENS, BandDistance, BandDistances
from skipit_nb.results.bounds import BoundRow, BoundsReport
from skipit_nb.results.checks import Checks, SelfCheck
from skipit_nb.results.comparison import Comparison, KindDelta, Metric, PairedAnswer, Verdict
from skipit_nb.results.contribution import Contribution, LayerContribution
from skipit_nb.results.efficiency import Conditions, Efficiency, EfficiencyRow, Expectation
from skipit_nb.results.equal_cost import EqualCost, EqualCostRow
from skipit_nb.results.exported import Exported
from skipit_nb.results.failed import FailedQuestion
from skipit_nb.results.flow import Knockout, KnockoutRow
from skipit_nb.results.functional import Functional, FunctionalRow
from skipit_nb.results.information import Information, InformationRow, PidRow
from skipit_nb.results.likelihood import Likelihoods, RankedChoices
from skipit_nb.results.lipschitz import Lipschitz, LipschitzRow
from skipit_nb.results.loyalty import Loyalty
from skipit_nb.results.paired import PairedComparison
from skipit_nb.results.patch_place import PatchPlace
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
from skipit_nb.results.sample_tokens import SampleTokens
from skipit_nb.results.search import SearchResult, SearchStep
from skipit_nb.results.similarity import LayerSimilarity, Similarity
from skipit_nb.results.standing import Standing
from skipit_nb.results.statistics import NoiseFloor, PairedTests, Statistic
from skipit_nb.results.sweep import Sweep, SweepRow
from skipit_nb.results.what_if import WhatIf

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
    "Checks",
    "Comparison",
    "Conditions",
    "Contribution",
    "Efficiency",
    "EfficiencyRow",
    "EqualCost",
    "EqualCostRow",
    "Expectation",
    "Exported",
    "FailedQuestion",
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
    "Likelihoods",
    "Lipschitz",
    "LipschitzRow",
    "Loyalty",
    "Metric",
    "NoiseFloor",
    "PairedAnswer",
    "PairedComparison",
    "PairedTests",
    "PatchPlace",
    "PerturbedDistance",
    "PidRow",
    "Proposal",
    "Provenance",
    "RaceResult",
    "RaceRow",
    "RankedChoices",
    "Recommendation",
    "RedundancyProfile",
    "Reproduction",
    "Robustness",
    "RobustnessRow",
    "SampleTokens",
    "SearchResult",
    "SearchStep",
    "SelfCheck",
    "Similarity",
    "SkipCost",
    "Standing",
    "Statistic",
    "Sweep",
    "SweepRow",
    "TokenDistances",
    "Verdict",
    "WhatIf",
]
