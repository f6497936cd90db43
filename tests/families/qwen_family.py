"""The Qwen line and GLM-4.1V: pictures of any size, three axes of rotary positions, DeepStack, linear attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import (
    Glm4vConfig,
    Glm4vForConditionalGeneration,
    Glm4vTextConfig,
    PreTrainedConfig,
    PreTrainedModel,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLTextConfig,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLTextConfig,
    Qwen3_5Config,
    Qwen3_5ForConditionalGeneration,
    Qwen3_5TextConfig,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLTextConfig,
)

from tests.families.llava_like import FIRST_MARK, IMAGE, Picture, Row, noise, pictures, replica, text_config, tokens
from tests.families.prompts import built
from tests.families.replica import Inputs, Replica

SMALL, LARGE = Picture(6, 6), Picture(6, 8)
"""Patches of a picture; four of them make a vision token: 9 and 12."""

START, STOP, VIDEO = FIRST_MARK, FIRST_MARK + 1, FIRST_MARK + 2
TOKENS = {"image_token_id": IMAGE, "video_token_id": VIDEO}
QWEN_TOKENS = TOKENS | {"vision_start_token_id": START, "vision_end_token_id": STOP}
GLM_TOKENS = TOKENS | {"image_start_token_id": START, "image_end_token_id": STOP}

ROPE = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1]}
VISION = {
    "depth": 2, "hidden_size": 24, "intermediate_size": 40, "num_heads": 2, "out_hidden_size": 32, "patch_size": 4,
    "initializer_range": 0.3,
}  # fmt: skip


def qwen2_vl(attention: str) -> Replica:
    text = text_config(Qwen2VLTextConfig, rope_parameters=ROPE)
    vision = VISION | {"embed_dim": 24, "hidden_size": 32}
    config = Qwen2VLConfig(text_config=text, vision_config=vision, **QWEN_TOKENS)
    return of_any_size(Qwen2VLForConditionalGeneration, config, attention)


def qwen2_5_vl(attention: str) -> Replica:
    text = text_config(Qwen2_5_VLTextConfig, rope_parameters=ROPE)
    vision = VISION | {"window_size": 16, "fullatt_block_indexes": [1]}
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **QWEN_TOKENS)
    return of_any_size(Qwen2_5_VLForConditionalGeneration, config, attention)


def qwen3_vl(attention: str) -> Replica:
    """Five layers; DeepStack adds what the vision tower saw early to the outputs of layers 0 and 1."""
    text = text_config(Qwen3VLTextConfig, num_hidden_layers=5, head_dim=8, rope_parameters=ROPE)
    vision = VISION | {"depth": 3, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}
    config = Qwen3VLConfig(text_config=text, vision_config=vision, **QWEN_TOKENS)
    return of_any_size(Qwen3VLForConditionalGeneration, config, attention)


def qwen3_5(attention: str) -> Replica:
    """Six layers, of which 2 and 5 attend; the others keep a recurrent state instead of keys and values."""
    text = text_config(
        Qwen3_5TextConfig,
        initializer_range=0.07,  # the two ways to run a linear layer differ in rounding, which large weights blow up
        num_hidden_layers=6,
        layer_types=["linear_attention", "linear_attention", "full_attention"] * 2,
        head_dim=16,
        rope_parameters=ROPE | {"partial_rotary_factor": 0.5},
        linear_num_key_heads=2,
        linear_num_value_heads=4,
        linear_key_head_dim=8,
        linear_value_head_dim=8,
    )
    vision = VISION | {"num_position_embeddings": 64}
    config = Qwen3_5Config(text_config=text, vision_config=vision, **QWEN_TOKENS)
    return of_any_size(Qwen3_5ForConditionalGeneration, config, attention)


def glm4v(attention: str) -> Replica:
    text = text_config(Glm4vTextConfig, rope_parameters=ROPE)
    config = Glm4vConfig(text_config=text, vision_config=VISION | {"image_size": 32}, **GLM_TOKENS)
    return of_any_size(Glm4vForConditionalGeneration, config, attention)


def of_any_size(model_class: type[PreTrainedModel], config: PreTrainedConfig, attention: str) -> Replica:
    return replica(built(model_class, config, attention), process, LARGE, SMALL)


def process(rows: Sequence[Row]) -> Inputs:
    """All patches of all pictures in one list, and the grids that tell them apart."""
    inputs = tokens(rows, lambda picture: [START, *[IMAGE] * (picture.height * picture.width // 4), STOP])
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == IMAGE).long()
    seen = pictures(*rows)
    if not seen:
        return inputs
    grids = torch.tensor([(1, *picture) for picture in seen])
    patches = noise(int(grids.prod(dim=1).sum()), 3 * 2 * 4 * 4)  # channels, frames, height and width of a patch
    return inputs | {"image_grid_thw": grids, "pixel_values": patches}


BUILDERS: dict[str, Callable[[str], Replica]] = {
    builder.__name__: builder for builder in (qwen2_vl, qwen2_5_vl, qwen3_vl, qwen3_5, glm4v)
}
