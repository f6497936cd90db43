"""Other families that put vision tokens into a Llama-like decoder: one tile a picture, or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from torch import Tensor, nn
from transformers import (
    AyaVisionConfig,
    AyaVisionForConditionalGeneration,
    Cohere2Config,
    DeepseekVLConfig,
    DeepseekVLForConditionalGeneration,
    DeepseekVLHybridConfig,
    DeepseekVLHybridForConditionalGeneration,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    InternVLConfig,
    InternVLForConditionalGeneration,
    JanusConfig,
    JanusForConditionalGeneration,
    LlamaConfig,
    Ovis2Config,
    Ovis2ForConditionalGeneration,
    PreTrainedModel,
    Qwen2Config,
    SiglipVisionConfig,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
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

START, STOP, GRID, COLUMN, ROW, NEWLINE, WHOLE, TILE = range(FIRST_MARK, FIRST_MARK + 8)

EDGE = 16
"""Edge of a tile in pixels: 4 × 4 patches."""

VISION = {
    "image_size": EDGE, "patch_size": 4, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 2,
}  # fmt: skip
IN_16 = [IMAGE] * 16
IN_4 = [IMAGE] * 4
"""A tile's vision tokens; where they are four, each stands for 2 × 2 patches."""

LARGE, SMALL = Picture(2, 2), Picture(1, 2)
"""Rows and columns of tiles."""


def deepseek_vl(attention: str) -> Replica:
    config = DeepseekVLConfig(
        vision_config=SiglipVisionConfig(vision_use_head=False, **VISION),
        text_config=text_config(LlamaConfig),
        image_token_id=IMAGE,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        return tokens(rows, lambda _: IN_16) | untiled(rows)

    return replica(built(DeepseekVLForConditionalGeneration, config, attention), process)


def deepseek_vl_hybrid(attention: str) -> Replica:
    """Each picture is seen twice: as it is and at twice the size."""
    high_res = {
        "image_size": 2 * EDGE, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
        "output_channels": 8, "window_size": 2, "global_attn_indexes": [1], "initializer_range": 0.2,
    }  # fmt: skip
    config = DeepseekVLHybridConfig(
        vision_config=SiglipVisionConfig(vision_use_head=False, **VISION),
        high_res_vision_config=high_res,
        text_config=text_config(LlamaConfig),
        image_token_id=IMAGE,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        inputs, seen = tokens(rows, lambda _: IN_16) | untiled(rows), pictures(*rows)
        return inputs | ({"high_res_pixel_values": noise(len(seen), 3, 2 * EDGE, 2 * EDGE)} if seen else {})

    model = built(DeepseekVLHybridForConditionalGeneration, config, attention)
    nn.init.ones_(model.model.high_res_vision_alpha)
    return replica(model, process)


def janus(attention: str) -> Replica:
    vision = {**VISION, "mlp_ratio": 2.0, "projection_dim": 32, "num_image_tokens": 16, "initializer_range": 0.2}
    drawing = {
        "base_channels": 32, "channel_multiplier": [1], "num_res_blocks": 0, "num_embeddings": 8, "embed_dim": 4,
        "latent_channels": 32, "projection_dim": 32, "image_token_embed_dim": 32,
    }  # fmt: skip
    config = JanusConfig(
        vision_config=vision, vq_config=drawing, text_config=text_config(LlamaConfig), image_token_id=IMAGE
    )

    def process(rows: Sequence[Row]) -> Inputs:
        return tokens(rows, lambda _: [START, *IN_16, STOP]) | untiled(rows)

    return replica(built(JanusForConditionalGeneration, config, attention), process)


def internvl(attention: str) -> Replica:
    config = InternVLConfig(
        vision_config={**VISION, "layer_scale_init_value": 1.0, "initializer_range": 0.2},
        text_config=text_config(Qwen2Config),
        image_token_id=IMAGE,
        image_seq_length=4,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        return tokens(rows, lambda picture: [START, *IN_4 * num_tiles(picture), STOP]) | tiled(rows)

    return replica(built(InternVLForConditionalGeneration, config, attention), process, LARGE, SMALL)


def ovis2(attention: str) -> Replica:
    """Vision tokens are mixtures over a visual vocabulary, whose last five entries embed the marks."""
    config = Ovis2Config(
        vision_config={**VISION, "hidden_stride": 2, "vocab_size": 45, "initializer_range": 0.2},
        text_config=text_config(Qwen2Config),
        image_token_id=IMAGE,
        visual_indicator_token_ids=[START, STOP, GRID, COLUMN, ROW],
        vocab_size=VOCAB,
        hidden_size=32,
    )

    def spell(picture: Picture) -> list[int]:
        row = joined([IN_4] * picture.width, [COLUMN])
        return [START, *IN_4, GRID, *joined([row] * picture.height, [ROW]), STOP]

    def process(rows: Sequence[Row]) -> Inputs:
        return tokens(rows, spell) | tiled(rows)

    return replica(built(Ovis2ForConditionalGeneration, config, attention), process, LARGE, SMALL)


def smolvlm(attention: str) -> Replica:
    return idefics(SmolVLMForConditionalGeneration, SmolVLMConfig, attention)


def idefics3(attention: str) -> Replica:
    return idefics(Idefics3ForConditionalGeneration, Idefics3Config, attention)


def idefics(kind: type[PreTrainedModel], config: type, attention: str) -> Replica:
    """All tiles of a prompt belong together; prompts with fewer of them are filled up with empty ones."""
    config = config(
        vision_config={**VISION, "initializer_range": 0.2},
        text_config=text_config(LlamaConfig),
        image_token_id=IMAGE,
    )

    def spell(picture: Picture) -> list[int]:
        row = [START, TILE, *IN_4] * picture.width
        return [*[*row, NEWLINE] * picture.height, NEWLINE, START, WHOLE, *IN_4, START]

    def process(rows: Sequence[Row]) -> Inputs:
        inputs = tokens(rows, spell)
        if not pictures(*rows):
            return inputs
        pixels = tiles_of_noise([sum(map(num_tiles, pictures(row))) for row in rows], 3, EDGE, EDGE)
        return inputs | {"pixel_values": pixels, "pixel_attention_mask": (pixels != 0).any(dim=2).long()}

    return replica(built(kind, config, attention), process, LARGE, SMALL)


def aya_vision(attention: str) -> Replica:
    """Layers that see the last eight tokens and layers that see all take turns."""
    text = text_config(
        Cohere2Config, layer_types=["sliding_attention", "full_attention"] * 2, sliding_window=8, logit_scale=1.0
    )
    config = AyaVisionConfig(
        vision_config=SiglipVisionConfig(vision_use_head=False, **VISION), text_config=text, image_token_index=IMAGE
    )

    def process(rows: Sequence[Row]) -> Inputs:
        tile = [TILE, *IN_4]
        inputs = tokens(rows, lambda picture: [START, *tile * (num_tiles(picture) - 1), WHOLE, *IN_4, STOP])
        return inputs | tiled(rows)

    return replica(built(AyaVisionForConditionalGeneration, config, attention), process, LARGE, SMALL)


def num_tiles(picture: Picture) -> int:
    """Its parts, and the whole picture as one tile more."""
    return picture.height * picture.width + 1


def untiled(rows: Sequence[Row]) -> dict[str, Tensor]:
    seen = pictures(*rows)
    return {"pixel_values": noise(len(seen), 3, EDGE, EDGE)} if seen else {}


def tiled(rows: Sequence[Row]) -> dict[str, Tensor]:
    """The tiles of all pictures, one after another."""
    count = sum(map(num_tiles, pictures(*rows)))
    return {"pixel_values": noise(count, 3, EDGE, EDGE)} if count else {}


def joined(parts: Sequence[list[int]], separator: list[int]) -> list[int]:
    return [*chain.from_iterable([*part, *separator] for part in parts)][: -len(separator)]


BUILDERS: dict[str, Callable[[str], Replica]] = {
    builder.__name__: builder
    for builder in (deepseek_vl, deepseek_vl_hybrid, janus, internvl, ovis2, smolvlm, idefics3, aya_vision)
}
