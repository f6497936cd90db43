"""A robustness result with known answers, as a backend would give it: twelve layers, two perturbations."""

from skipit_nb.results import LayerCorrelation, LayerOrder, PerturbedDistance, Robustness, RobustnessRow
from skipit_nb.skipset import SkipSet
from tests.charts.sample_results import NUM_LAYERS, VISION, provenance

TRIED = {"noise": (0.05, 0.1), "pgd": (2 / 255, 4 / 255)}
CONDITIONS = [("clean", 0.0), *((kind, severity) for kind, values in TRIED.items() for severity in values)]
FULL = SkipSet.none(num_layers=NUM_LAYERS)


def robustness(count: int = NUM_LAYERS, attack: str = "against the full model") -> Robustness:
    """Each step of severity costs the full model 10 points, and a set at layer l one point more for each layer before
    the last; distances grow by a tenth a step. ρ at layer l is l / 20, with an interval at even layers.
    """
    arms = [FULL, *(SkipSet.absent(layer, num_layers=NUM_LAYERS) for layer in range(count))]
    steps = {(kind, value): at for kind, values in TRIED.items() for at, value in enumerate(values, start=1)}
    steps["clean", 0.0] = 0
    rows = tuple(
        _row(condition, arm, steps[condition], number) for condition in CONDITIONS for number, arm in enumerate(arms)
    )
    layers = tuple(
        PerturbedDistance(*condition, layer, distance * (1 + steps[condition] / 10), 0.1 * distance)
        for condition in CONDITIONS
        for layer, distance in enumerate(VISION)
    )
    by_layer = tuple(
        LayerCorrelation(*condition, layer, FULL, outcome, layer / 20, *_ends(layer), 12 if layer % 2 == 0 else 9)
        for condition in CONDITIONS[1:]
        for outcome in ("accuracy", "log_likelihood")
        for layer in range(NUM_LAYERS)
    )
    orders = tuple(
        LayerOrder(*condition, 1.0, 0.9, 1.0, "vision absent", 0.3, -0.2, 0.7) for condition in CONDITIONS[1:]
    )
    return Robustness(provenance(), rows, layers, by_layer, orders, attack)


def _row(condition: tuple[str, float], arm: SkipSet, step: int, number: int) -> RobustnessRow:
    at_clean = 0.97 if arm.is_empty else 0.96 - 0.01 * (NUM_LAYERS - number)
    delta = -0.1 * step
    return RobustnessRow(*condition, arm, at_clean + delta, delta, delta - 0.03, delta + 0.03, 6 * step, 0, 0.0, -0.2)


def _ends(layer: int) -> tuple[float | None, float | None]:
    return (layer / 20 - 0.1, layer / 20 + 0.1) if layer % 2 == 0 else (None, None)
