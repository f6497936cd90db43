"""A reproduction with known answers, shaped like the model in the box."""

from skipit_nb.results import AgreementRow, BandAccuracy, Check, LayerEvidence, Reproduction
from skipit_nb.skipset import SkipSet
from tests.charts.sample_results import NUM_LAYERS, VAR, VISION, provenance

PREDICTED = SkipSet.late_entry(1, num_layers=NUM_LAYERS) | SkipSet.early_exit(9, num_layers=NUM_LAYERS)


def arm(role: str, skipset: SkipSet, accuracy: float, full: float = 0.95) -> BandAccuracy:
    delta = accuracy - full
    score = None if skipset.is_empty else 0.5
    return BandAccuracy(
        role, skipset, accuracy, accuracy - 0.03, accuracy + 0.03, delta, delta - 0.02, delta + 0.02, 4, 1, 0.1, score
    )


def arms() -> tuple[BandAccuracy, ...]:
    none = SkipSet.none(num_layers=NUM_LAYERS)
    bands = [SkipSet.absent(range(a, a + 4), num_layers=NUM_LAYERS) for a in range(9)]
    return (
        arm("full", none, 0.95),
        arm("predicted", PREDICTED, 0.96),
        arm("middle", bands[4], 0.7),
        *(arm("band", band, 0.5 + 0.05 * a) for a, band in enumerate(bands)),
    )


def reproduction() -> Reproduction:
    """One check of each outcome; of 64 questions 30 fixed the bands."""
    layers = tuple(
        LayerEvidence(i, d, 0.9 * d, 1.1 * d, v, v - 0.01, v + 0.01, 64 / 72)
        for i, (d, v) in enumerate(zip(VISION, VAR, strict=True))
    )
    ranking = AgreementRow("vision absent, 4 layers", "accuracy", "both", 9, 0.4, -0.1, 0.7, 0.6, 0.2)
    checks = (
        Check(1, "It holds", "a number", 1.5, 1.2, 1.8, 1.0, True, "Because."),
        Check(2, "It does not", "another", -0.3, -0.4, -0.2, 0.0, False, "Alas."),
        Check(3, "Who knows", "a third", None, None, None, -0.02, None, "Nothing was predicted."),
    )
    return Reproduction(
        provenance(), 30, 0.02, "", 0.4, PREDICTED, 4, layers, arms(), (ranking,), checks
    )  # fmt: skip
