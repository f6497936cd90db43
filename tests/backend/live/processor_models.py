"""A tiny model for each family of `processor_files`: its real class, random weights, for exactly those files."""

from __future__ import annotations

from typing import Any

import torch
from transformers import AutoConfig, AutoModelForImageTextToText, PreTrainedModel

from tests.backend.live.processor_files import BEGIN, END, FAMILIES, PAD, tokenizer

TEXT = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 4, "num_attention_heads": 4, "head_dim": 8,
    "num_key_value_heads": 2, "initializer_range": 0.3,
}  # fmt: skip
ROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [2, 1, 1]}}
TOWER = {
    "patch_size": 4, "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2,
    "initializer_range": 0.2, "vision_use_head": False,
}  # fmt: skip
QWEN_TOWER = {
    "depth": 2, "hidden_size": 24, "intermediate_size": 40, "num_heads": 2, "out_hidden_size": 32, "patch_size": 14,
    "initializer_range": 0.3,
}  # fmt: skip
TILES = [[16, 32], [32, 16], [32, 32]]

MODELS: dict[str, dict[str, Any]] = {
    "qwen2_vl": {"vision_config": {**QWEN_TOWER, "embed_dim": 24, "hidden_size": 32}, "text_config": ROPE},
    "qwen2_5_vl": {"vision_config": {**QWEN_TOWER, "fullatt_block_indexes": [1]}, "text_config": ROPE},
    "glm4v": {"vision_config": {**QWEN_TOWER, "image_size": 112}, "text_config": ROPE},
    "qwen3_vl": {
        "vision_config": {
            **QWEN_TOWER, "patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1],
        },
        "text_config": ROPE,
    },
    "internvl": {"vision_config": {**TOWER, "image_size": 32, "patch_size": 8}, "image_seq_length": 4},
    "llava_onevision": {
        "vision_config": {"model_type": "siglip_vision_model", **TOWER, "image_size": 16},
        "image_grid_pinpoints": [[16, 16], *TILES],
    },
    "smolvlm": {"vision_config": {**TOWER, "image_size": 32, "patch_size": 8}},
    "pixtral": {
        "model_type": "mistral3",
        "vision_config": {"model_type": "pixtral", **TOWER, "image_size": 64, "patch_size": 8},
        "text_config": {"model_type": "mistral", "sliding_window": None},
    },
    "llava": {"vision_config": {"model_type": "clip_vision_model", **TOWER, "image_size": 16}},
    "llava_next": {
        "vision_config": {"model_type": "clip_vision_model", **TOWER, "image_size": 16}, "image_grid_pinpoints": TILES,
    },
    "deepseek_vl": {"vision_config": {"model_type": "siglip_vision_model", **TOWER, "image_size": 16}},
    "deepseek_vl_hybrid": {
        "vision_config": {"model_type": "siglip_vision_model", **TOWER, "image_size": 16},
        "high_res_vision_config": {
            "image_size": 32, "patch_size": 8, "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "output_channels": 8, "window_size": 2, "global_attn_indexes": [1],
        },
    },
    "idefics3": {"vision_config": {**TOWER, "image_size": 32, "patch_size": 8}},
    "paligemma": {
        "vision_config": {"model_type": "siglip_vision_model", **TOWER, "image_size": 16},
        "projection_dim": 32, "hidden_size": 32,
    },
    "gemma3": {
        "vision_config": {"model_type": "siglip_vision_model", **TOWER, "image_size": 16}, "mm_tokens_per_image": 4,
    },
    "janus": {
        "vision_config": {**TOWER, "image_size": 16, "mlp_ratio": 2.0, "projection_dim": 32, "num_image_tokens": 16},
        "vq_config": {
            "base_channels": 32, "channel_multiplier": [1], "num_res_blocks": 0, "num_embeddings": 8, "embed_dim": 4,
            "latent_channels": 32, "projection_dim": 32, "image_token_embed_dim": 32,
        },
    },
    "aya_vision": {
        "vision_config": {"model_type": "siglip_vision_model", **TOWER, "image_size": 16},
        "text_config": {"layer_types": ["sliding_attention", "full_attention"] * 2, "sliding_window": 8},
    },
    "ovis2": {
        "vision_config": {**TOWER, "image_size": 16, "hidden_stride": 2, "vocab_size": 45},
        "visual_indicator_token_ids": [6, 7, 8, 9, 10], "vocab_size": 22, "hidden_size": 32,
    },
    "mllama": {
        "vision_config": {
            **TOWER, "attention_heads": 2, "num_global_layers": 1, "intermediate_layers_indices": [0],
            "vision_output_dim": 48, "image_size": 16, "max_num_tiles": 4,
        },
        "text_config": {"cross_attention_layers": [1]},
    },
    "instructblip": {
        "vision_config": {**TOWER, "image_size": 16},
        "qformer_config": {
            "hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2,
            "vocab_size": 20, "initializer_range": 0.2,
        },
        "text_config": {"model_type": "llama"},
        "num_query_tokens": 4,
    },
}  # fmt: skip


def tiny_model(name: str) -> PreTrainedModel:
    """A family's model with random weights."""
    torch.manual_seed(0)
    family, more = FAMILIES[name], MODELS[name]
    words = tokenizer(family.tokens, family.named)
    token = words.convert_tokens_to_ids
    text = {**TEXT, "vocab_size": len(words), "pad_token_id": token(PAD), "bos_token_id": token(BEGIN),
            "eos_token_id": token(END), **more.get("text_config", {})}  # fmt: skip
    image = token(family.vision or family.tokens[0])
    ids = {"image_token_id": image}
    if "<|vision_start|>" in family.tokens:
        ids |= {"video_token_id": token("<|video_pad|>"), "vision_start_token_id": token("<|vision_start|>")}
    model_type = more.get("model_type", name)
    settings = {key: value for key, value in more.items() if key != "model_type"}
    config = AutoConfig.for_model(model_type, **{**settings, **ids, "text_config": text})
    model = AutoModelForImageTextToText.from_config(config).eval()
    for part, weights in model.named_parameters():
        if part.endswith(("gate", "mm_input_projection_weight")):
            torch.nn.init.normal_(weights)  # zero in a new model, which then sees nothing
    model.generation_config.suppress_tokens = list(range(token(END) + 1 + len(family.tokens)))
    return model
