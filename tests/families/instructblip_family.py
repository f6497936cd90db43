"""InstructBLIP: a Q-Former reads picture and question, and the decoder of another model gets what it makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn
from transformers import (
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    LlamaConfig,
    OPTConfig,
    PreTrainedConfig,
)

from tests.families.llava_like import BEGIN, END, FIRST_WORD, IMAGE, PAD, VOCAB, noise, text_config
from tests.families.prompts import built, left_padded
from tests.families.replica import Inputs, Replica

NUM_QUERIES = 9
"""Vision tokens of the one picture that a prompt may have."""

SIZES = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2}


def instructblip(attention: str) -> Replica:
    return replica(text_config(LlamaConfig), attention)


def instructblip_opt(attention: str) -> Replica:
    """OPT's positions are learned, and each of its heads has keys and values of its own."""
    text = OPTConfig(
        vocab_size=VOCAB, hidden_size=32, word_embed_proj_dim=32, ffn_dim=48, num_hidden_layers=4,
        num_attention_heads=4, max_position_embeddings=256, init_std=0.3, tie_word_embeddings=False,
        pad_token_id=PAD, bos_token_id=BEGIN, eos_token_id=END,
    )  # fmt: skip
    return replica(text, attention)


def replica(text: PreTrainedConfig, attention: str) -> Replica:
    config = InstructBlipConfig(
        vision_config={**SIZES, "image_size": 16, "patch_size": 4, "initializer_range": 0.2},
        qformer_config={**SIZES, "vocab_size": VOCAB, "initializer_range": 0.2},
        text_config=text,
        num_query_tokens=NUM_QUERIES,
        image_token_index=IMAGE,
        initializer_range=0.2,
    )
    model = built(InstructBlipForConditionalGeneration, config, attention)
    nn.init.normal_(model.query_tokens)
    return Replica(
        model=model,
        one=process([range(20, 27)]),
        padded=process([range(20, 27), range(30, 33), range(40, 45)]),
        text_only=process([range(50, 62)], images=False),
        several=None,
        suppress=tuple(range(FIRST_WORD)),
    )


def process(rows: Sequence[range], *, images: bool = True) -> Inputs:
    """The picture stands before all else, even before the padding; without it there are still pixels for the Q-Former.

    The Q-Former has a tokenizer of its own, which pads on the right.
    """
    inputs = left_padded([[BEGIN, *words] for words in rows], PAD)
    if images:
        block = torch.full((len(rows), NUM_QUERIES), IMAGE)
        inputs["input_ids"] = torch.cat([block, inputs["input_ids"]], dim=1)
        inputs["attention_mask"] = torch.cat([torch.ones_like(block), inputs["attention_mask"]], dim=1)
    question = left_padded([[END, *reversed(words), BEGIN] for words in rows], PAD)
    question = {f"qformer_{name}": value.flip(1) for name, value in question.items()}
    return inputs | question | {"pixel_values": noise(len(rows), 3, 16, 16)}


BUILDERS: dict[str, Callable[[str], Replica]] = {
    builder.__name__: builder for builder in (instructblip, instructblip_opt)
}
