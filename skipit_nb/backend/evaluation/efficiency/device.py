"""What a device tells of itself: when its work is done, memory at its peak, joules, and what slows it down."""

from __future__ import annotations

from typing import Protocol

import torch

from skipit_nb.backend.evaluation.efficiency.nvml import Nvml


class Device(Protocol):
    """A place that can be measured. What it cannot tell it says why."""

    no_peak: str
    """Why there is no peak of memory; "" if there is one."""
    no_energy: str
    """Why there are no joules; "" if there are some."""
    no_health: str
    """Why nothing is known of clocks and temperature; "" if something is."""

    def synchronise(self) -> None:
        """Wait until all work is done."""

    def begin_peak(self) -> int:
        """Forget earlier peaks of memory; the bytes in use now."""

    def peak(self) -> int:
        """The most bytes in use since `begin_peak`."""

    def joules(self) -> float:
        """Energy used so far, counted from some fixed moment."""

    def slowed_by(self) -> tuple[str, ...]:
        """What holds the clock down right now, such as "heat"; empty if nothing does."""

    def health(self) -> str:
        """Clock and temperature in words."""


class Plain:
    """The CPU, and Apple's MPS: they can be waited for and tell nothing else."""

    def __init__(self, device: torch.device) -> None:
        self._is_mps = device.type == "mps"
        self.no_peak = f"PyTorch keeps no peak of memory in use on {device.type}"
        self.no_energy = f"PyTorch cannot ask {device.type} for the energy it used"
        self.no_health = f"no clocks or temperatures to ask for on {device.type}"

    def synchronise(self) -> None:
        """Wait until all work is done."""
        if self._is_mps:
            torch.mps.synchronize()

    def begin_peak(self) -> int:
        """Not to be had."""
        raise RuntimeError(self.no_peak)

    def peak(self) -> int:
        """Not to be had."""
        raise RuntimeError(self.no_peak)

    def joules(self) -> float:
        """Not to be had."""
        raise RuntimeError(self.no_energy)

    def slowed_by(self) -> tuple[str, ...]:
        """Not to be had."""
        raise RuntimeError(self.no_health)

    def health(self) -> str:
        """Not to be had."""
        raise RuntimeError(self.no_health)


class Card:
    """One CUDA device."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._nvml, why_not = Nvml.of(str(torch.cuda.get_device_properties(device).uuid))
        self.no_peak, self.no_energy, self.no_health = "", why_not, why_not
        if self._nvml and not self._nvml.counts_energy:
            self.no_energy = "this card keeps no count of its energy"

    def synchronise(self) -> None:
        """Wait until all work is done."""
        torch.cuda.synchronize(self._device)

    def begin_peak(self) -> int:
        """Forget earlier peaks of memory; the bytes in use now."""
        self.synchronise()
        torch.cuda.reset_peak_memory_stats(self._device)
        return torch.cuda.memory_allocated(self._device)

    def peak(self) -> int:
        """The most bytes in use since `begin_peak`."""
        self.synchronise()
        return torch.cuda.max_memory_allocated(self._device)

    def joules(self) -> float:
        """Energy used since the driver was loaded, by everyone."""
        return self._known.joules()

    def slowed_by(self) -> tuple[str, ...]:
        """What holds the clock down right now."""
        return self._known.slowed_by()

    def health(self) -> str:
        """Clock and temperature in words."""
        return self._known.health()

    @property
    def _known(self) -> Nvml:
        if self._nvml is None:
            raise RuntimeError(self.no_health)
        return self._nvml


def device_of(device: torch.device) -> Device:
    """The device behind PyTorch's name."""
    return Card(device) if device.type == "cuda" else Plain(device)
