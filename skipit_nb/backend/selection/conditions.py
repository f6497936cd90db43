"""The paper's rule: where vision tokens may enter late or exit early, layer by layer.

The paper states that redundancy must be high *and* cross-modal flow low; it gives no thresholds. Ours are quantiles of
nulls (`nulls`) or set by hand, and every one is printed with the result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from skipit_nb.backend.selection.nulls import distance_threshold, flow_threshold, tail_threshold, typical_distance
from skipit_nb.cost import ModelShape, usual_cost
from skipit_nb.errors import LayerCountError, SettingError
from skipit_nb.results import EPSILONS, LayerDistance, LayerFlow, LayerReason, Recommendation, RedundancyProfile
from skipit_nb.skipset import SkipSet


def recommend(
    profile: RedundancyProfile,
    *,
    level: float = 0.05,
    max_distance: float | None = None,
    epsilon: float | None = None,
    max_tail: float | None = None,
    max_var: float | None = None,
) -> Recommendation:
    """Find the longest late entry and the longest early exit whose every layer meets both conditions.

    1. The vision tokens are redundant: mean distance ≤ `max_distance` (geometric) or P[d > ε] ≤ `max_tail` (proximal).
    2. Cross-modal flow is low: VAR ≤ `max_var`.

    By default each threshold is the `level` quantile of what chance would measure: at a layer as typical as any for
    the first condition, over keys called vision at random for the second. So each of the three comparisons lets a layer
    pass by chance about `level` of the time; this is not corrected for the number of layers, nor for the *or*.

    A layer whose flow was not measured never qualifies. At least one layer keeps its vision tokens: with none, the
    text could never read the image. That the two conditions suffice is the paper's claim, not this function's: judge
    the set with `compare`.

    Args:
        profile: Measured on the model.
        level: Of the nulls, between 0 and 1: lower is stricter.
        max_distance: Threshold on the mean distance, in 1 - cos, 0 to 2; None for the null's.
        epsilon: ε of the tail probability, in 1 - cos; None for the typical layer's distance (geometric mean).
        max_tail: Threshold on P[d > ε], 0 to 1; None for the null's.
        max_var: Threshold on VAR, 0 to 1, for all layers; None for each layer's null.

    Raises:
        SettingError: If a threshold is out of range, or the profile has no vision tokens.
    """
    for name, value, top in (("max_distance", max_distance, 2), ("max_tail", max_tail, 1), ("max_var", max_var, 1)):
        if value is not None and not 0 <= value <= top:
            raise SettingError(name, value, f"a number from 0 to {top}, or None for the null's")
    if not 0 < level < 1:
        raise SettingError("level", level, "a share between 0 and 1, such as 0.05")
    rows, flow = profile.of("vision"), profile.flow_by_layer
    limits = _limits(profile, rows, level, max_distance, epsilon, max_tail)
    judged = [_judge(row, flow[row.layer], limits, max_var) for row in rows]
    met = [reason.is_redundant and reason.is_flow_low for reason in judged]
    entry, leave = _bands(met)
    ends = SkipSet.late_entry(entry, num_layers=len(rows)), SkipSet.early_exit(leave, num_layers=len(rows))
    skipset = ends[0] | ends[1]
    kept = "one layer at least keeps the vision tokens" if all(met) else "it lies between layers that do not meet both"
    reasons = tuple(_placed(reason, skipset, limits, kept) for reason in judged)
    return Recommendation(
        profile.provenance, skipset, reasons, limits.distance, limits.epsilon, limits.tail, max_var, level
    )


def of_model(profile: RedundancyProfile, num_layers: int) -> RedundancyProfile:
    """The profile, if it can be of a model with so many layers.

    Raises:
        LayerCountError: If it cannot.
    """
    if profile.num_layers != num_layers:
        raise LayerCountError(profile.num_layers, num_layers, "profile")
    return profile


def priced(advice: Recommendation, shape: ModelShape) -> Recommendation:
    """The recommendation with what its set saves of a usual prompt, by arithmetic."""
    full = usual_cost(shape, SkipSet.none(num_layers=shape.num_layers))
    return replace(advice, flops_ratio=usual_cost(shape, advice.skipset).speedup_over(full))


@dataclass(frozen=True, slots=True)
class _Limits:
    """The thresholds that hold for all layers, and what the others follow from."""

    distance: float
    epsilon: float
    tail: float
    level: float
    images: int
    typical: float | None
    """What the threshold on the distance rises to with ever more images; None where it was set by hand."""


def _limits(
    profile: RedundancyProfile,
    rows: tuple[LayerDistance, ...],
    level: float,
    distance: float | None,
    epsilon: float | None,
    tail: float | None,
) -> _Limits:
    """What was set by hand, and the nulls' for the rest."""
    images = profile.images or max(1, profile.num_samples)
    typical, is_by_hand = typical_distance(rows), distance is not None
    if epsilon is None:
        epsilon = max(typical, EPSILONS[0])
    if distance is None:
        distance = distance_threshold(rows, images=images, level=level)
    if tail is None:
        tail = tail_threshold(rows, epsilon=epsilon, images=images, level=level)
    return _Limits(distance, epsilon, tail, level, images, None if is_by_hand else typical)


def _judge(row: LayerDistance, flow: LayerFlow | None, limits: _Limits, max_var: float | None) -> LayerReason:
    tail = row.tail_at(limits.epsilon)
    if max_var is None and flow is not None:
        max_var = flow_threshold(flow, images=limits.images, level=limits.level)
    return LayerReason(
        layer=row.layer,
        distance=row.distance,
        tail=tail,
        var=flow.var if flow else None,
        is_redundant=row.distance <= limits.distance or tail <= limits.tail,
        is_flow_low=flow is not None and max_var is not None and flow.var <= max_var,
        action="run",
        why="",
        max_var=max_var,
    )


def _bands(qualifies: list[bool]) -> tuple[int, int]:
    """Boundaries (entry, exit): [0, entry) and [exit, num_layers) qualify throughout; one layer at least is kept."""
    num_layers = len(qualifies)
    entry = next((i for i, ok in enumerate(qualifies) if not ok), num_layers)
    leave = num_layers - next((i for i, ok in enumerate(reversed(qualifies)) if not ok), num_layers)
    return (0, 1) if entry == num_layers else (entry, leave)


def _placed(reason: LayerReason, skipset: SkipSet, limits: _Limits, kept: str) -> LayerReason:
    """The reason with its action and its sentence; `kept` says why a layer that meets both runs all the same."""
    action = skipset.action(reason.layer, "vision")
    is_kept = reason.is_redundant and reason.is_flow_low and action == "run"
    return replace(reason, action=action, why=_sentence(reason, limits) + (f"; {kept}" if is_kept else ""))


def _sentence(reason: LayerReason, limits: _Limits) -> str:
    moved = _moved(reason, limits)
    if reason.var is None or reason.max_var is None:
        return f"{moved}; flow was not measured, so it is not proposed"
    var = f"VAR {reason.var:.3g} {_sign(reason.var, reason.max_var)} {reason.max_var:.3g}"
    joint = "and" if reason.is_redundant == reason.is_flow_low else "but"
    return f"{moved}, {joint} flow is {'low' if reason.is_flow_low else 'high'} ({var})"


def _moved(reason: LayerReason, limits: _Limits) -> str:
    """The first condition in words, by the reading that decided it."""
    distance = f"d {reason.distance:.3g} {_sign(reason.distance, limits.distance)} {limits.distance:.3g}"
    ceiling = f"{_sign(reason.tail, limits.tail)} {limits.tail:.3g}" if limits.tail >= 0 else "where 0 would not do"
    tail = f"P[d > {limits.epsilon:.2g}] {reason.tail:.3g} {ceiling}"
    if not reason.is_redundant:
        is_near = limits.typical is not None and reason.distance < limits.typical
        images = f"{limits.images} image{'s' * (limits.images != 1)}"
        hope = f"; below the typical layer's {limits.typical:.3g}, but not clearly from {images}" if is_near else ""
        return f"not redundant ({distance}, {tail}{hope})"
    return f"redundant ({distance if reason.distance <= limits.distance else tail})"


def _sign(value: float, limit: float) -> str:
    return "≤" if value <= limit else ">"
