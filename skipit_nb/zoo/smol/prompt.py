"""The conversation that smol was trained on: SmolLM2's own form, the image first, no system turn."""

from __future__ import annotations

from transformers import PreTrainedTokenizerBase

from skipit_nb.zoo.dialect import Dialect

BEGIN, END, IMAGE = "<|im_start|>", "<|im_end|>", "<file_sep>"
"""`<file_sep>` is a token that SmolLM2 has and chats do not use: it stands at each vision token."""
OPENING = f"{BEGIN}user\n"
ASKING = f"{END}\n{BEGIN}assistant\n"

CHAT_TEMPLATE = """
{%- for message in messages -%}
    {{- '<|im_start|>' + message['role'] + '\\n' -}}
    {%- if message['content'] is string -%}
        {{- message['content'] -}}
    {%- else -%}
        {%- for part in message['content'] -%}
            {%- if part['type'] == 'image' -%}{{- '<file_sep>' -}}
            {%- elif part['type'] == 'text' -%}{{- part['text'] -}}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
""".strip()


def make_dialect(tokenizer: PreTrainedTokenizerBase, num_vision_tokens: int) -> Dialect:
    """Say how smol's prompts are made of token ids.

    Args:
        tokenizer: SmolLM2's.
        num_vision_tokens: Vision tokens of an image.
    """

    def ids_of(text: str) -> tuple[int, ...]:
        return tuple(tokenizer(text, add_special_tokens=False)["input_ids"])

    return Dialect(
        ids_of=ids_of,
        opening=ids_of(OPENING),
        image=tokenizer.convert_tokens_to_ids(IMAGE),
        num_vision_tokens=num_vision_tokens,
        asking=ids_of(ASKING),
        end=tokenizer.convert_tokens_to_ids(END),
        pad=tokenizer.convert_tokens_to_ids(END),
    )
