"""Results about the theory with known answers, as a backend would give them: twelve layers, two families, few codes."""

from skipit_nb.results import (
    SCORES,
    Agreement,
    AgreementRow,
    BoundRow,
    BoundsReport,
    Contribution,
    Functional,
    FunctionalRow,
    Information,
    InformationRow,
    Knockout,
    KnockoutRow,
    LayerContribution,
    LayerFlow,
    LayerSimilarity,
    PidRow,
    RedundancyProfile,
    Similarity,
)
from skipit_nb.results.information import PARTS
from tests.charts.sample_results import NUM_LAYERS, VAR, profile, provenance

BOUNDARIES = NUM_LAYERS + 1


def profile_with_heads(query: str = "last") -> RedundancyProfile:
    """As `profile`, with two heads a layer: 0.03 below and above the mean."""
    plain = profile()
    flow = tuple(LayerFlow(i, var, 0.05, 64 / 72, (var - 0.03, var + 0.03), query) for i, var in enumerate(VAR))
    return RedundancyProfile(plain.provenance, plain.layers, flow)


def knockout(width: int = 1, num_layers: int = NUM_LAYERS, *, with_likelihood: bool = True) -> Knockout:
    """Blind from layer l on costs VAR / 10 of accuracy, within 2 points, and VAR nats."""
    rows = tuple(
        KnockoutRow(
            start,
            start + width,
            kl=VAR[start],
            kl_spread=0.1,
            log_likelihood_drop=VAR[start] if with_likelihood else None,
            accuracy_drop=VAR[start] / 10,
            low=VAR[start] / 10 - 0.02,
            high=VAR[start] / 10 + 0.02,
            log_likelihood_low=VAR[start] - 0.1 if with_likelihood else None,
            log_likelihood_high=VAR[start] + 0.1 if with_likelihood else None,
        )
        for start in range(NUM_LAYERS - width + 1)
    )
    return Knockout(provenance(num_layers), 0.9, rows)


def contribution(noise_floor: float | None = None) -> Contribution:
    """Falls tenfold every third layer; text by 10 of vision, absent by twice of frozen; vision frozen last by 0."""
    rows = tuple(
        _contribution(layer, tokens, action, (1 if tokens == "vision" else 10) * (2 if action == "absent" else 1))
        for layer in range(NUM_LAYERS)
        for tokens in ("vision", "text")
        for action in ("frozen", "absent")
    )
    return Contribution(provenance(), rows, noise_floor)


def _contribution(layer: int, tokens: str, action: str, scale: float) -> LayerContribution:
    is_last = (layer, tokens, action) == (NUM_LAYERS - 1, "vision", "frozen")
    kl = 0.0 if is_last else scale * 10 ** (-layer / 3) / 10
    return LayerContribution(layer, tokens, action, kl, 2 * kl, kl / 2, 1 - min(kl, 1))


def information(*, with_pid: bool = True) -> Information:
    """Boundary l tells l / 10 nats, chance 0.05 times k / 2; of the parts only "unique_second" is above chance."""
    rows = tuple(
        InformationRow(boundary, view, k, quantity, boundary / 10, boundary / 10, k, 0.1, 0.0, 0.025 * k, 0.01)
        for quantity in ("told", "added")
        for view in ("vision", "text", "last")
        for k in (2, 4)
        for boundary in range(1 if quantity == "added" else 0, BOUNDARIES)
    )
    pid = tuple(
        PidRow(boundary, sources, view, 4, part, 0.3 if part == "unique_second" else 0.02, 0.02, 0.05)
        for sources, view in (("vision + text", ""), ("before + after", "last"))
        for boundary in range(1, BOUNDARIES)
        for part in PARTS
    )
    return Information(provenance(), 32, ("red", "blue"), rows, pid if with_pid else ())


def functional() -> Functional:
    """Log loss falls from 2.2 by 0.1 a layer, within 0.05; a chain everywhere but after layer 3 for the text."""
    rows = tuple(_functional(boundary, view) for view in ("vision", "text", "last") for boundary in range(BOUNDARIES))
    return Functional(provenance(), "logistic regression", 2.3, 0.9, rows)


def _functional(boundary: int, view: str) -> FunctionalRow:
    loss = 2.2 - 0.1 * boundary
    if boundary == 0:
        return FunctionalRow(0, view, loss, 0.8, 0.1)
    gain = 0.2 if (view, boundary) == ("text", 4) else 0.0
    chain = {"chain_gain": gain, "chain_low": gain - 0.1, "chain_high": gain + 0.1, "chain_p": 0.005 if gain else 0.5}
    return FunctionalRow(boundary, view, loss, 0.5, 0.1 + 0.1 * boundary, 0.1, 0.05, 0.15, 0.0, -0.1, 0.1, **chain)


def bounds_report() -> BoundsReport:
    """Tight on layer 0, loose by 10 l beyond, vacuous from layer 8 on; nothing measured on layer 1; one is broken."""
    rows = [
        BoundRow(layer, name, "I = 0.1", "gap", 0.0 if layer == 1 else 0.02, 0.02 * max(10 * layer, 1), 1.5, "nats")
        for name in ("geometric ⇒ proximal", "informational ⇒ functional", "proximal ⇒ informational")
        for layer in range(NUM_LAYERS)
    ]
    rows.append(BoundRow(4, "geometric ⇒ functional", "α ≥ 0.1", "change", 0.3, 0.2, 1.0, "share"))
    return BoundsReport(provenance(), "last", 8, 0.05, tuple(rows))


def agreement() -> Agreement:
    """Of whole layers the distance foretells the cost, the tail does not, VAR has no rank; early exits likewise."""
    made = {
        "distance": (0.8, 0.6, 0.9, 0.5, 0.003),
        "tail": (0.3, -0.1, 0.6, 0.5, 0.2),
        "VAR": (None, None, None, None, None),
        "LC": (0.9, 0.8, 0.95, 0.5, 0.001),
        "BI": (-0.4, -0.6, -0.1, 0.5, 0.9),
    }
    rows = tuple(
        AgreementRow(family, outcome, score, NUM_LAYERS, *made[score])
        for family in ("whole", "vision frozen", "late entry", "early exit")
        for outcome in ("accuracy", "log_likelihood")
        for score in SCORES
    )
    return Agreement(provenance(), 32, 0.02, rows, ())


def similarity() -> Similarity:
    """0.9 everywhere against 0.1 by chance; nothing to compare at layer 0."""
    layers = [LayerSimilarity(0, None, None), *(LayerSimilarity(layer, 0.9, 0.1) for layer in range(1, NUM_LAYERS))]
    return Similarity(provenance(), "cka", "vision", "pooled", 64, tuple(layers))
