"""Molmo 2: features are added to the embeddings of their positions. The oldest transformers we take lacks it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import Molmo2Config, Molmo2ForConditionalGeneration, Molmo2TextConfig

from tests.families.further_family import EDGE, ONE, PATCH, PATCHES, WIDE
from tests.families.llava_like import VOCAB, Picture, Row, noise, pictures, replica, text_config, tokens
from tests.families.prompts import built
from tests.families.replica import Inputs, Replica


def molmo2(attention: str) -> Replica:
    """The whole picture, then its tiles, with a mark after each row of tokens; the head cannot write these marks."""
    image, column, start, stop, low_start = range(VOCAB, VOCAB + 5)
    heads = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 12}
    config = Molmo2Config(
        text_config=text_config(Molmo2TextConfig, head_dim=8, additional_vocab_size=5),
        vision_config=PATCH | heads | {"image_size": [EDGE, EDGE], "initializer_range": 0.3},
        adapter_config=heads | {
            "vision_feature_layer": [1, 0], "hidden_size": 24, "intermediate_size": 40, "text_hidden_size": 32,
            "initializer_range": 0.3,
        },
        image_patch_id=image,
        image_start_token_id=start,
        image_end_token_id=stop,
        low_res_image_start_token_id=low_start,
        initializer_range=0.3,
    )  # fmt: skip

    def spell(picture: Picture) -> list[int]:
        whole, parts = [*[image] * 2, column] * 2, [*[image] * 2 * picture.width, column] * 2 * picture.height
        return [low_start, *whole, stop, start, *parts, stop]

    def process(rows: Sequence[Row]) -> Inputs:
        inputs, seen = tokens(rows, spell), pictures(*rows)
        inputs["mm_token_type_ids"] = (inputs["input_ids"] >= VOCAB).long()
        if not seen:
            return inputs
        crops = [1 + picture.height * picture.width for picture in seen]
        pools, first = [], 0
        for tiles in (tiles for picture in seen for tiles in (ONE, picture)):
            pools.append(first + pooled(tiles))
            first += pools[-1].numel()
        return inputs | {
            "pixel_values": noise(sum(crops), PATCHES**2, 4 * 4 * 3),
            "image_token_pooling": torch.cat(pools),
            "image_grids": torch.tensor([(2, 2, 2 * picture.height, 2 * picture.width) for picture in seen]),
            "image_num_crops": torch.tensor(crops),
        }

    return replica(built(Molmo2ForConditionalGeneration, config, attention), process, WIDE, ONE)


def pooled(tiles: Picture) -> torch.Tensor:
    """The patches of each vision token: those of a square of two by two, counted tile after tile."""
    height, width = tiles
    patches = torch.arange(height * width * PATCHES**2).view(height, width, PATCHES, PATCHES).transpose(1, 2)
    squares = patches.reshape(height * PATCHES // 2, 2, width * PATCHES // 2, 2).transpose(1, 2)
    return squares.reshape(-1, 4)


BUILDERS: dict[str, Callable[[str], Replica]] = {"molmo2": molmo2}
