"""How far B stays with A, whatever is right: by the first token of each answer, and by the answers themselves.

An arm of its own beside A and B: `Loyal(a, b)` has a text per question as they do, so that a ledger can keep it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from skipit_nb.backend.evaluation.prefix import Prefix
from skipit_nb.backend.evaluation.statistics import delta_interval
from skipit_nb.backend.evaluation.statistics.means import mean_interval
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.trie.scores import kl_of
from skipit_nb.results import Comparison, Metric, PairedAnswer
from skipit_nb.results.loyalty import Loyalty
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Loyal:
    """B measured by A."""

    a: SkipSet
    b: SkipSet

    def __str__(self) -> str:
        return f"'{self.b}' beside '{self.a}'"

    @torch.inference_mode()
    def texts(self, live: LiveModel, inputs: Inputs, known: Mapping[SkipSet, Tensor]) -> list[str]:
        """A text per question.

        Args:
            live: The model.
            inputs: The questions.
            known: Log-probabilities [batch, vocab] of the first token under sets that have answered just now, which
                cost nothing more. Other sets read the prompts once again.
        """
        p, q = (known[arm] if arm in known else _first(live, inputs, arm) for arm in (self.a, self.b))
        same = (p.argmax(-1) == q.argmax(-1)).tolist()
        return [json.dumps(pair) for pair in zip(kl_of(p, q), same, strict=True)]


def _first(live: LiveModel, inputs: Inputs, skipset: SkipSet) -> Tensor:
    with live.skipping(skipset):
        return Prefix.of(live, inputs).first


def with_loyalty(comparison: Comparison, texts: Sequence[str]) -> Comparison:
    """The comparison with what `Loyal` wrote about its questions, in the order of its answers."""
    pairs = [json.loads(text) for text in texts]
    kl = tuple(float(kl) if math.isfinite(kl) else None for kl, _ in pairs)
    loyalty = Loyalty(kl, tuple(bool(same) for _, same in pairs))
    return replace(comparison, loyalty=loyalty, metrics=(*comparison.metrics, *_metrics(loyalty, comparison.answers)))


def _metrics(loyalty: Loyalty, answers: Sequence[PairedAnswer]) -> list[Metric]:
    """The means over questions, with 95 % intervals that keep those about one image together."""
    clusters = [answer.cluster for answer in answers]
    metrics = [
        _share("same first token", loyalty.same_first_token, clusters),
        _share("same answer", [answer.a == answer.b for answer in answers], clusters),
    ]
    known = [(kl, cluster) for kl, cluster in zip(loyalty.kl, clusters, strict=True) if kl is not None]
    found = mean_interval([kl for kl, _ in known], [cluster for _, cluster in known])
    if found is not None:
        # A divergence is 0 or more, so its mean is too.
        value, low, high = found.value, max(found.low, 0.0), found.high
        metrics.insert(0, Metric("KL(A ‖ B)", "nats", 0.0, value, "B - A", value, low, high, found.method))
    return metrics


def _share(name: str, same: Sequence[bool], clusters: Sequence[str]) -> Metric:
    """A share of questions; A beside itself has all of them."""
    found, _ = delta_interval([1.0] * len(same), [float(value) for value in same], clusters)
    return Metric(name, "share", 1.0, sum(same) / len(same), "B - A", found.value, found.low, found.high, found.method)
