"""What a search has to keep to: FLOPs or time to save, or accuracy to keep."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from skipit_nb.backend.evaluation.efficiency.device import device_of
from skipit_nb.backend.evaluation.efficiency.stopwatch import timed_answer
from skipit_nb.backend.selection.calibration import Calibration
from skipit_nb.errors import SettingError
from skipit_nb.results import SearchStep
from skipit_nb.skipset import SkipSet

TIMED_PROMPTS = 5
TURNS = "abba"


@dataclass(frozen=True, slots=True)
class Budget:
    """One of three, the others None."""

    speedup: float | None = None
    """Predicted FLOPs of the full model / those of the set, to reach."""
    latency: float | None = None
    """Measured time to the first token of the full model / that of the set, to reach on this device."""
    margin: float | None = None
    """Accuracy to lose at most, a share."""

    def __post_init__(self) -> None:
        given = {"speedup": self.speedup, "latency": self.latency, "margin": self.margin}
        if sum(value is not None for value in given.values()) != 1:
            raise SettingError(", ".join(given), tuple(given.values()), "one of the three")
        for name in ("speedup", "latency"):
            if given[name] is not None and not given[name] > 1:  # type: ignore[operator]
                raise SettingError(name, given[name], "above 1")
        if self.margin is not None and not 0 <= self.margin < 1:
            raise SettingError("margin", self.margin, "a share of at least 0 and below 1")

    def measured(self, step: SearchStep, data: Calibration) -> SearchStep:
        """The step with its time, where that is what is kept to."""
        if self.latency is None:
            return step
        return replace(step, latency_ratio=first_token_speedup(data, step.row.skipset))

    def is_eligible(self, step: SearchStep) -> bool:
        """Whether a search may go on from a set."""
        return self.margin is None or step.row.delta >= -self.margin

    def is_reached(self, step: SearchStep) -> bool:
        """Whether a set saves enough. A margin never is: the search goes on while anything is left to skip."""
        if self.latency is not None:
            return step.latency_ratio is not None and step.latency_ratio >= self.latency
        return self.speedup is not None and step.row.flops_ratio >= self.speedup

    def winner(self, steps: Sequence[SearchStep], score: Callable[[SearchStep], float]) -> SearchStep | None:
        """The best set that saves enough, or the cheapest that loses little enough; None if there is none."""
        if self.margin is None:
            return max(filter(self.is_reached, steps), key=score, default=None)
        within = filter(self.is_eligible, steps)
        return max(within, key=lambda step: (step.row.flops_ratio, score(step)), default=None)


def first_token_speedup(data: Calibration, skipset: SkipSet) -> float:
    """Time to the first token of the full model / under a set: median of a few prompts, each timed A B B A.

    From image and question to the first token, one prompt at a time, with the device waited for; the first prompt
    warms up and does not count.
    """
    live, device = data.live, device_of(data.live.device)
    arms = {"a": SkipSet.none(num_layers=data.num_layers), "b": skipset}
    ratios = []
    for example in [data.examples[0], *data.examples[:TIMED_PROMPTS]]:
        times: dict[str, list[float]] = {"a": [], "b": []}
        with live.lock:
            for arm in TURNS:
                timed = timed_answer(live, arms[arm], example, device, at_least=None, at_most=1)
                times[arm].append(timed.first_token)
        ratios.append(sum(times["a"]) / sum(times["b"]))
    return median(ratios[1:])
