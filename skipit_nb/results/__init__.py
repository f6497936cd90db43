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
from skipit_nb.results.profile import EPSILONS, TOKENS, LayerDistance, LayerFlow, RedundancyProfile, TokenDistances
from skipit_nb.results.proposal import Candidate, Proposal
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.recommendation import LayerReason, Recommendation
from skipit_nb.results.search import SearchResult, SearchStep
from skipit_nb.results.similarity import LayerSimilarity, Similarity
from skipit_nb.results.sweep import Sweep, SweepRow

__all__ = [
    "BAND_TOKENS",
    "EPSILONS",
    "OUTCOMES",
    "SCORES",
    "TOKENS",
    "Agreement",
    "AgreementRow",
    "Answer",
    "BandDistance",
    "BandDistances",
    "BoundRow",
    "BoundsReport",
    "Candidate",
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
    "LayerDistance",
    "LayerFlow",
    "LayerReason",
    "LayerSimilarity",
    "Metric",
    "PairedAnswer",
    "PidRow",
    "Proposal",
    "Provenance",
    "Recommendation",
    "RedundancyProfile",
    "SearchResult",
    "SearchStep",
    "Similarity",
    "SkipCost",
    "Sweep",
    "SweepRow",
    "TokenDistances",
    "Verdict",
]
