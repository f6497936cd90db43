"""Processor files of many families, small: real image processors, a tokenizer of one token a word, as on the Hub.

Numbers of image tokens are worked out by hand for two images: `SQUARE` of 56 x 56 pixels, `WIDE` of 112 x 56.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

SQUARE, WIDE = Image.new("RGB", (56, 56), "red"), Image.new("RGB", (112, 56), "blue")
UNKNOWN, PAD, BEGIN, END = "<unk>", "<pad>", "<s>", "</s>"
SHORT, LONG = "how many ?", "what is on this image ?"

TEMPLATE = """
{%- for message in messages -%}{{ message['role'] }} :
    {%- for part in message['content'] -%}
        {%- if part['type'] == 'image' -%}{{ ' MARK ' }}{%- else -%}{{ ' ' + part['text'] }}{%- endif -%}
    {%- endfor -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ ' assistant :' }}{%- endif -%}
""".strip()


@dataclass(frozen=True)
class Family:
    """What a checkpoint's processor files hold, and how many image tokens come of it."""

    processor: str
    image_processor: str
    image_settings: dict[str, Any]
    tokens: tuple[str, ...]
    """Special tokens; the first one is written for an image."""
    counts: tuple[int, int]
    """Image tokens of `SQUARE` and of `WIDE`."""
    settings: dict[str, Any] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    """Tokens that the tokenizer knows by a name of its own."""
    mark: str = ""
    """What the chat template writes for an image, if it is more than the first token."""
    vision: str = ""
    """The token that image positions hold, if it is not the first one."""
    both: int | None = None
    """Image tokens of one question about both images, if it is not their sum."""
    takes: tuple[int, ...] = (0, 1, 2)
    """How many images a question may have."""


def tokenizer(tokens: tuple[str, ...] = (), named: dict[str, str] | None = None) -> PreTrainedTokenizerFast:
    words = f"{SHORT} {LONG} user assistant :".split()
    every = dict.fromkeys([UNKNOWN, PAD, BEGIN, END, *tokens, *words])
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(every)}, unk_token=UNKNOWN))
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = PreTrainedTokenizerFast(
        tokenizer_object=core, unk_token=UNKNOWN, pad_token=PAD, bos_token=BEGIN, eos_token=END,
        extra_special_tokens=named or {},
    )  # fmt: skip
    made.add_tokens(list(tokens), special_tokens=True)
    return made


def write(family: Family, folder: Path, *, template: bool = True) -> Path:
    """Write the files; the first two JSON files as they lie on the Hub."""
    folder.mkdir(exist_ok=True)
    tokenizer(family.tokens, family.named).save_pretrained(folder)
    tokenizer().save_pretrained(folder / "qformer_tokenizer")
    preprocessor = {"image_processor_type": family.image_processor, **family.image_settings}
    for name, content in (("preprocessor", preprocessor), ("processor", family.settings)):
        if content:
            (folder / f"{name}_config.json").write_text(json.dumps({"processor_class": family.processor, **content}))
    if template:
        (folder / "chat_template.jinja").write_text(TEMPLATE.replace("MARK", family.mark or family.tokens[0]))
    return folder


def _square(px: int) -> dict[str, int]:
    return {"height": px, "width": px}


_PATCHES = {"patch_size": 14, "merge_size": 2, "temporal_patch_size": 2,
            "size": {"shortest_edge": 3136, "longest_edge": 31360}}  # fmt: skip
_QWEN = ("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>")
_QWEN_MARK = "<|vision_start|><|image_pad|><|vision_end|>"
_GLM = ("<|image|>", "<|video|>", "<|begin_of_video|>", "<|end_of_video|>", "<|begin_of_image|>", "<|end_of_image|>")
_GLM_MARK = "<|begin_of_image|><|image|><|end_of_image|>"
_IDEFICS = ("<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>",
            *(f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)))  # fmt: skip
_TILES = {"size": {"longest_edge": 64}, "max_image_size": {"longest_edge": 32}}
_CLIP = {"size": {"shortest_edge": 16}, "crop_size": _square(16)}
_LLAVA = {"patch_size": 4, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
_DEEPSEEK = {"image_token": "<image_placeholder>"}

WITH_VIDEO = {
    # Squares of 28 pixels: 2 x 2, and 2 x 4.
    "qwen2_vl": Family("Qwen2VLProcessor", "Qwen2VLImageProcessor", _PATCHES, _QWEN, (4, 8), mark=_QWEN_MARK),
    "qwen2_5_vl": Family("Qwen2_5_VLProcessor", "Qwen2VLImageProcessor", _PATCHES, _QWEN, (4, 8), mark=_QWEN_MARK),
    "glm4v": Family("Glm4vProcessor", "Glm4vImageProcessor", _PATCHES, _GLM, (4, 8), mark=_GLM_MARK),
    # Squares of 32 pixels, after rounding to 64 x 64 and 128 x 64.
    "qwen3_vl": Family(
        "Qwen3VLProcessor", "Qwen2VLImageProcessorFast", {**_PATCHES, "patch_size": 16}, _QWEN, (4, 8), mark=_QWEN_MARK,
    ),
    # Tiles of 4 tokens: 2 x 2 and 4 x 2, and the whole image once more.
    "internvl": Family(
        "InternVLProcessor", "GotOcr2ImageProcessor", {"size": _square(32)},
        ("<IMG_CONTEXT>", "<img>", "</img>", "<video>"), (20, 36), {"image_seq_length": 4},
        named={"start_image_token": "<img>", "end_image_token": "</img>", "context_image_token": "<IMG_CONTEXT>",
               "video_token": "<video>"},
    ),
    # 4 x 4 for the whole image; 8 rows of 8, or 4 of 8, each with a newline. Two images: each whole, with a newline.
    "llava_onevision": Family(
        "LlavaOnevisionProcessor", "LlavaOnevisionImageProcessor",
        {"size": _square(16), "image_grid_pinpoints": [[16, 16], [16, 32], [32, 16], [32, 32]]},
        ("<image>", "<video>"), (88, 52), {"num_image_tokens": 16, "vision_feature_select_strategy": "full"}, both=34,
    ),
    # Tiles of 4 tokens: 2 x 2 and 1 x 2, and the whole image once more.
    "smolvlm": Family("SmolVLMProcessor", "SmolVLMImageProcessor", _TILES, _IDEFICS, (20, 12), {"image_seq_len": 4}),
}  # fmt: skip
"""Families whose processor transformers does not load without torchvision."""

ASKING = {
    # Squares of 16 pixels, after rounding to 64 x 64 and shrinking to 64 x 32.
    "pixtral": Family(
        "PixtralProcessor", "PixtralImageProcessor", {"size": {"longest_edge": 64}, "patch_size": 8},
        ("[IMG]", "[IMG_BREAK]", "[IMG_END]"), (16, 8), {"patch_size": 8, "spatial_merge_size": 2},
    ),
}  # fmt: skip
"""A family whose processor's module asks for torchvision, though it could do without."""

PLAIN = {
    "llava": Family("LlavaProcessor", "CLIPImageProcessor", _CLIP, ("<image>",), (16, 16), _LLAVA),
    # As llava_onevision, but every image has its tiles.
    "llava_next": Family(
        "LlavaNextProcessor", "LlavaNextImageProcessor",
        {**_CLIP, "image_grid_pinpoints": [[16, 32], [32, 16], [32, 32]]}, ("<image>",), (88, 52), _LLAVA,
    ),
    "deepseek_vl": Family(
        "DeepseekVLProcessor", "DeepseekVLImageProcessor", {"size": _square(16)}, ("<image_placeholder>",), (16, 16),
        {"num_image_tokens": 16}, _DEEPSEEK,
    ),
    "deepseek_vl_hybrid": Family(
        "DeepseekVLHybridProcessor", "DeepseekVLHybridImageProcessor",
        {"size": _square(16), "high_res_size": _square(32)}, ("<image_placeholder>",), (16, 16),
        {"num_image_tokens": 16}, _DEEPSEEK,
    ),
    "idefics3": Family("Idefics3Processor", "Idefics3ImageProcessor", _TILES, _IDEFICS, (20, 12), {"image_seq_len": 4}),
    "paligemma": Family(
        "PaliGemmaProcessor", "SiglipImageProcessor", {"size": _square(16), "image_seq_length": 16}, ("<image>",),
        (16, 16), takes=(1, 2),
    ),
    "gemma3": Family(
        "Gemma3Processor", "Gemma3ImageProcessor", {"size": _square(16)},
        ("<start_of_image>", "<end_of_image>", "<image_soft_token>"), (4, 4), {"image_seq_length": 4},
        {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"},
        vision="<image_soft_token>",
    ),
    "janus": Family(
        "JanusProcessor", "JanusImageProcessor", {"size": _square(16)}, ("<image_placeholder>", "<boi>", "<eoi>"),
        (16, 16), {"num_image_tokens": 16}, {**_DEEPSEEK, "boi_token": "<boi>", "eoi_token": "<eoi>"},
    ),
    # Tiles of 2 x 2 tokens: 3 x 3 and 4 x 2, and the whole image once more.
    "aya_vision": Family(
        "AyaVisionProcessor", "GotOcr2ImageProcessor", {"size": _square(16)},
        ("<image>", "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "TILE", "TILE_GLOBAL"), (40, 36),
        {"patch_size": 4, "img_size": 16, "downsample_factor": 2}, vision="<|IMG_PATCH|>",
    ),
    "ovis2": Family(
        "Ovis2Processor", "Ovis2ImageProcessor", {"size": _square(16)},
        ("<image>", "<IMG_ATOM>", "<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"), (4, 4),
        {"image_seq_length": 4}, vision="<IMG_ATOM>",
    ),
    # The image is read by cross-attention: one token says where.
    "mllama": Family(
        "MllamaProcessor", "MllamaImageProcessor", {"size": _square(16), "max_image_tiles": 4},
        ("<|image|>", "<|python_tag|>"), (1, 1),
    ),
    "instructblip": Family(
        "InstructBlipProcessor", "BlipImageProcessor", {"size": _square(16)}, ("<image>",), (4, 4),
        {"num_query_tokens": 4}, takes=(0, 1),
    ),
}  # fmt: skip
"""Families whose processor loads anywhere."""

FAMILIES = {**WITH_VIDEO, **ASKING, **PLAIN}

ONLY_WITH_TORCHVISION = {
    "Llama4Processor": "Llama4ImageProcessorFast",
    "Phi4MultimodalProcessor": "Phi4MultimodalImageProcessorFast",
    "Molmo2Processor": "Molmo2ImageProcessor",
    "Kimi_K25Processor": "Kimi_K25ImageProcessor",
}
"""Processors whose image processor transformers has for torchvision only."""
