"""The shape of smol: tiny's eyes, a new projector, and SmolLM2-135M-Instruct as it was pretrained.

An image of 64 x 64 pixels becomes 8 x 8 vision tokens, seen by the tower that the model `tiny` learned to see with;
a decoder of 30 layers, width 576, reads them and a question in SmolLM2's own chat form.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from skipit_nb.backend.live.quiet import quiet_transformers
from skipit_nb.zoo import model_path
from skipit_nb.zoo.architecture import NUM_VISION_TOKENS, PATCH_PX, make_image_processor
from skipit_nb.zoo.smol.backbone import PACKAGE, backbone_file
from skipit_nb.zoo.smol.prompt import BEGIN, CHAT_TEMPLATE, END, IMAGE


@dataclass(frozen=True)
class Backbone:
    """The pretrained language model and its tokenizer."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase


def read_backbone() -> Backbone:
    """Read the language model from its GGUF file, in float32: some twenty seconds.

    Raises:
        MissingPackageError: If a package is missing; the message holds the line that installs it.
    """
    file = backbone_file()
    where = {"pretrained_model_name_or_path": file.parent, "gguf_file": file.name}
    with quiet_transformers():
        model = AutoModelForCausalLM.from_pretrained(**where, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(**where)
    # Read, it is quantised no more; with what remembers the file, transformers would refuse to save the model.
    del model.config.quantization_config
    model.hf_quantizer = None
    model.config.name_or_path = PACKAGE  # else a saved configuration tells where on this machine the file is
    return Backbone(model, tokenizer)


def make_config(text: PreTrainedConfig, image_token_id: int) -> LlavaConfig:
    """Make the configuration of smol.

    Args:
        text: The language model's.
        image_token_id: Id of the token that stands at each vision token.
    """
    return LlavaConfig(
        vision_config=LlavaConfig.from_pretrained(model_path()).vision_config,
        text_config=text,
        image_token_id=image_token_id,
        image_seq_length=NUM_VISION_TOKENS,
        vision_feature_layer=-1,
        vision_feature_select_strategy="default",
        tie_word_embeddings=True,
    )


def make_model(backbone: Backbone, seed: int = 0) -> LlavaForConditionalGeneration:
    """Put a language model behind tiny's tower and a projector of random weights, all in float32.

    Args:
        backbone: The language model; the model made holds its weights, not a copy.
        seed: Of the projector's weights.
    """
    torch.manual_seed(seed)
    ids = backbone.tokenizer.convert_tokens_to_ids
    model = LlavaForConditionalGeneration(make_config(backbone.model.config, ids(IMAGE))).float()
    model.model.language_model = backbone.model.model
    model.lm_head = backbone.model.lm_head
    with quiet_transformers():
        tiny = LlavaForConditionalGeneration.from_pretrained(model_path(), dtype=torch.float32)
    model.model.vision_tower.load_state_dict(tiny.model.vision_tower.state_dict())
    model.generation_config = GenerationConfig(
        bos_token_id=ids(BEGIN), eos_token_id=ids(END), pad_token_id=ids(END), do_sample=False
    )
    return model


def make_processor(tokenizer: PreTrainedTokenizerBase) -> LlavaProcessor:
    """Make the processor: tiny's images, SmolLM2's words."""
    tokenizer.padding_side = "left"
    tokenizer.chat_template = None  # the processor's own knows of images
    return LlavaProcessor(
        image_processor=make_image_processor(),
        tokenizer=tokenizer,
        patch_size=PATCH_PX,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,  # CLIP's class token, which "default" leaves out again
        image_token=IMAGE,
        chat_template=CHAT_TEMPLATE,
    )
