"""Phi-4-multimodal and Llama 3.2 Vision: crops with separators, and cross-attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from transformers import (
    MllamaConfig,
    MllamaForConditionalGeneration,
    MllamaTextConfig,
    Phi4MultimodalConfig,
    Phi4MultimodalForCausalLM,
)

from tests.families.llava_like import (
    FIRST_MARK,
    IMAGE,
    VOCAB,
    Picture,
    Row,
    noise,
    pictures,
    replica,
    text_config,
    tiles_of_noise,
    tokens,
)
from tests.families.prompts import built
from tests.families.replica import Inputs, Replica

ONE, WIDE, TALL = SHAPES = Picture(1, 1), Picture(1, 2), Picture(2, 1)
"""Tiles of a picture."""

MOST_TILES = 2

PATCHES = 4
"""Patches along an edge of a tile; of 4 × 4 pixels each."""

EDGE = 4 * PATCHES
PATCH = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "patch_size": 4}


def phi4_multimodal(attention: str) -> Replica:
    """The whole picture, then its tiles, 2 × 2 patches a token; a separator ends each row, another stands between.

    Every picture leaves a part of a tile empty. Where none does, the vision tower gets no mask, and transformers 5.23
    takes its sdpa attention, but not its eager one, for causal.
    """
    config = text_config(
        Phi4MultimodalConfig,
        vision_config=PATCH | {
            "num_attention_heads": 2, "image_size": EDGE, "crop_size": EDGE, "image_token_id": IMAGE,
        },
        audio_config={  # always there, and large unless told otherwise
            "hidden_size": 8, "intermediate_size": 8, "num_blocks": 1, "num_attention_heads": 1, "bias_max_distance": 8,
            "nemo_conv_channels": 8, "ext_pw_out_channel": 8, "depthwise_separable_out_channel": 8,
            "audio_token_id": FIRST_MARK,
        },
    )  # fmt: skip

    def spell(picture: Picture) -> list[int]:
        whole, parts = 2 * (2 + 1), picture.height // 2 * (picture.width // 2 + 1)
        return [IMAGE] * (whole + 1 + parts)

    def process(rows: Sequence[Row]) -> Inputs:
        inputs, seen = tokens(rows, spell), pictures(*rows)
        if not seen:
            return inputs
        widths = [-(-picture.width // PATCHES) for picture in seen]  # in tiles; one is high enough
        pixels = tiles_of_noise([1 + width for width in widths], 3, EDGE, EDGE)
        filled = torch.ones(*pixels.shape[:2], PATCHES, PATCHES)
        for of_picture, picture, width in zip(filled, seen, widths, strict=True):
            of_picture[1 : 1 + width, picture.height :] = 0
            of_picture[width, :, picture.width - (width - 1) * PATCHES :] = 0
        return inputs | {
            "image_pixel_values": pixels,
            "image_sizes": torch.tensor([(EDGE, EDGE * width) for width in widths]),
            "image_attention_mask": filled,
        }

    model = built(Phi4MultimodalForCausalLM, config, attention)
    embed = model.model.embed_tokens_extend.image_embed
    nn.init.normal_(embed.global_img_feature_extensor)  # the separators; a new model has zeros
    nn.init.normal_(embed.sub_img_feature_extensor)
    return replica(model, process, Picture(4, 6), Picture(2, 4))


def mllama(attention: str) -> Replica:
    """Six layers, of which 1 and 4 look at the pictures and the others at the text; a picture is one token."""
    config = MllamaConfig(
        text_config=text_config(MllamaTextConfig, num_hidden_layers=6, cross_attention_layers=[1, 4]),
        vision_config=PATCH | {
            "attention_heads": 2, "num_global_layers": 1, "intermediate_layers_indices": [0], "vision_output_dim": 48,
            "image_size": EDGE, "max_num_tiles": MOST_TILES, "supported_aspect_ratios": [*map(list, SHAPES)],
            "initializer_range": 0.3,
        },
        image_token_index=VOCAB,
    )  # fmt: skip
    model = built(MllamaForConditionalGeneration, config, attention)
    for name, parameter in model.named_parameters():
        if name.endswith("gate"):
            nn.init.constant_(parameter, 0.5)  # a new model has zeros
    return replica(model, process_beside, WIDE, ONE)


def process_beside(rows: Sequence[Row]) -> Inputs:
    """Each row has room for as many pictures as the richest; a word sees the last picture before it."""
    inputs, seen = tokens(rows, lambda _: [VOCAB]), [pictures(row) for row in rows]
    most = max(map(len, seen))
    if not most:
        return inputs
    ids = inputs["input_ids"]
    shapes = torch.zeros(len(rows), most, dtype=torch.long)  # 0 is no picture
    tiles = torch.zeros(len(rows), most, MOST_TILES, dtype=torch.long)
    visible = torch.zeros(*ids.shape, most, MOST_TILES, dtype=torch.long)
    for row, of_row in enumerate(seen):
        places = [*(ids[row] == VOCAB).nonzero().flatten().tolist(), None]
        for i, picture in enumerate(of_row):
            count = picture.height * picture.width
            shapes[row, i] = 1 + SHAPES.index(picture)
            tiles[row, i, :count] = 1
            visible[row, places[i] : places[i + 1], i, :count] = 1
    return inputs | {
        "pixel_values": noise(*tiles.shape, 3, EDGE, EDGE) * tiles[..., None, None, None],
        "aspect_ratio_ids": shapes,
        "aspect_ratio_mask": tiles.index_fill(2, torch.tensor(0), 1),  # also where there is no picture
        "cross_attention_mask": visible,
    }


BUILDERS: dict[str, Callable[[str], Replica]] = {builder.__name__: builder for builder in (phi4_multimodal, mllama)}
