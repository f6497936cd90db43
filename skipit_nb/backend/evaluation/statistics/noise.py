"""The A/A noise floor: what one configuration answers differently when only the batching changes."""

from __future__ import annotations

from collections.abc import Sequence

from scipy import stats

from skipit_nb.backend.evaluation.statistics.interval import LEVEL
from skipit_nb.results import NoiseFloor

Answers = Sequence[tuple[str, float]]
"""Text and score of each question."""


def noise_floor(first: Answers, second: Answers, batch_sizes: tuple[int, int]) -> NoiseFloor:
    """Count what changed between two runs of one configuration on the same questions. 0 changed is no proof of none.

        high = the share at which so few changes would come up in 1 run of 40 (Clopper-Pearson); 3.7 / n without any

    Args:
        first: Answers in batches of one size.
        second: Answers to the same questions in batches of another size.
        batch_sizes: The two sizes.
    """
    pairs = list(zip(first, second, strict=True))
    changed = sum(one[0] != two[0] for one, two in pairs)
    flipped = sum(one[1] != two[1] for one, two in pairs)
    high = stats.beta.ppf((1 + LEVEL) / 2, flipped + 1, len(pairs) - flipped) if flipped < len(pairs) else 1.0
    return NoiseFloor(batch_sizes, len(pairs), changed, flipped, float(high))
