"""Smol as a plain checkpoint: the language model with the trained part merged into it, put together once and kept."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.live.quiet import quiet_transformers
from skipit_nb.zoo import TRAINED_PART
from skipit_nb.zoo.smol.architecture import Backbone, make_model, make_processor, read_backbone
from skipit_nb.zoo.smol.backbone import backbone_file, backbone_version
from skipit_nb.zoo.smol.cache import made_once
from skipit_nb.zoo.smol.low_rank import merge_updates
from skipit_nb.zoo.smol.trained import read_trained

_FORM = "1"
"""Another one when what is written changes."""


def assembled(trained: Path) -> Path:
    """Give the folder of the whole checkpoint, as `from_pretrained` takes it; the first time, put it together.

    The first time takes some thirty seconds and 270 MB of disk.

    Args:
        trained: The folder of the trained part.

    Raises:
        MissingPackageError: If a package is missing; the message holds the line that installs it.
        BrokenWeightsError: If the trained part is damaged.
    """
    made_of = hashlib.sha256(f"{_FORM} {backbone_version()} {backbone_file().stat().st_size}".encode())
    made_of.update((trained / TRAINED_PART).read_bytes())
    return made_once(f"smol-{made_of.hexdigest()[:12]}", partial(_put_together, trained))


def merged(backbone: Backbone, trained: Path) -> LlavaForConditionalGeneration:
    """Give the whole model in float32, no update left beside a layer.

    Args:
        backbone: The language model; its weights become the model's.
        trained: The folder of the trained part.

    Raises:
        BrokenWeightsError: If the trained part is damaged.
    """
    model = make_model(backbone)
    read_trained(model, trained)
    merge_updates(model.model.language_model)
    return model.eval()


def _put_together(trained: Path, folder: Path) -> None:
    backbone = read_backbone()
    with quiet_transformers():
        merged(backbone, trained).half().save_pretrained(folder)
        make_processor(backbone.tokenizer).save_pretrained(folder)
