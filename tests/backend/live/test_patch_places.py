"""Where each vision token lies on its picture, told by the picture's own colours.

Red grows with x and green with y; blue is the same everywhere, and less where black padding is mixed in. A real
processor cuts such a picture, and the model's own code puts the pieces in order; so the mean colour of a token says
where it is from, whatever formula says so too.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from torch import Tensor
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaNextProcessor,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    LlavaOnevisionProcessor,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2VLConfig,
    SiglipVisionConfig,
)
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from skipit_nb.backend.live.patch_places import patch_places
from skipit_nb.backend.live.processors import WithoutVideo
from skipit_nb.results import PatchPlace

IMAGE = 1
PLAIN: dict[str, Any] = {"do_normalize": False, "do_convert_rgb": True, "resample": 2}
"""Colours come out as they went in, between 0 and 1."""

EDGE, PATCH = 32, 8
"""Pixels of a tile and of a patch: 4 × 4 patches a tile."""


def tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({"?": 0, "<image>": IMAGE, "<video>": 2}, unk_token="?"))  # noqa: S106 - no password
    words.pre_tokenizer = WhitespaceSplit()
    special = {"additional_special_tokens": ["<image>", "<video>"], "unk_token": "?", "pad_token": "?"}
    return PreTrainedTokenizerFast(tokenizer_object=words, **special)


def picture(width: int, height: int) -> Image.Image:
    x, y = np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)
    return Image.fromarray((255 * np.stack([x, y, np.full_like(x, 0.5)], 2)).round().astype(np.uint8))


def processed(processor: Any, *pictures: Image.Image) -> tuple[dict[str, Tensor], int]:
    """What the processor gives for one question about these pictures, and how many vision tokens it asks for."""
    batch = processor(text=["<image> " * len(pictures) + "?"], images=[[*pictures]], return_tensors="pt")
    return dict(batch), int((batch["input_ids"] == IMAGE).sum())


def sizes(*pictures: Image.Image) -> list[tuple[int, int]]:
    return [(one.height, one.width) for one in pictures]


def colors_of(pixels: Tensor, patch: int = PATCH) -> Tensor:
    """Mean colour of each patch in reading order: [..., tokens, RGB]."""
    cut = pixels.unfold(-2, patch, patch).unfold(-2, patch, patch).mean((-1, -2))  # [..., RGB, rows, columns]
    return cut.flatten(-2).transpose(-1, -2)


def check(places: tuple[PatchPlace | None, ...], colors: Tensor, tolerance: float = 0.02) -> None:
    """Every token lies where its colours say; one without a place is padding, or a newline."""
    assert len(places) == len(colors)
    assert any(places)
    for place, (red, green, blue) in zip(places, colors.tolist(), strict=True):
        assert (place is None) == (blue < 0.01 or blue == float(NEWLINE[2]))
        if place is not None:
            middle = (place.left + place.right) / 2, (place.top + place.bottom) / 2
            assert middle == pytest.approx((red / blue / 2, green / blue / 2), abs=tolerance)
            assert 0 <= place.left < place.right <= 1
            assert 0 <= place.top < place.bottom <= 1


# ── LLaVA, and the model in the box ──────────────────────────────────────────────────────────────────────────────────


def llava(part: Any, strategy: str = "default", extra: int = 1) -> tuple[LlavaProcessor, LlavaConfig]:
    processor = LlavaProcessor(
        part,
        tokenizer(),
        patch_size=PATCH,
        vision_feature_select_strategy=strategy,
        num_additional_image_tokens=extra,
    )
    vision = CLIPVisionConfig(image_size=EDGE, patch_size=PATCH)
    return processor, LlavaConfig(vision_config=vision, text_config=LlamaConfig(), image_token_index=IMAGE)


CROPPED = CLIPImageProcessorPil(size={"shortest_edge": EDGE}, crop_size={"height": EDGE, "width": EDGE}, **PLAIN)


@pytest.mark.parametrize("width, height", [(64, 64), (96, 64), (50, 120), (20, 24)])
def test_a_cropped_picture_has_its_tokens_in_the_crop(width: int, height: int) -> None:
    processor, config = llava(CROPPED)
    seen = picture(width, height)
    inputs, count = processed(processor, seen)
    places = patch_places(inputs, sizes(seen), CROPPED, config, count)
    assert count == 16
    check(places, colors_of(inputs["pixel_values"][0]))
    assert min(place.left for place in places if place) == pytest.approx(max(0, (1 - height / width) / 2), abs=0.02)


def test_a_class_token_has_no_place() -> None:
    processor, config = llava(CROPPED, "full")
    inputs, count = processed(processor, picture(64, 64))
    places = patch_places(inputs, [(64, 64)], CROPPED, config, count)
    assert (count, places[0]) == (17, None)
    check(places[1:], colors_of(inputs["pixel_values"][0]))


def test_a_picture_padded_to_a_square_has_no_token_in_the_padding() -> None:
    edges = {"size": {"shortest_edge": EDGE}, "crop_size": {"height": EDGE, "width": EDGE}}
    part = LlavaImageProcessorPil(do_pad=True, image_mean=[0.0, 0.0, 0.0], **edges, **PLAIN)  # pads with black
    processor, config = llava(part)
    wide = picture(128, 64)
    inputs, count = processed(processor, wide)
    places = patch_places(inputs, sizes(wide), part, config, count)
    assert [place is None for place in places] == [True] * 4 + [False] * 8 + [True] * 4
    check(places, colors_of(inputs["pixel_values"][0]))


def test_several_pictures_have_a_grid_each() -> None:
    processor, config = llava(CROPPED)
    both = picture(64, 64), picture(96, 64)
    inputs, count = processed(processor, *both)
    places = patch_places(inputs, sizes(*both), CROPPED, config, count)
    assert [place.image for place in places if place] == [0] * 16 + [1] * 16
    check(places, colors_of(inputs["pixel_values"]).flatten(0, 1))


def test_pooled_patches_are_one_token() -> None:
    part = CLIPImageProcessorPil(size={"height": EDGE, "width": EDGE}, do_center_crop=False, **PLAIN)
    pixels = part(picture(80, 40), return_tensors="pt")["pixel_values"]
    config = SimpleNamespace(vision_config=SimpleNamespace(patch_size=PATCH))
    places = patch_places({"pixel_values": pixels}, [(40, 80)], part, config, 4)
    check(places, colors_of(pixels[0], 2 * PATCH))


# ── LLaVA-NeXT and LLaVA-OneVision: the whole, then tiles ────────────────────────────────────────────────────────────

PINPOINTS = [[EDGE, 2 * EDGE], [2 * EDGE, EDGE], [2 * EDGE, 2 * EDGE], [EDGE, 3 * EDGE]]
NEWLINE = torch.tensor([9.0, 9.0, 9.0])
TEXT = {"hidden_size": 3, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1, "vocab_size": 4}
EYES = {"hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1}


def llava_next() -> tuple[LlavaNextProcessor, LlavaNextForConditionalGeneration]:
    edges = {"size": {"shortest_edge": EDGE}, "crop_size": {"height": EDGE, "width": EDGE}}
    part = LlavaNextImageProcessorPil(image_grid_pinpoints=PINPOINTS, **edges, **PLAIN)
    vision = CLIPVisionConfig(image_size=EDGE, patch_size=PATCH, **EYES)
    config = LlavaNextConfig(
        vision_config=vision,
        text_config=LlamaConfig(**TEXT),
        image_token_index=IMAGE,
        image_grid_pinpoints=PINPOINTS,
    )
    chosen = {"patch_size": PATCH, "vision_feature_select_strategy": "default", "num_additional_image_tokens": 1}
    return LlavaNextProcessor(part, tokenizer(), **chosen), LlavaNextForConditionalGeneration(config)


def packed(model: Any, inputs: dict[str, Tensor], tiles: list[int], *more: Any, **named: Any) -> Tensor:
    """Colours of the vision tokens in the order of the model's own code."""
    features = [colors_of(own[:n]) for own, n in zip(inputs["pixel_values"], tiles, strict=True)]
    joined, _ = model.model.pack_image_features(features, inputs["image_sizes"], *more, image_newline=NEWLINE, **named)
    return torch.cat(list(joined))


TILES = {(120, 60): 3, (60, 120): 3, (100, 90): 5, (200, 50): 4, (61, 37): 5, (90, 30): 4}


@pytest.mark.parametrize("edges", TILES)
def test_tiles_follow_the_whole_and_each_row_ends_in_a_newline(edges: tuple[int, int]) -> None:
    processor, model = llava_next()
    seen = picture(*edges)
    inputs, count = processed(processor, seen)
    places = patch_places(inputs, sizes(seen), processor.image_processor, model.config, count)
    colors = packed(model, inputs, [TILES[edges]], "default")
    check(places, colors)
    assert (colors == NEWLINE).all(1).sum() == places.count(None)
    assert {place.view for place in places[:16] if place} == {0}
    assert {place.view for place in places[16:] if place} == {1}


def test_tiles_of_several_pictures() -> None:
    processor, model = llava_next()
    both = picture(120, 60), picture(100, 90)
    inputs, count = processed(processor, *both)
    places = patch_places(inputs, sizes(*both), processor.image_processor, model.config, count)
    check(places, packed(model, inputs, [3, 5], "default"))
    assert {(place.image, place.view) for place in places if place} == {(0, 0), (0, 1), (1, 0), (1, 1)}


def onevision(limit: int) -> tuple[LlavaOnevisionProcessor, LlavaOnevisionForConditionalGeneration]:
    """A tile has 4 × 4 patches and two more pixels than they need."""
    tile = EDGE + 2
    pinpoints = [[tile * rows, tile * columns] for rows in (1, 2, 3) for columns in (1, 2, 3)]
    size = {"height": tile, "width": tile}
    part = LlavaOnevisionImageProcessorPil(image_grid_pinpoints=pinpoints, size=size, **PLAIN)
    vision = SiglipVisionConfig(image_size=tile, patch_size=PATCH, vision_use_head=False, **EYES)
    aspect = f"anyres_max_{limit}"
    config = LlavaOnevisionConfig(
        vision_config=vision,
        text_config=Qwen2Config(num_key_value_heads=1, **TEXT),
        image_token_index=IMAGE,
        video_token_index=2,
        image_grid_pinpoints=pinpoints,
        vision_aspect_ratio=aspect,
    )
    chosen = {"num_image_tokens": 16, "vision_feature_select_strategy": "full", "vision_aspect_ratio": aspect}
    alike: Any = type("LlavaOnevisionProcessor", (LlavaOnevisionProcessor, WithoutVideo), {})  # no torchvision here
    processor = alike(part, tokenizer(), WithoutVideo.video_processor, **chosen)
    return processor, LlavaOnevisionForConditionalGeneration(config)


@pytest.mark.parametrize("limit", [9, 2])
def test_a_grid_of_tiles_that_is_too_large_is_shrunk(limit: int) -> None:
    processor, model = onevision(limit)
    seen = picture(100, 90)
    inputs, count = processed(processor, seen)
    places = patch_places(inputs, sizes(seen), processor.image_processor, model.config, count)
    colors = packed(model, inputs, [inputs["pixel_values"].shape[1]], vision_aspect_ratio=f"anyres_max_{limit}")
    check(places, colors)
    assert (places.count(None) < 10) == (limit == 2)


def test_pictures_that_share_a_prompt_are_seen_as_wholes_only() -> None:
    processor, model = onevision(9)
    both = picture(100, 90), picture(40, 40)
    inputs, count = processed(processor, *both)
    places = patch_places(inputs, sizes(*both), processor.image_processor, model.config, count)
    assert [place and place.image for place in places] == [*[0] * 16, None, *[1] * 16, None]


# ── Qwen2-VL ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("edges", [(64, 64), (90, 50), (33, 120)])
def test_merged_grids_cover_the_whole_picture(edges: tuple[int, int]) -> None:
    limits = {"shortest_edge": 16 * 16, "longest_edge": 96 * 96}
    part = Qwen2VLImageProcessorPil(patch_size=PATCH, merge_size=2, temporal_patch_size=2, size=limits, **PLAIN)
    both = picture(*edges), picture(48, 32)
    inputs = dict(part([*both], return_tensors="pt"))
    # A patch's values are [RGB, time, y, x]; four patches are one token.
    colors = inputs["pixel_values"].unflatten(1, (3, -1)).mean(2).unflatten(0, (-1, 4)).mean(1)
    places = patch_places(inputs, sizes(*both), part, Qwen2VLConfig(), len(colors))
    check(places, colors)
    assert [place.image for place in places if place].count(1) == 6


# ── what is not known ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_count_that_does_not_fit_gives_no_places_rather_than_wrong_ones() -> None:
    processor, config = llava(CROPPED)
    inputs, _ = processed(processor, picture(64, 64))
    assert patch_places(inputs, [(64, 64)], CROPPED, config, 15) == ()
    assert patch_places(inputs, [], CROPPED, config, 0) == ()
    assert patch_places({}, [(64, 64)], CROPPED, config, 16) == ()
