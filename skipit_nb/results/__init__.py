"""Frozen results: what the backend gives and what charts and widgets draw. No torch, no widgets."""

from skipit_nb.results.answer import Answer
from skipit_nb.results.comparison import Comparison, KindDelta, Metric, PairedAnswer, Verdict
from skipit_nb.results.profile import EPSILONS, TOKENS, LayerDistance, LayerFlow, RedundancyProfile, TokenDistances
from skipit_nb.results.provenance import Provenance
from skipit_nb.results.recommendation import LayerReason, Recommendation
from skipit_nb.results.sweep import Sweep, SweepRow

__all__ = [
    "EPSILONS",
    "TOKENS",
    "Answer",
    "Comparison",
    "KindDelta",
    "LayerDistance",
    "LayerFlow",
    "LayerReason",
    "Metric",
    "PairedAnswer",
    "Provenance",
    "Recommendation",
    "RedundancyProfile",
    "Sweep",
    "SweepRow",
    "TokenDistances",
    "Verdict",
]
