"""What a family cannot do, or cannot be compared in, whatever is skipped. test_exclusions.py shows each to be so."""

from __future__ import annotations

from itertools import product

import transformers
from packaging.version import Version

IS_NEW = Version(transformers.__version__) >= Version("5.23")
"""The newest transformers was tried, and the oldest that we take; what is excluded between them nobody looked up."""

MIXED_UP = "generate hands the pictures of a prompt to the wrong beams"
ANYWAY_CACHED = "generate caches whatever it is told, so beams have no uncached reference"

WRITES_PREFIX = "without a cache, generate counts new tokens as prefix, which is read both ways"


def mixed_up(families: str, *prompts: str) -> Exclusions:
    return dict.fromkeys(product(families.split(), ["beams"], prompts), MIXED_UP)


Exclusions = dict[tuple[str, ...], str]
"""A family and values of other axes that it does not go with, and why."""

ANYWHERE: Exclusions = {
    ("instructblip", "several"): "reads its question for one picture only",
    ("instructblip_opt", "several"): "reads its question for one picture only",
    ("instructblip", "beams"): ANYWAY_CACHED,
    ("instructblip_opt", "beams"): ANYWAY_CACHED,
    ("paligemma2", "sdpa"): "sdpa attention cannot cap scores: refused by transformers, or another model",
    ("paligemma2", "static"): "transformers raises: 'dict' object has no attribute 'ndim'",
}
ON_NEWEST: Exclusions = mixed_up("glm4v phi4_multimodal", "padded", "several")
ON_OLDEST: Exclusions = {
    **mixed_up("internvl ovis2 aya_vision", "one"),
    **mixed_up(
        "llava llava_mistral llava_next llava_onevision mistral3 deepseek_vl deepseek_vl_hybrid janus internvl "
        "ovis2 aya_vision gemma3 gemma4 gemma4_unshared phi4_multimodal",
        "padded",
        "several",
    ),
    ("paligemma", "dynamic"): WRITES_PREFIX,
    ("paligemma", "static"): WRITES_PREFIX,
    ("paligemma2", "dynamic"): WRITES_PREFIX,
    ("gemma3", "static"): "transformers raises: index out of bounds",
    ("gemma4_unshared", "static"): "generation with a static cache differs from generation without one",
    ("mllama", "static"): "transformers raises: index_copy_(): index out of bounds",
}
EXCLUDED = ANYWHERE | (ON_NEWEST if IS_NEW else ON_OLDEST)

LATER = {"molmo2"}
"""Families that the oldest transformers does not have."""
