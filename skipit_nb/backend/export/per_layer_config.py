"""transformers' own way to say that layers are skipped: `per_layer_config` in the decoder's configuration.

transformers 5.24 parses, validates and writes `{3: {"skip": ["attention", "mlp"]}}`, and no modelling code reads it. So
it is written only after a model built from it has been seen to skip; a test says when that day has come.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator
from typing import Any

from transformers import PreTrainedModel

from skipit_nb.backend.export.draft import Draft, whole_draft
from skipit_nb.backend.live.anatomy import Anatomy
from skipit_nb.skipset import SkipSet

PARTS = {"whole": ["attention", "mlp"], "attn": ["attention"], "mlp": ["mlp"]}


def reasons_against_parts(skipset: SkipSet) -> Iterator[str]:
    """What the form has no words for: kinds of tokens."""
    for layer, cell in enumerate(skipset.head):
        if cell.modalities:
            yield f"it knows layers, attention and MLP, but not '{', '.join(cell.clauses())}' (layer {layer})"


def per_layer_draft(model: PreTrainedModel, anatomy: Anatomy, skipset: SkipSet) -> Draft:
    """The whole model, whose configuration says which layers skip what."""
    copies: dict[int, Any] = {}
    config = copy.deepcopy(model.config, copies)
    decoder = copies.get(id(anatomy.decoder.config)) or config.get_text_config(decoder=True)
    said = decoder.to_dict().get("per_layer_config") or {}
    overrides = {int(layer): override for layer, override in said.items()}
    for layer, cell in enumerate(skipset.head):
        if cell.layer in PARTS:
            overrides[layer] = overrides.get(layer, {}) | {"skip": PARTS[cell.layer]}
    decoder.per_layer_config = overrides
    return dataclasses.replace(whole_draft(model, anatomy), config=config)
