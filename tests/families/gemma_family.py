"""PaliGemma to Gemma 4: prefixes and pictures seen both ways, sliding windows, shared keys and values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from transformers import (
    Gemma2Config,
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    Gemma4Config,
    Gemma4ForConditionalGeneration,
    Gemma4TextConfig,
    GemmaConfig,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PreTrainedConfig,
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
    tokens,
)
from tests.families.prompts import built
from tests.families.replica import Inputs, Replica

START, STOP, LINE = FIRST_MARK, FIRST_MARK + 1, FIRST_MARK + 2
NUM_VISION = 9

SMALL, LARGE = Picture(6, 6), Picture(6, 8)
"""Patches of a picture of Gemma 4; four of them make a vision token: 9 and 12. Its relatives take one size only."""

SLIDING, FULL = "sliding_attention", "full_attention"
SIGLIP = {
    "model_type": "siglip_vision_model", "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2,
    "num_attention_heads": 2, "patch_size": 4, "vision_use_head": False,
}  # fmt: skip
HEAD = {"tie_word_embeddings": False, "initializer_range": 0.3}
"""A head tied to the embeddings would let a model this small write its last token again and again."""


def paligemma(attention: str) -> Replica:
    return of_prefixes(text_config(GemmaConfig, head_dim=8, num_key_value_heads=1), attention)


def paligemma2(_: str) -> Replica:
    """Layers 0 and 2 see the last eight tokens only. Scores are capped, which only eager attention does."""
    text = text_config(
        Gemma2Config, head_dim=8, query_pre_attn_scalar=8, sliding_window=8, layer_types=[SLIDING, FULL] * 2
    )
    return of_prefixes(text, "eager")


def of_prefixes(text: PreTrainedConfig, attention: str) -> Replica:
    config = PaliGemmaConfig(
        text_config=text,
        vision_config=SIGLIP | {"image_size": 12},
        image_token_index=IMAGE,
        vocab_size=VOCAB,
        projection_dim=32,
        hidden_size=32,
        **HEAD,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        """Pictures come first, then the text and a new line; all of it is prefix, which is token type 0.

        Without token types, transformers 5.23 runs sdpa attention both ways and eager attention causally.
        """
        sorted_rows = [[*pictures(row), *(item for item in row if isinstance(item, int)), LINE] for row in rows]
        inputs = tokens(sorted_rows, lambda _: [IMAGE] * NUM_VISION)
        return inputs | {"token_type_ids": torch.zeros_like(inputs["input_ids"])} | squares(rows, 12)

    return replica(built(PaliGemmaForConditionalGeneration, config, attention), process)


def gemma3(attention: str) -> Replica:
    """Layers 0 and 2 see the last eight tokens only."""
    text = text_config(
        Gemma3TextConfig, head_dim=8, query_pre_attn_scalar=8, sliding_window=8, layer_types=[SLIDING, FULL] * 2
    )
    config = Gemma3Config(
        text_config=text,
        vision_config=SIGLIP | {"image_size": 24},
        mm_tokens_per_image=NUM_VISION,
        image_token_index=IMAGE,
        boi_token_index=START,
        eoi_token_index=STOP,
        **HEAD,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        inputs = tokens(rows, lambda _: [LINE, START, *[IMAGE] * NUM_VISION, STOP, LINE])
        return inputs | {"token_type_ids": (inputs["input_ids"] == IMAGE).long()} | squares(rows, 24)

    model = built(Gemma3ForConditionalGeneration, config, attention)
    nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight, std=0.3)  # a new model has zeros
    return replica(model, process)


def gemma4(attention: str) -> Replica:
    """As the small checkpoints: each layer has an input of its own; 4 and 5 reuse the keys and values of 2 and 3."""
    return of_patches(
        attention, num_kv_shared_layers=2, hidden_size_per_layer_input=8, vocab_size_per_layer_input=VOCAB
    )


def gemma4_unshared(attention: str) -> Replica:
    """As the large checkpoints: sliding layers see pictures both ways, full ones take their keys for values."""
    return of_patches(
        attention,
        hidden_size_per_layer_input=0,
        use_bidirectional_attention="vision",
        attention_k_eq_v=True,
        num_global_key_value_heads=1,
    )


def of_patches(attention: str, **differs: object) -> Replica:
    """Six layers; every other one sees the last eight tokens only."""
    text = text_config(
        Gemma4TextConfig,
        num_hidden_layers=6,
        layer_types=[SLIDING, FULL] * 3,
        sliding_window=8,
        head_dim=8,
        global_head_dim=16,
        final_logit_softcapping=30.0,
        **differs,
    )
    vision = {
        "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2,
        "num_key_value_heads": 2, "head_dim": 12, "patch_size": 4, "pooling_kernel_size": 2,
        "position_embedding_size": 16, "initializer_range": 0.3,
    }  # fmt: skip
    config = Gemma4Config(
        text_config=text,
        vision_config=vision,
        image_token_id=IMAGE,
        boi_token_id=START,
        eoi_token_id=STOP,
        **HEAD,
    )
    return replica(built(Gemma4ForConditionalGeneration, config, attention), process_patches, LARGE, SMALL)


def process_patches(rows: Sequence[Row]) -> Inputs:
    """Each picture as a list of patches and their places, padded to the longest that may be."""
    inputs = tokens(rows, lambda picture: [START, *[IMAGE] * (picture.height * picture.width // 4), STOP])
    inputs["mm_token_type_ids"] = (inputs["input_ids"] == IMAGE).long()
    seen = pictures(*rows)
    if not seen:
        return inputs
    places = torch.full((len(seen), LARGE.height * LARGE.width, 2), -1)
    for of_picture, picture in zip(places, seen, strict=True):
        grid = torch.cartesian_prod(torch.arange(picture.height), torch.arange(picture.width))
        of_picture[: len(grid)] = grid.flip(dims=[1])  # x before y
    pixels = noise(*places.shape[:2], 4 * 4 * 3).sigmoid()  # colours from 0 to 1
    return inputs | {"pixel_values": pixels.where(places[..., :1] >= 0, 0.0), "image_position_ids": places}


def squares(rows: Sequence[Row], edge: int) -> Inputs:
    count = len(pictures(*rows))
    return {"pixel_values": noise(count, 3, edge, edge)} if count else {}


BUILDERS: dict[str, Callable[[str], Replica]] = {
    builder.__name__: builder for builder in (paligemma, paligemma2, gemma3, gemma4, gemma4_unshared)
}
