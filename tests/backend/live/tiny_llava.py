"""A LLaVA of four layers with random weights, large enough that every difference shows."""

import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

IMAGE, PAD, BEGIN, END = 49, 1, 2, 3
NUM_LAYERS = 4
NUM_VISION = 16


def tiny_llava(attention: str = "sdpa", seed: int = 0) -> LlavaForConditionalGeneration:
    torch.manual_seed(seed)
    vision = CLIPVisionConfig(
        image_size=16, patch_size=4, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2
    )
    text = LlamaConfig(
        vocab_size=50, hidden_size=32, intermediate_size=48, num_hidden_layers=NUM_LAYERS, num_attention_heads=4,
        num_key_value_heads=2, initializer_range=0.3, pad_token_id=PAD, bos_token_id=BEGIN, eos_token_id=END,
    )  # fmt: skip
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_id=IMAGE, image_seq_length=NUM_VISION)
    model = LlavaForConditionalGeneration(config).eval()
    model.set_attn_implementation(attention)
    return model


def prompts(*, padded: bool, text_only_row: bool = False) -> dict[str, torch.Tensor]:
    """Two prompts of different length, left-padded (or one, unpadded); the third has no image."""
    image = [IMAGE] * NUM_VISION
    rows = [[BEGIN, 7, *image, 5, 6, 7, 8, 9]]
    if padded:
        rows.append([BEGIN, *image, 11, 12, 13])
    if text_only_row:
        rows.append([BEGIN, 20, 21, 22])
    length = max(map(len, rows))
    ids = torch.tensor([[PAD] * (length - len(row)) + row for row in rows])
    images = 1 + padded
    torch.manual_seed(1)
    return {"input_ids": ids, "attention_mask": (ids != PAD).long(), "pixel_values": torch.randn(images, 3, 16, 16)}
