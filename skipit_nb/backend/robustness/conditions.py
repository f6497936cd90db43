"""Which perturbations are tried, and how strongly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from skipit_nb.backend.robustness.adversarial import STEPS
from skipit_nb.backend.robustness.corruptions import CORRUPTIONS
from skipit_nb.errors import SettingError
from skipit_nb.results.robustness import CLEAN

DEFAULTS: dict[str, tuple[float, ...]] = {
    "noise": (0.03, 0.1, 0.2),
    "blur": (0.5, 1.0, 2.0),
    "occlusion": (0.1, 0.25, 0.5),
    "fgsm": (2 / 255, 4 / 255, 8 / 255),
    "pgd": (2 / 255, 4 / 255, 8 / 255),
}
"""Kind → severities. Noise of 0.03 is as large as an attack of 8 / 255: what it does not do, the gradient does."""

MOST = {"noise": 1.0, "blur": math.inf, "occlusion": 1.0, "fgsm": 1.0, "pgd": 1.0}
"""The largest severity that means something."""

Wanted = Mapping[str, Sequence[float]] | Iterable[str] | None
"""Kinds with their severities, or kinds alone; None for all of `DEFAULTS`."""


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One way to perturb an image."""

    kind: str = CLEAN
    severity: float = 0.0
    """In the unit of `results.robustness.SEVERITY_UNITS`."""

    @property
    def is_corruption(self) -> bool:
        """Whether it needs the image only."""
        return self.kind in CORRUPTIONS

    @property
    def is_attack(self) -> bool:
        """Whether it needs the model's gradient."""
        return self.kind in STEPS


def conditions(wanted: Wanted = None) -> tuple[Perturbation, ...]:
    """The clean images, then every kind at every severity, ascending.

    Raises:
        SettingError: If there is none, a kind is unknown, or a severity is out of range.
    """
    asked = _severities(DEFAULTS if wanted is None else wanted)
    found = [
        Perturbation(kind, value)
        for kind, values in asked.items()
        for value in sorted({_checked(kind, value) for value in values})
    ]
    if not found:
        raise SettingError("perturbations", wanted, f"some of {', '.join(DEFAULTS)}, each with a severity")
    return (Perturbation(), *found)


def _severities(wanted: Mapping[str, Sequence[float]] | Iterable[str]) -> dict[str, Sequence[float]]:
    if isinstance(wanted, str):
        raise SettingError("perturbations", wanted, f"a tuple such as ({wanted!r},), or kinds with their severities")
    kinds = list(wanted)
    for kind in kinds:
        if kind not in DEFAULTS:
            raise SettingError("perturbations", kind, f"some of {', '.join(DEFAULTS)}")
    asked = dict(wanted) if isinstance(wanted, Mapping) else {kind: DEFAULTS[kind] for kind in kinds}
    for kind, severities in asked.items():
        if isinstance(severities, str) or not isinstance(severities, Iterable):
            raise SettingError(f"the severities of {kind}", severities, f"a tuple, such as {DEFAULTS[kind]}")
    return asked


def _checked(kind: str, severity: float) -> float:
    """The severity as a number.

    Raises:
        SettingError: If it is none, or out of range. 0 is too: the clean images are always tried.
    """
    is_number = isinstance(severity, int | float) and not isinstance(severity, bool)
    if not is_number or not math.isfinite(severity) or not 0 < severity <= MOST[kind]:
        upto = f" and at most {MOST[kind]:g}" if math.isfinite(MOST[kind]) else ""
        raise SettingError(f"the severity of {kind}", severity, f"a number above 0{upto}")
    return float(severity)
