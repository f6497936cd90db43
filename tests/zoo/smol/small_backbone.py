"""A language model of two layers and thirty words, with SmolLM2's special tokens: smol's recipe in milliseconds."""

import torch
from tokenizers import Regex, Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from skipit_nb.zoo.smol.architecture import Backbone
from skipit_nb.zoo.smol.prompt import BEGIN, END, IMAGE
from skipit_nb.zoo.vocabulary import vocabulary

UNKNOWN = "<unk>"
_WORDS = (UNKNOWN, BEGIN, END, IMAGE, "user", "assistant", "\n", "empty", "single", "middle", "three", "four")


def small_tokenizer() -> PreTrainedTokenizerFast:
    words = dict.fromkeys((*_WORDS, *vocabulary()))
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"\n|\d|\w+|[^\w\s]| "), "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token=UNKNOWN,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=END,
        extra_special_tokens={"image_token": IMAGE},
    )


def small_backbone(width: int = 32, seed: int = 0) -> Backbone:
    torch.manual_seed(seed)
    tokenizer = small_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        tie_word_embeddings=True,
        initializer_range=0.3,
        max_position_embeddings=512,
    )
    return Backbone(LlamaForCausalLM(config).float().eval(), tokenizer)
