"""What NVIDIA's management library tells of one card: joules, clock, temperature, and what slows it down."""

from __future__ import annotations

import contextlib
from importlib import import_module
from typing import Any, Self

SLOWDOWNS = {0x08: "hardware slowdown", 0x20: "heat, by the driver", 0x40: "heat, by the hardware", 0x80: "power brake"}
"""Bits of NVML's clock event reasons that say a card runs below what it could. A power cap in force is none of them:
under full load that is usual."""

CLOCK_OF_SMS, TEMPERATURE_OF_GPU = 1, 0
"""NVML's numbers for what is asked."""


class Nvml:
    """One card, as the package nvidia-ml-py (module `pynvml`) shows it."""

    def __init__(self, pynvml: Any, handle: Any) -> None:
        self._pynvml, self._handle = pynvml, handle

    @classmethod
    def of(cls, uuid: str) -> tuple[Self | None, str]:
        """The card of this id, or None and why not."""
        try:
            pynvml = import_module("pynvml")
        except ImportError:
            return None, "energy, clocks and temperature need NVML: pip install nvidia-ml-py"
        try:
            pynvml.nvmlInit()
            return cls(pynvml, pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid.removeprefix('GPU-')}")), ""
        except pynvml.NVMLError as error:
            return None, f"NVML does not answer: {error}"

    @property
    def counts_energy(self) -> bool:
        """Whether the card counts joules (from the Volta generation on)."""
        with contextlib.suppress(self._pynvml.NVMLError):
            return self.joules() >= 0
        return False

    def joules(self) -> float:
        """Energy used since the driver was loaded."""
        return float(self._pynvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1000

    def slowed_by(self) -> tuple[str, ...]:
        """What holds the clock down right now; empty if nothing does."""
        bits = int(self._pynvml.nvmlDeviceGetCurrentClocksThrottleReasons(self._handle))
        return tuple(word for bit, word in SLOWDOWNS.items() if bits & bit)

    def health(self) -> str:
        """Clock and temperature in words."""
        clock = self._pynvml.nvmlDeviceGetClockInfo(self._handle, CLOCK_OF_SMS)
        heat = self._pynvml.nvmlDeviceGetTemperature(self._handle, TEMPERATURE_OF_GPU)
        return f"{clock} MHz at {heat} °C"
