"""A LLaVA of four layers that spells: byte-level BPE, whose words take one to five tokens, and a chat template."""

from __future__ import annotations

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

SPECIAL = ("<pad>", "<s>", "</s>", "<image>", "[/ASK]")
SPACED = (
    "{% for message in messages %}{{ message['role'].upper() }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }}{% endif %}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
"""As LLaVA's: a space stands between the prompt, "ASSISTANT:", and the answer."""
UNSPACED = (
    "{% for message in messages %}{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}"
    "{% if message['role'] == 'user' %}[/ASK]{% else %}</s>{% endif %}{% endfor %}"
)
"""As Pixtral's: nothing stands between the prompt, "[/ASK]", and the answer."""
WITHOUT_ANSWERS = (
    "{% for message in messages %}{% if message['role'] != 'user' %}{{ raise_exception('questions only') }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %}\nSay: {% endif %}"
)
"""Knows no answers, and ends in a space that BPE would merge with a word."""

_WORDS = "is there a red cat on this image ? yes no a cat a red cat a dog the answer is red ASSISTANT : USER : Say :"


def bpe(*, across_words: bool = False) -> PreTrainedTokenizerFast:
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=not across_words)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=340, special_tokens=list(SPECIAL), initial_alphabet=alphabet)
    core.train_from_iterator([_WORDS] * 3, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token="<pad>", bos_token="<s>", eos_token="</s>", padding_side="left",  # noqa: S106
        clean_up_tokenization_spaces=False, extra_special_tokens={"image_token": "<image>"},
    )  # fmt: skip


def processor(template: str | None = SPACED) -> LlavaProcessor:
    pictures = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    return LlavaProcessor(
        image_processor=pictures, tokenizer=bpe(), patch_size=4, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=template,
    )  # fmt: skip


def speller() -> LlavaForConditionalGeneration:
    """Random weights: it has opinions, but no knowledge."""
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        image_size=16, patch_size=4, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2
    )
    text = LlamaConfig(
        vocab_size=340, hidden_size=32, intermediate_size=48, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.3, pad_token_id=0, bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_id=3, image_seq_length=16)
    return LlavaForConditionalGeneration(config).eval()
