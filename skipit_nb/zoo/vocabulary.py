"""The words that the model in the box can read and say, and its tokenizer."""

from __future__ import annotations

import re

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from transformers import PreTrainedTokenizerFast

UNKNOWN, PAD, BEGIN, END = "<unk>", "<pad>", "<s>", "</s>"
IMAGE, ANSWER = "<image>", "<answer>"
SPECIAL_TOKENS = (UNKNOWN, PAD, BEGIN, END, IMAGE, ANSWER)

# Everyday words and all that the two tasks ask; a test holds the tasks to this list.
_WORDS = """
    ? a , . : and are black blue brown circle color comparison contain count digit digits does gray green
    how image in is it larger left many no not of on one present rectangle red right shape smaller teal
    than the there triangle two what yellow yes 0 1 2 3 4 5 6 7 8 9
"""

# A conversation with questions about images; an answer of the model ends with </s>.
CHAT_TEMPLATE = """
{{- '<s>' -}}
{%- for message in messages -%}
    {%- if message['role'] == 'assistant' -%}{{- '<answer>' -}}{%- endif -%}
    {%- if message['content'] is string -%}
        {{- message['content'] -}}
    {%- else -%}
        {%- for part in message['content'] -%}
            {%- if part['type'] == 'image' -%}{{- '<image>' -}}
            {%- elif part['type'] == 'text' -%}{{- part['text'] -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- if message['role'] == 'assistant' -%}{{- '</s>' -}}{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<answer>' -}}{%- endif -%}
""".strip()


def vocabulary() -> tuple[str, ...]:
    """Give every token; a token's place is its id."""
    return (*SPECIAL_TOKENS, *sorted(_WORDS.split()))


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Make a tokenizer of one token a word: lower case, punctuation apart, unknown words as ``<unk>``."""
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(vocabulary())}, unk_token=UNKNOWN))
    core.normalizer = normalizers.Lowercase()
    # Digits stand alone, so that "is there a 77?" is read as two digits and not as an unknown word.
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Split(Regex(r"\d"), "isolated")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        unk_token=UNKNOWN,
        pad_token=PAD,
        bos_token=BEGIN,
        eos_token=END,
        extra_special_tokens={"image_token": IMAGE, "answer_token": ANSWER},
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=512,
    )


def word_ids(text: str) -> list[int]:
    """Give the ids of a plain text, as the tokenizer would, without loading it."""
    ids = {word: i for i, word in enumerate(vocabulary())}
    return [ids.get(word, 0) for word in re.findall(r"\d|\w+|[^\w\s]", text.lower())]
