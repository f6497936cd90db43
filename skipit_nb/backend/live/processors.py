"""Processors, also where torchvision is missing: then the family's own class, for images and text only.

Many families of transformers give their processor a third part, for videos, which needs torchvision; without it the
whole processor fails to load. We need images and text, so `open_processor` then builds the family's class without that
part. It finds the class and the part by structure, and changes neither.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoProcessor, ProcessorMixin
from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES, processor_class_from_name
from transformers.utils import cached_file, is_torchvision_available

from skipit_nb.errors import MissingPackageError

_NAMED_IN = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")
"""The files that may name the processor's class, the strongest first."""

_REFUSALS = (ImportError, OSError, ValueError, AttributeError)
"""What transformers raises for a part that is missing; a checkpoint saved without videos has no file for them."""


def open_processor(model: str, *, revision: str | None = None) -> ProcessorMixin:
    """Load a checkpoint's processor; for images and text only where its part for videos cannot be had.

    Args:
        model: A folder or a Hugging Face id.
        revision: Commit or branch of a Hugging Face id.

    Returns:
        An instance of the family's processor class. Without torchvision a family with videos refuses those.

    Raises:
        MissingPackageError: If this family cannot read even an image without torchvision.
        ValueError: If the checkpoint names no processor that transformers knows. Files that are missing or broken
            raise what transformers raises.
    """
    try:
        processor = AutoProcessor.from_pretrained(model, revision=revision, trust_remote_code=False)
    except _REFUSALS as error:
        processor = _image_only(model, revision, error)
    if not isinstance(processor, ProcessorMixin):
        raise ValueError("its files name no processor that transformers knows")  # noqa: TRY004  the files' fault
    return processor


def _image_only(model: str, revision: str | None, first: Exception) -> ProcessorMixin:
    """The family's processor without its part for videos; the first error again if that was not the reason."""
    try:
        family = _family_class(model, revision)
        named_alike: Any = type(family.__name__, (family, WithoutVideo), {"__module__": family.__module__})
        with _not_asking_for_packages(family):
            options = {"revision": revision or "main", "trust_remote_code": False}
            processor: ProcessorMixin = named_alike.from_pretrained(model, **options)
            return processor
    except _REFUSALS as error:
        if not is_torchvision_available() and "torchvision" in str(error).lower():
            raise _needs_torchvision(f"the image processor of {model!r}") from error
        raise first from error


def _needs_torchvision(what: str) -> MissingPackageError:
    return MissingPackageError(
        "torchvision",
        what,
        f"the build of torchvision that matches torch {version('torch')}, from where torch came. Without it, bind the "
        "model alone, Session(model), and call session.model with ready tensors.",
    )


class _NoVideo:
    """Stands where a family keeps its part for videos: it has no settings, and says so when it is used."""

    def __getattr__(self, name: str) -> None:
        if name.startswith("__"):
            raise AttributeError(name)

    def __call__(self, *_: Any, **__: Any) -> None:
        raise _needs_torchvision("a video")


class WithoutVideo(ProcessorMixin):
    """Stands between a family's processor and the base class, and keeps the video part from both.

    The family's own code above it runs as ever; the base class below it loads, checks and saves the other parts only.
    """

    video_processor = _NoVideo()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = dict(zip(super().get_attributes(), args, strict=False)) | kwargs
        super().__init__(**{name: part for name, part in given.items() if not _is_for_video(name)})

    @classmethod
    def get_attributes(cls) -> list[str]:
        """The parts without the one for videos."""
        return [name for name in super().get_attributes() if not _is_for_video(name)]

    @classmethod
    def from_args_and_dict(cls, args: list[Any], processor_dict: dict[str, Any], **kwargs: Any) -> ProcessorMixin:
        """Hand the parts on by name: families order theirs differently, and one is missing."""
        parts = dict(zip(cls.get_attributes(), args, strict=True))
        settings = {name: value for name, value in processor_dict.items() if not _is_for_video(name)}
        return super().from_args_and_dict([], settings, **kwargs, **parts, video_processor=cls.video_processor)


def _is_for_video(name: str) -> bool:
    return name.endswith("video_processor")


def _family_class(model: str, revision: str | None) -> type[ProcessorMixin]:
    """The class that the checkpoint's files name, else the one that transformers pairs with its configuration."""
    name = next(filter(None, (_named_in(file, model, revision) for file in _NAMED_IN)), None)
    name = name or PROCESSOR_MAPPING_NAMES.get(_model_type(model, revision))
    family: type[ProcessorMixin] | None = processor_class_from_name(name) if name else None
    if family is None:
        raise ValueError(f"transformers has no processor named {name}")
    return _imported_without_torchvision(family) if getattr(family, "is_dummy", False) else family


def _model_type(model: str, revision: str | None) -> str:
    return str(AutoConfig.from_pretrained(model, revision=revision, trust_remote_code=False).model_type)


def _named_in(file: str, model: str, revision: str | None) -> str | None:
    path = cached_file(model, file, revision=revision, _raise_exceptions_for_missing_entries=False)
    return json.loads(Path(path).read_text(encoding="utf-8")).get("processor_class") if path else None


def _imported_without_torchvision(dummy: type[ProcessorMixin]) -> type[ProcessorMixin]:
    """The real class behind transformers' dummy: its module asks for torchvision, but what it does needs none.

    Such a module imports a helper from its family's torchvision image processor. The one for PIL has the same helper,
    so it stands in while the module is imported.
    """
    module = dummy.__module__.rpartition(".")[2]
    family = module.removeprefix("processing_")
    package = f"transformers.models.{family}"
    wanted = f"{package}.image_processing_{family}"
    sys.modules[wanted] = importlib.import_module(f"{package}.image_processing_pil_{family}")
    try:
        real: type[ProcessorMixin] = getattr(importlib.import_module(f"{package}.{module}"), dummy.__name__)
    finally:
        del sys.modules[wanted]
    return real


@contextlib.contextmanager
def _not_asking_for_packages(family: type[ProcessorMixin]) -> Iterator[None]:
    """Let a constructor pass that refuses to run without a package which only videos need.

    transformers keeps such a package's name as None in the module; for the time of the call it is something.
    """
    names = vars(sys.modules[family.__module__])
    missing = [name for name in inspect.unwrap(family.__init__).__code__.co_names if names.get(name, "") is None]
    names.update(dict.fromkeys(missing, object()))
    try:
        yield
    finally:
        names.update(dict.fromkeys(missing))
