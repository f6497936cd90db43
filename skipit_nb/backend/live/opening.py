"""Open a checkpoint from a folder or the Hub, on the best device there is, or say clearly why not."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import torch
import transformers
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from skipit_nb.errors import (
    BrokenInstallError,
    BrokenWeightsError,
    DeviceError,
    ModelNotFoundError,
    NotAVisionLanguageModelError,
)

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def open_checkpoint(
    model: str, *, device: str | None = None, dtype: str | None = None, revision: str | None = None
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Load model and processor of a vision-language checkpoint. Never runs remote code, never reads pickles.

    Raises:
        ModelNotFoundError: If there is no such folder, or the id is neither cached nor downloadable.
        NotAVisionLanguageModelError: If the checkpoint is something else.
        BrokenWeightsError: If weights are missing, cut short or damaged.
        DeviceError: If device or dtype is not to be had here.
    """
    place = torch.device(device) if device and _is_available(device) else best_device()
    precision = _dtype(dtype, place)
    with _named_errors(model):
        _check_architecture(model, revision)
        with _quiet():
            loaded, info = AutoModelForImageTextToText.from_pretrained(
                model, dtype=precision, revision=revision, use_safetensors=True, output_loading_info=True
            )
            processor = AutoProcessor.from_pretrained(model, revision=revision)
    if missing := sorted(info["missing_keys"]):
        raise BrokenWeightsError(model, f"{len(missing)} tensors are missing, such as {missing[0]}")
    return loaded.to(place).eval(), processor


def best_device() -> torch.device:
    """CUDA if there is a card, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def available_devices() -> tuple[str, ...]:
    """The devices that this machine has, as PyTorch names them."""
    cards = tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
    return (*cards, *(("mps",) if torch.backends.mps.is_available() else ()), "cpu")


def _is_available(device: str) -> bool:
    known = available_devices()
    if device in known or (device == "cuda" and "cuda:0" in known):
        return True
    raise DeviceError(f"device {device!r}", known)


def _dtype(wanted: str | None, device: torch.device) -> torch.dtype:
    if wanted is None:
        if device.type == "cuda":
            return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        return torch.float32
    if wanted not in DTYPES:
        raise DeviceError(f"dtype {wanted!r}", DTYPES)
    return DTYPES[wanted]


def _check_architecture(model: str, revision: str | None) -> None:
    """Refuse what is not a model from image and text to text, before any weight is read."""
    folder = Path(model)
    looks_like_a_path = folder.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1
    if not folder.is_dir() and looks_like_a_path:
        raise ModelNotFoundError(model, "there is no such folder")
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ModelNotFoundError(model, "the folder has no config.json")
    config = AutoConfig.from_pretrained(model, revision=revision)
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise NotAVisionLanguageModelError(repr(model), f"transformers knows it as {config.model_type!r}")


@contextlib.contextmanager
def _named_errors(model: str) -> Iterator[None]:
    """Turn what transformers and safetensors raise into errors that say what to do."""
    try:
        yield
    except (ModelNotFoundError, NotAVisionLanguageModelError):
        raise
    except (SafetensorError, EOFError) as error:
        raise BrokenWeightsError(model, str(error)) from error
    except (OSError, json.JSONDecodeError, ValueError) as error:
        raise ModelNotFoundError(model, _first_line(error)) from error
    except RuntimeError as error:
        if "torchvision" in str(error):
            raise BrokenInstallError(
                "torchvision is installed but does not match torch, and takes transformers' processors down with it",
                "Uninstall it: pip uninstall torchvision. Nothing here needs it.",
            ) from error
        raise BrokenWeightsError(model, _first_line(error)) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars or weight reports of transformers while loading; the user's settings come back."""
    shown = transformers.utils.logging.is_progress_bar_enabled()
    level = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers.utils.logging.set_verbosity(level)
        if shown:
            transformers.utils.logging.enable_progress_bar()
