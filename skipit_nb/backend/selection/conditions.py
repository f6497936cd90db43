"""The paper's rule: where vision tokens may enter late or exit early, layer by layer.

The paper states that redundancy must be high *and* cross-modal flow low; it gives no thresholds. These are ours, as
parameters, and every one is printed with the result.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import fmean, geometric_mean

from skipit_nb.errors import LayerCountError, SettingError
from skipit_nb.results import LayerDistance, LayerFlow, LayerReason, Recommendation, RedundancyProfile
from skipit_nb.skipset import SkipSet

SMALLEST_DISTANCE = 1e-9
"""Stands for the distance of an identity layer in a geometric mean."""


def recommend(
    profile: RedundancyProfile,
    *,
    max_distance: float | None = None,
    epsilon: float = 0.02,
    max_tail: float = 0.05,
    max_var: float | None = None,
) -> Recommendation:
    """Find the longest late entry and the longest early exit whose every layer meets both conditions.

    1. The vision tokens are redundant: mean distance ≤ `max_distance` (geometric) or P[d > ε] ≤ `max_tail` (proximal).
    2. Cross-modal flow is low: VAR ≤ `max_var`.

    A layer whose flow was not measured never qualifies. At least one layer keeps its vision tokens: with none, the
    text could never read the image.

    Args:
        profile: Measured on the model.
        max_distance: Threshold on the mean distance, in 1 - cos, 0 to 2; by default the geometric mean over layers:
            less than this model's typical layer, as distances span orders of magnitude.
        epsilon: ε of the tail probability, in 1 - cos.
        max_tail: Threshold on P[d > ε], 0 to 1.
        max_var: Threshold on VAR, 0 to 1; by default the flat share, vision keys / all keys: less than a token would
            give that attends to everything alike.

    Raises:
        SettingError: If a threshold is out of range, or the profile has no vision tokens.
    """
    rows = profile.of("vision")
    flow = {row.layer: row for row in profile.flow}
    if max_distance is None:
        max_distance = geometric_mean(max(row.distance, SMALLEST_DISTANCE) for row in rows)
    if max_var is None:
        max_var = fmean(row.uniform for row in profile.flow) if flow else 0.0
    for name, value, top in (("max_distance", max_distance, 2), ("max_tail", max_tail, 1), ("max_var", max_var, 1)):
        if not 0 <= value <= top:
            raise SettingError(name, value, f"a number from 0 to {top}")
    judged = [_judge(row, flow.get(row.layer), max_distance, epsilon, max_tail, max_var) for row in rows]
    entry, leave = _bands([reason.is_redundant and reason.is_flow_low for reason in judged])
    skipset = SkipSet.late_entry(entry, num_layers=profile.num_layers) | SkipSet.early_exit(
        leave, num_layers=profile.num_layers
    )
    reasons = tuple(_placed(reason, skipset) for reason in judged)
    return Recommendation(profile.provenance, skipset, reasons, max_distance, epsilon, max_tail, max_var)


def of_model(profile: RedundancyProfile, num_layers: int) -> RedundancyProfile:
    """The profile, if it can be of a model with so many layers.

    Raises:
        LayerCountError: If it cannot.
    """
    if profile.num_layers != num_layers:
        raise LayerCountError(profile.num_layers, num_layers, "profile")
    return profile


def _judge(
    row: LayerDistance, flow: LayerFlow | None, max_distance: float, epsilon: float, max_tail: float, max_var: float
) -> LayerReason:
    tail = row.tail_at(epsilon)
    return LayerReason(
        layer=row.layer,
        distance=row.distance,
        tail=tail,
        var=flow.var if flow else None,
        is_redundant=row.distance <= max_distance or tail <= max_tail,
        is_flow_low=flow is not None and flow.var <= max_var,
        action="run",
        why="",
    )


def _bands(qualifies: list[bool]) -> tuple[int, int]:
    """Boundaries (entry, exit): [0, entry) and [exit, num_layers) qualify throughout; one layer at least is kept."""
    num_layers = len(qualifies)
    entry = next((i for i, ok in enumerate(qualifies) if not ok), num_layers)
    leave = num_layers - next((i for i, ok in enumerate(reversed(qualifies)) if not ok), num_layers)
    return (0, 1) if entry == num_layers else (entry, leave)


def _placed(reason: LayerReason, skipset: SkipSet) -> LayerReason:
    """The reason with its action and its sentence."""
    action = skipset.action(reason.layer, "vision")
    return replace(reason, action=action, why=_sentence(reason, action))


def _sentence(reason: LayerReason, action: str) -> str:
    if reason.var is None:
        return "flow was not measured, so it is not proposed"
    if action == "absent":
        return "redundant, and flow is low"
    if reason.is_redundant and not reason.is_flow_low:
        return "redundant, but flow is high"
    if not reason.is_redundant and reason.is_flow_low:
        return "flow is low, but the vision tokens still move"
    if not reason.is_redundant:
        return "the vision tokens move, and flow is high"
    return "meets both, but lies between layers that do not"
