"""Where a model runs, and in which number format: what this machine has, and what a device map says."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

import torch
from torch import nn

from skipit_nb.errors import DeviceError, MissingPackageError, SettingError

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}

DeviceMap = str | Mapping[str, str | int]
"""The name of a way to spread a model, or for each module (by its dotted name, "" for all) a device or "disk"."""

WAYS_TO_SPREAD = ("auto", "balanced", "balanced_low_0", "sequential")


def best_device() -> torch.device:
    """CUDA if there is a card, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def available_devices() -> tuple[str, ...]:
    """The devices that this machine has, as PyTorch names them."""
    cards = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    return (*cards, *(("mps",) if torch.backends.mps.is_available() else ()), "cpu")


def main_device(device: str | None, device_map: DeviceMap | None) -> torch.device:
    """The device that most of the model runs on.

    Raises:
        DeviceError: If a named device is not there.
        SettingError: If both arguments are given, or the map is no map.
        MissingPackageError: If there is a map, but not the package that follows it.
    """
    if device_map is None:
        return named_device(device) if device else best_device()
    if device is not None:
        raise SettingError("device", device, "left out where device_map says what goes where")
    if find_spec("accelerate") is None:
        raise MissingPackageError("accelerate", "device_map", "pip install 'skipit-nb[gpu]'")
    if isinstance(device_map, Mapping) and device_map:
        places = [named_device(place) for place in device_map.values() if place != "disk"]
        return next((place for place in places if place.type != "cpu"), torch.device("cpu"))
    if device_map not in WAYS_TO_SPREAD:
        ways = ", ".join(map(repr, WAYS_TO_SPREAD))
        raise SettingError("device_map", device_map, f"{ways} or a dict of module names; one device is device='cpu'")
    return best_device()


def number_format(wanted: str | None, device: torch.device) -> torch.dtype:
    """The number format asked for; without a wish what suits the device: half precision on a card, else float32.

    Raises:
        DeviceError: If there is no such format, or this card does not compute in it.
    """
    is_card = device.type == "cuda"
    # Older cards only emulate bfloat16, slowly.
    has_bfloat16 = not is_card or torch.cuda.is_bf16_supported(including_emulation=False)
    if wanted is None:
        return (torch.bfloat16 if has_bfloat16 else torch.float16) if is_card else torch.float32
    if wanted not in DTYPES:
        raise DeviceError(f"dtype {wanted!r}", DTYPES)
    if wanted == "bfloat16" and not has_bfloat16:
        card = torch.cuda.get_device_name(device)
        raise DeviceError(f"dtype 'bfloat16', which {card} does not compute in,", ("float16", "float32"))
    return DTYPES[wanted]


def running_device(module: nn.Module) -> torch.device:
    """The device that a module runs on, also where its weights wait elsewhere until they are called for."""
    hook = getattr(module, "_hf_hook", None)
    for part in getattr(hook, "hooks", (hook,)):
        if (place := getattr(part, "execution_device", None)) is not None:
            return torch.device(place)
    return next(module.parameters()).device


def places_of(model: nn.Module) -> tuple[str, ...]:
    """Every place that a spread model has parts in, as PyTorch names devices, and "disk"; none for any other model."""
    spread: Mapping[str, object] = getattr(model, "hf_device_map", None) or {}
    return tuple(sorted({_name(place) for place in spread.values()}))


def named_device(device: str | int) -> torch.device:
    """The device of that name or number.

    Raises:
        DeviceError: If it is not there.
    """
    name, known = _name(device), available_devices()
    if name in known or (name == "cuda" and "cuda:0" in known):
        return torch.device(name)
    raise DeviceError(f"device {device!r}", known)


def _name(place: object) -> str:
    return f"cuda:{place}" if isinstance(place, int) else str(place)
