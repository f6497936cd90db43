"""A result with round numbers, and a device that says what it is told."""

from __future__ import annotations

from skipit_nb import SkipSet
from skipit_nb.results import Conditions, Efficiency, EfficiencyRow, Expectation, Provenance
from skipit_nb.results.efficiency import FIXED, FREE

TIMES = {
    "preprocess time": (2.0, 2.0),
    "vision time": (5.0, 5.0),
    "prefill time": (20.0, 10.0),
    "time to first token": (30.0, 20.0),
    "time per token": (5.0, 4.0),
    "total time": (70.0, 52.0),
}
MADE = Provenance("tiny", "", 12, "float32", "cpu", "sdpa", task="digits-vqa/test", samples=("one", "two"))


def row(name, a, b, unit="ms", mode=FIXED, **more):
    ratio = a / b if a and b else None
    values = {"low": ratio and ratio * 0.9, "high": ratio and ratio * 1.1, "method": "planted"} | more
    given = {"name": name, "mode": mode, "unit": unit, "a": a, "b": b, "ratio": ratio}
    none = dict.fromkeys(("quartiles_a", "quartiles_b", "predicted_a", "predicted_b"))
    return EfficiencyRow(**none | given | values)


def efficiency(times=TIMES):
    rows = [row(name, *pair) for name, pair in times.items()]
    rows += [row("total time", 33.0, 30.0, mode=FREE), row("new tokens", 2.0, 3.0, "tokens", FREE)]
    rows += [row("prefill FLOPs", 4.0, 2.0, "GFLOPs", "", low=2.0, high=2.0, predicted_a=4.0, predicted_b=2.0)]
    rows += [row("energy", None, None, "J", method="nobody counts it")]
    skipsets = [SkipSet.parse(text, num_layers=12) for text in ("none", "whole 3")]
    expected = Expectation("time to first token", 1 / 3, 2.0, 1.5, 1.5)
    return Efficiency(MADE, *skipsets, tuple(rows), (expected,), Conditions(1, 2, 0.5))


class Told:
    """A device whose memory, energy and clock are told beforehand."""

    no_peak = no_energy = no_health = ""

    def __init__(self, peaks=(), joules=(), slowed=()):
        self.peaks, self.readings, self.slowed = iter(peaks), iter(joules), slowed
        self.waited = 0

    def synchronise(self):
        self.waited += 1

    def begin_peak(self):
        return 1_000_000

    def peak(self):
        return next(self.peaks)

    def joules(self):
        return next(self.readings)

    def slowed_by(self):
        return self.slowed

    def health(self):
        return "1980 MHz at 45 °C"
