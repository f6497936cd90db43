"""Open a checkpoint from a folder or the Hub, on the best device there is, or say clearly why not."""

from __future__ import annotations

import contextlib
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    PreTrainedConfig,
    PreTrainedModel,
    ProcessorMixin,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING

from skipit_nb.backend.live.placement import DeviceMap, main_device, number_format
from skipit_nb.backend.live.processors import open_processor
from skipit_nb.backend.live.quiet import quiet_transformers
from skipit_nb.errors import (
    BrokenInstallError,
    BrokenWeightsError,
    ModelNotFoundError,
    NotAVisionLanguageModelError,
    SettingError,
    SkipitError,
)


def open_checkpoint(
    model: str,
    *,
    device: str | None = None,
    dtype: str | None = None,
    revision: str | None = None,
    device_map: DeviceMap | None = None,
    offload_folder: str | Path | None = None,
    attn_implementation: str | None = None,
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Load model and processor of a vision-language checkpoint. Never runs remote code, never reads pickles.

    Args:
        model: A folder or a Hugging Face id.
        device: Where the model runs; by default the best there is.
        dtype: Number format; by default what suits the device.
        revision: Commit or branch of a Hugging Face id.
        device_map: Spreads the model over several devices, CPU memory and disk.
        offload_folder: Where parts on "disk" are written if the checkpoint cannot be read in place.
        attn_implementation: The attention transformers should use; by default it chooses.

    Raises:
        ModelNotFoundError: If there is no such folder, or the id is neither cached nor downloadable.
        NotAVisionLanguageModelError: If the checkpoint is something else.
        BrokenWeightsError: If weights are missing, cut short or damaged.
        DeviceError: If a device or dtype is not to be had here.
        SettingError: If the device map or the attention implementation is not one for this model and machine.
        MissingPackageError: If a package is missing that the device map or this family's processor needs.
    """
    precision = number_format(dtype, place := main_device(device, device_map))
    with _named_errors(model):
        config = _vision_language_config(model, revision)
        options = {"revision": revision, "dtype": precision, **_attention(config, attn_implementation)}
        with quiet_transformers():
            processor = open_processor(model, revision=revision)
            if device_map is None:
                return _weights(model, **options).to(place).eval(), processor
            with _named_map_errors(device_map):
                spread = _weights(model, **options, device_map=device_map, offload_folder=offload_folder)
            return spread.eval(), processor


def _weights(model: str, **options: Any) -> PreTrainedModel:
    loaded, info = AutoModelForImageTextToText.from_pretrained(
        model, use_safetensors=True, trust_remote_code=False, output_loading_info=True, **options
    )
    if missing := sorted(info["missing_keys"]):
        raise BrokenWeightsError(model, f"{len(missing)} tensors are missing, such as {missing[0]}")
    return cast("PreTrainedModel", loaded)


def _attention(config: PreTrainedConfig, wanted: str | None) -> dict[str, str]:
    """The keyword for an attention implementation, tried on a model without weights: reading them takes minutes."""
    if wanted is None:
        return {}
    try:
        with torch.device("meta"), quiet_transformers():
            AutoModelForImageTextToText.from_config(config, attn_implementation=wanted)
    except (ImportError, ValueError) as error:
        expected = f"'eager', 'sdpa' or another one that this model and this machine have ({_first_line(error)})"
        raise SettingError("attn_implementation", wanted, expected) from error
    return {"attn_implementation": wanted}


def _vision_language_config(model: str, revision: str | None) -> PreTrainedConfig:
    """Its configuration; refuse what is not a model from image and text to text, before any weight is read."""
    folder = Path(model)
    looks_like_a_path = folder.is_absolute() or model.startswith((".", "~")) or model.count("/") > 1
    if not folder.is_dir() and looks_like_a_path:
        raise ModelNotFoundError(model, "there is no such folder")
    if folder.is_dir() and not (folder / "config.json").is_file():
        raise ModelNotFoundError(model, "the folder has no config.json")
    config = AutoConfig.from_pretrained(model, revision=revision, trust_remote_code=False)
    if type(config) not in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING:
        raise NotAVisionLanguageModelError(repr(model), f"transformers knows it as {config.model_type!r}")
    return config


@contextlib.contextmanager
def _named_errors(model: str) -> Iterator[None]:
    """Turn what transformers and safetensors raise into errors that say what to do."""
    try:
        yield
    except SkipitError:
        raise
    except (SafetensorError, EOFError) as error:
        raise BrokenWeightsError(model, str(error)) from error
    except (OSError, json.JSONDecodeError, ValueError) as error:
        raise ModelNotFoundError(model, _first_line(error)) from error
    except RuntimeError as error:
        if "torchvision" in str(error):
            raise BrokenInstallError(
                "torchvision is installed but does not match torch, and takes transformers' processors down with it",
                "Uninstall it, pip uninstall torchvision, or install the build that matches; few families need it.",
            ) from error
        raise BrokenWeightsError(model, _first_line(error)) from error


@contextlib.contextmanager
def _named_map_errors(device_map: DeviceMap) -> Iterator[None]:
    """Turn what transformers and accelerate say of a map that does not fit into an error about the map.

    By then configuration and processor were read, so a value that is wrong is one of the map's.
    """
    try:
        yield
    except ValueError as error:
        why = textwrap.shorten(_first_line(error), 200)
        expected = f"a map that names every module of this model once, itself or one that holds it ({why})"
        raise SettingError("device_map", device_map, expected) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
