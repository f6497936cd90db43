"""Results with known answers, as a backend would give them: twelve layers, shaped like the model in the box."""

import math

from PIL import Image

from skipit_nb.results import (
    EPSILONS,
    BandDistance,
    BandDistances,
    Comparison,
    EqualCost,
    EqualCostRow,
    KindDelta,
    LayerDistance,
    LayerFlow,
    LayerReason,
    Metric,
    PairedAnswer,
    Provenance,
    Recommendation,
    RedundancyProfile,
    Sweep,
    SweepRow,
    TokenDistances,
    Verdict,
)
from skipit_nb.skipset import SkipSet
from skipit_nb.tokendrop import TokenDrop

VISION = (0.007, 0.007, 0.007, 0.004, 0.018, 0.006, 0.009, 0.004, 0.004, 0.004, 0.003, 0.003)
TEXT = (0.228, 0.095, 0.069, 0.038, 0.089, 0.028, 0.023, 0.017, 0.008, 0.008, 0.007, 0.014)
FIRST = (0.4, 0.02, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.0)
VAR = (0.62, 0.55, 0.48, 0.41, 0.35, 0.22, 0.12, 0.08, 0.06, 0.05, 0.05, 0.04)
NUM_LAYERS = len(VISION)


def provenance(num_layers: int = NUM_LAYERS, questions: int = 64) -> Provenance:
    samples = tuple(f"q{i}" for i in range(questions))
    return Provenance("tiny", "", num_layers, "float32", "cpu", "sdpa", (), "easy-vqa", samples, 0)


def profile(questions: int = 64, *, with_flow: bool = True, model: str = "tiny") -> RedundancyProfile:
    """Distances as in `VISION`, `TEXT` and `FIRST`; tokens spread exponentially: P[d > ε] = exp(-ε / mean)."""
    rows = tuple(
        _layer(layer, tokens, distance[layer])
        for layer in range(NUM_LAYERS)
        for tokens, distance in (("vision", VISION), ("text", TEXT), ("first", FIRST))
    )
    flow = tuple(LayerFlow(layer, var, 0.05, 64 / 72) for layer, var in enumerate(VAR)) if with_flow else ()
    made = provenance(questions=questions)
    return RedundancyProfile(Provenance(**{**_fields(made), "model": model}), rows, flow)


def _fields(made: Provenance) -> dict[str, object]:
    return {name: getattr(made, name) for name in Provenance.__dataclass_fields__}


def _layer(layer: int, tokens: str, mean: float) -> LayerDistance:
    tail = tuple(math.exp(-epsilon / mean) if mean else 0.0 for epsilon in EPSILONS)
    return LayerDistance(layer, tokens, mean, 0.2 * mean, tail, norm=10.0, update=math.sqrt(2 * mean))


def token_distances(rows: int = 8, columns: int = 8, num_layers: int = NUM_LAYERS) -> TokenDistances:
    """One question; layer l moves vision token i by (l + 1) * i / 1000, and each text token by 0.1."""
    words = ("<s>", *("<image>",) * (rows * columns), "what", "color", "is", "the", "circle", "?")
    is_vision = tuple(word == "<image>" for word in words)
    distance = tuple(
        tuple((layer + 1) * (at - 1) / 1000 if seen else 0.1 for at, seen in enumerate(is_vision))
        for layer in range(num_layers)
    )
    return TokenDistances(provenance(num_layers, questions=1), words, is_vision, (rows, columns), distance)


def recommendation() -> Recommendation:
    reasons = tuple(
        LayerReason(
            layer,
            distance,
            tail=math.exp(-0.02 / distance),
            var=var,
            is_redundant=distance <= 0.005,
            is_flow_low=var <= 0.15,
            action="absent" if layer >= 7 else "run",
            why="measured",
        )
        for layer, (distance, var) in enumerate(zip(VISION, VAR, strict=True))
    )
    skipset = SkipSet.early_exit(7, num_layers=NUM_LAYERS)
    return Recommendation(provenance(), skipset, reasons, max_distance=0.005, epsilon=0.02, max_tail=0.1, max_var=0.15)


def paired(number: int, kind: str, a: float, b: float) -> PairedAnswer:
    said = {1.0: "red", 0.0: "blue"}
    key, image = f"q{number}", f"image-{number // 2}"
    return PairedAnswer(key, "what color is it?", "red", kind, image, said[a], said[b], a, b, True, True)


def comparison() -> Comparison:
    """40 colour questions (A 90 %, B 85 %) and 20 shape questions (A 80 %, B 90 %)."""
    colors = [paired(i, "color", float(i < 36), float(i < 34)) for i in range(40)]
    shapes = [paired(40 + i, "shape", float(i < 16), float(i < 18)) for i in range(20)]
    accuracy = Metric("accuracy", "share", 52 / 60, 52 / 60, "B - A", 0.0, -0.07, 0.07, "cluster bootstrap")
    verdict = Verdict("inconclusive", "Inconclusive: B is 0.0 points from A, within -7.0 to +7.0.", 0.01)
    none, b = SkipSet.none(num_layers=NUM_LAYERS), SkipSet.early_exit(7, num_layers=NUM_LAYERS)
    kinds = (
        KindDelta("color", 40, 0.9, 0.85, -0.05, -0.15, 0.05, 2, 0),
        KindDelta("shape", 20, 0.8, 0.9, 0.1, -0.05, 0.25, 0, 2),
    )
    return Comparison(provenance(), none, b, (*colors, *shapes), (accuracy,), kinds, verdict, 1.0, 0.09, 1.2)


def sweep(skipsets: list[SkipSet], accuracies: list[float], baseline: float = 0.97) -> Sweep:
    rows = tuple(
        SweepRow(
            skipset, accuracy, accuracy - baseline, accuracy - baseline - 0.02, accuracy - baseline + 0.02, 5, 1, 1.2
        )
        for skipset, accuracy in zip(skipsets, accuracies, strict=True)
    )
    return Sweep(provenance(), baseline, rows)


def entries_and_exits() -> Sweep:
    """Late entry at 0..12, then early exit at 0..12, with the accuracies of the field guide."""
    entry = [0.97, 0.909, 0.862, 0.825, 0.801, 0.771, 0.768, 0.685, 0.642, 0.606, 0.612, 0.612, 0.612]
    leave = [0.612, 0.708, 0.764, 0.816, 0.850, 0.938, 0.957, 0.962, 0.965, 0.967, 0.969, 0.970, 0.970]
    sets = [SkipSet.late_entry(k, num_layers=NUM_LAYERS) for k in range(13)]
    sets += [SkipSet.early_exit(k, num_layers=NUM_LAYERS) for k in range(13)]
    return sweep(sets, entry + leave)


def band_distances() -> BandDistances:
    """Each band turns the last token by its length times the boundary behind it / 200 of π: late bands turn more."""
    bands = [(start, stop) for start in range(NUM_LAYERS) for stop in range(start + 1, NUM_LAYERS + 1)]
    angles = [stop * (stop - start) / 200 for start, stop in bands]
    rows = tuple(
        BandDistance(start, stop, "last", angle, 1 - math.cos(math.pi * angle))
        for (start, stop), angle in zip(bands, angles, strict=True)
    )
    return BandDistances(provenance(), rows)


def picture(size: int = 64) -> Image.Image:
    """A red square on a pale ground."""
    image = Image.new("RGB", (size, size), (235, 235, 220))
    image.paste((200, 30, 30), (size // 3, size // 3, 2 * size // 3, 2 * size // 3))
    return image


def equal_cost() -> EqualCost:
    """Methods at one cost: an exit that loses nothing, a token drop that loses a point, a control that loses ten."""
    exits, whole = SkipSet.early_exit(7, num_layers=NUM_LAYERS), SkipSet.whole([3, 7], num_layers=NUM_LAYERS)
    rows = (
        EqualCostRow("vtw", exits, None, 1.5, 0.97, 0.0, -0.01, 0.01, 1.0),
        EqualCostRow("fastv", None, TokenDrop.fastv(2, drop=0.4), 1.41, 0.96, -0.01, -0.03, 0.01, 0.6),
        EqualCostRow("random (like shortgpt)", whole, None, 1.5, 0.87, -0.1, -0.14, -0.06, 0.001),
    )
    return EqualCost(provenance(), 1.4, 60, 0.97, rows, (("shortv", "it saves at most a factor of 1.30"),))
