"""The shape of the model in the box: LLaVA as transformers has it, a thousand times smaller.

An image of 64 x 64 pixels becomes 8 x 8 vision tokens (a CLIP tower, a projector of two layers); a Llama
decoder of 12 layers with grouped keys and values reads them and a question of a few words.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from transformers import (
    CLIPVisionConfig,
    GenerationConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from skipit_nb.backend.live.quiet import quiet_transformers
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.vocabulary import ANSWER, BEGIN, CHAT_TEMPLATE, END, IMAGE, PAD, make_tokenizer, vocabulary, word_ids

IMAGE_PX = 64
PATCH_PX = 8
NUM_VISION_TOKENS = (IMAGE_PX // PATCH_PX) ** 2
NUM_LAYERS = 12
WIDTH = 128

_MEAN_AND_STD = [0.5, 0.5, 0.5]


def token_id(token: str) -> int:
    """Give the id of a token of the vocabulary."""
    return vocabulary().index(token)


def make_dialect() -> Dialect:
    """Say how the prompts of the model in the box are made of token ids."""
    return Dialect(
        ids_of=word_ids,
        opening=(token_id(BEGIN),),
        image=token_id(IMAGE),
        num_vision_tokens=NUM_VISION_TOKENS,
        asking=(token_id(ANSWER),),
        end=token_id(END),
        pad=token_id(PAD),
    )


def make_config() -> LlavaConfig:
    """Make the configuration of the model in the box."""
    vision = CLIPVisionConfig(
        image_size=IMAGE_PX,
        patch_size=PATCH_PX,
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=4,
        num_attention_heads=4,
        hidden_act="gelu",
    )
    text = LlamaConfig(
        vocab_size=len(vocabulary()),
        hidden_size=WIDTH,
        intermediate_size=320,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=token_id(BEGIN),
        eos_token_id=token_id(END),
        pad_token_id=token_id(PAD),
    )
    return LlavaConfig(
        vision_config=vision,
        text_config=text,
        image_token_id=token_id(IMAGE),
        image_seq_length=NUM_VISION_TOKENS,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
    )


def make_model(seed: int = 0) -> LlavaForConditionalGeneration:
    """Make the model with random weights: the same seed gives the same weights.

    Linear layers start at 0.55 / sqrt(width). Those that write into the decoder's residual stream start
    smaller by sqrt(2 layers), so that the stream does not grow with depth.
    """
    torch.manual_seed(seed)
    model = LlavaForConditionalGeneration(make_config()).float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0.0, _spread(name))
    model.generation_config = GenerationConfig(
        bos_token_id=token_id(BEGIN), eos_token_id=token_id(END), pad_token_id=token_id(PAD), do_sample=False
    )
    return model


def _spread(name: str) -> float:
    if "position_embedding" in name:
        return 0.3  # else the even ground of a patch drowns its place
    spread = 0.55 / math.sqrt(WIDTH)
    writes = "language_model" in name and name.endswith(("o_proj.weight", "down_proj.weight"))
    return spread / math.sqrt(2 * NUM_LAYERS) if writes else spread


def make_image_processor() -> CLIPImageProcessorPil:
    """Make the image processor: 64 x 64 pixels in [-1, 1]."""
    return CLIPImageProcessorPil(
        size={"shortest_edge": IMAGE_PX},
        crop_size={"height": IMAGE_PX, "width": IMAGE_PX},
        image_mean=_MEAN_AND_STD,
        image_std=_MEAN_AND_STD,
    )


def make_processor() -> LlavaProcessor:
    """Make the processor: images to 64 x 64 pixels in [-1, 1], prompts with 64 image tokens an image."""
    return LlavaProcessor(
        image_processor=make_image_processor(),
        tokenizer=make_tokenizer(),
        patch_size=PATCH_PX,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # CLIP's class token, which "default" leaves out again
        chat_template=CHAT_TEMPLATE,
    )


def save(model: LlavaForConditionalGeneration, folder: Path) -> None:
    """Write the weights in float16, the configuration and the processor into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    dtype = model.dtype
    with quiet_transformers():
        model.half().save_pretrained(folder)
        make_processor().save_pretrained(folder)
    model.to(dtype)
