"""What the builder says about a skip set, in words and numbers: its predicted cost, and the paper's conditions."""

from __future__ import annotations

from collections.abc import Iterable

from skipit_nb.cost import Cost
from skipit_nb.results import LayerReason, Proposal, Recommendation
from skipit_nb.skipset import SkipSet

SKIPPED = ("frozen", "absent", "whole")
"""Actions under which vision tokens are not computed at a layer."""

_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def quantity(value: float, unit: str) -> str:
    """Three digits and a prefix: 448,343,040 is "448 MFLOPs"."""
    for size, prefix in _PREFIXES:
        if value >= size:
            return f"{value / size:#.3g}".rstrip(".") + f" {prefix}{unit}"
    return f"{value:.0f} {unit}".rstrip()


def cost_rows(full: Cost, chosen: Cost) -> list[list[str]]:
    """Quantity, full model, this skip set, and how many times less."""
    lines = (
        ("prefill", full.flops_prefill, chosen.flops_prefill, "FLOPs"),
        ("each generated token", full.flops_per_token, chosen.flops_per_token, "FLOPs"),
        ("KV cache of the prompt", full.kv_bytes, chosen.kv_bytes, "B"),
        ("active parameters", full.active_parameters, chosen.active_parameters, ""),
    )
    return [[name, quantity(a, unit), quantity(b, unit), ratio(a, b)] for name, a, b, unit in lines]


def speedup_sentence(full: Cost, chosen: Cost) -> str:
    """The predicted prefill speed-up, and what kind of number it is."""
    return f"Predicted prefill speed-up {chosen.speedup_over(full):.2f}×: arithmetic, not a measured time."


def ratio(full: float, chosen: float) -> str:
    """Full model / this skip set: above 1 is less; "–" if nothing is left."""
    return f"{full / chosen:.2f}×" if chosen else "–"


def proposal_sentence(proposal: Proposal) -> str:
    """What a method proposes, from how much."""
    made = proposal.provenance
    scored = f", lowest of {len(proposal.candidates)} by {proposal.unit}" if proposal.candidates else ""
    questions = f"on {len(made.samples)} questions{f' of {made.task}' if made.task else ''}"
    return f"{proposal.method} proposes: {proposal.skipset} ({questions}{scored})."


def named(layers: Iterable[int]) -> str:
    """Layers as a skip set writes them: "layer 3" or "layers 0-3+5"."""
    written = str(SkipSet.whole(layers)).removeprefix("whole ")
    return f"layer{'' if written.isdigit() else 's'} {written}"


def skipped_layers(skipset: SkipSet) -> tuple[int, ...]:
    """Layers at which the vision tokens are not computed."""
    return tuple(i for i in range(len(skipset.head)) if skipset.action(i, "vision") in SKIPPED)


def broken_conditions(reason: LayerReason) -> str:
    """The conditions a layer does not meet: "", "1", "2" or "1 2"."""
    return " ".join(sign for sign, is_met in (("1", reason.is_redundant), ("2", reason.is_flow_low)) if not is_met)


def conditions_sentence(skipset: SkipSet, recommendation: Recommendation | None) -> tuple[str, bool]:
    """Say which chosen layers break the paper's conditions, and whether all is well."""
    chosen = skipped_layers(skipset)
    if not chosen:
        return "No vision tokens are skipped.", True
    if recommendation is None:
        return "The paper's conditions are not known here: give the builder a profile.", True
    reasons = [recommendation.reasons[layer] for layer in chosen]
    moved = [r.layer for r in reasons if not r.is_redundant]
    read = [r.layer for r in reasons if not r.is_flow_low]
    if not moved and not read:
        return f"Both conditions hold at {named(chosen)}, where vision tokens are skipped.", True
    parts = []
    if moved:
        parts.append(f"condition 1 at {named(moved)}: vision tokens still move there (not redundant)")
    if read:
        parts.append(f"condition 2 at {named(read)}: the text still reads the image there (flow)")
    return f"This set breaks {'; and '.join(parts)}.", False


def thresholds_sentence(recommendation: Recommendation) -> str:
    """The thresholds behind the conditions, which are choices of ours, not the paper's."""
    r = recommendation
    flow = f"≤ {r.max_var:g}" if r.max_var is not None else f"below chance at each layer (level {r.level:g})"
    tail = f" or P[d > {r.epsilon:.3g}] ≤ {r.max_tail:.3g}" if r.max_tail >= 0 else ""
    return (
        f"Condition 1, redundant: distance ≤ {r.max_distance:.3g}{tail}. "
        f"Condition 2, flow low: VAR {flow}. Measured on {len(r.provenance.samples)} questions"
        f"{f' of {r.provenance.task}' if r.provenance.task else ''}."
    )
