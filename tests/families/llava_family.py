"""LLaVA and its nearest relatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import (
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaNextConfig,
    LlavaNextForConditionalGeneration,
    LlavaOnevisionConfig,
    LlavaOnevisionForConditionalGeneration,
    Mistral3Config,
    Mistral3ForConditionalGeneration,
    MistralConfig,
    PixtralVisionConfig,
    PreTrainedConfig,
    Qwen2Config,
    SiglipVisionConfig,
)

from tests.families.llava_like import (
    FIRST_MARK,
    IMAGE,
    Picture,
    Row,
    noise,
    pictures,
    replica,
    text_config,
    tiles_of_noise,
    tokens,
)
from tests.families.prompts import built
from tests.families.replica import Inputs, Replica

VISION = {"hidden_size": 24, "intermediate_size": 40, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 4}

TILE = 8
"""Edge in pixels of a tile of llava_next and llava_onevision: 2 × 2 vision tokens."""

RESOLUTIONS = [[TILE, 2 * TILE], [2 * TILE, 2 * TILE]]
SQUARE, TALL, WIDE, WHOLE = Picture(16, 16), Picture(16, 8), Picture(8, 16), Picture(0, 0)
NUM_TILES = {SQUARE: 1 + 4, TALL: 1 + 4, WIDE: 1 + 2, WHOLE: 1}
"""The whole picture as one tile, then its parts; a tall one is padded to a square."""

NUM_VISION = {SQUARE: 4 + 4 * (4 + 1), TALL: 4 + 4 * (2 + 1), WIDE: 4 + 2 * (4 + 1), WHOLE: 4 + 1}
"""The whole picture, then rows of vision tokens without those of the padding; a newline ends each row."""

BREAK, STOP = FIRST_MARK, FIRST_MARK + 1


def llava(attention: str, text: PreTrainedConfig | None = None) -> Replica:
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(image_size=16, initializer_range=0.2, **VISION),
        text_config=text or text_config(LlamaConfig),
        image_token_index=IMAGE,
        image_seq_length=16,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        inputs, count = tokens(rows, lambda _: [IMAGE] * 16), len(pictures(*rows))
        return inputs | ({"pixel_values": noise(count, 3, 16, 16)} if count else {})

    return replica(built(LlavaForConditionalGeneration, config, attention), process)


def llava_mistral(attention: str) -> Replica:
    """Every layer sees the last eight tokens only, fewer than any prompt has."""
    return llava(attention, text_config(MistralConfig, sliding_window=8))


def llava_next(attention: str) -> Replica:
    config = LlavaNextConfig(
        vision_config=CLIPVisionConfig(image_size=TILE, initializer_range=0.2, **VISION),
        text_config=text_config(LlamaConfig),
        image_token_index=IMAGE,
        image_grid_pinpoints=RESOLUTIONS,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        inputs, seen = tokens(rows, lambda picture: [IMAGE] * NUM_VISION[picture]), pictures(*rows)
        return inputs | (tiled(seen, [NUM_TILES[picture] for picture in seen]) if seen else {})

    return replica(built(LlavaNextForConditionalGeneration, config, attention), process, SQUARE, TALL)


def llava_onevision(attention: str) -> Replica:
    """A picture that shares its prompt with another is seen as a whole only, with one newline."""
    config = LlavaOnevisionConfig(
        vision_config=SiglipVisionConfig(image_size=TILE, vision_use_head=False, **VISION),
        text_config=text_config(Qwen2Config),
        image_token_index=IMAGE,
        video_token_index=FIRST_MARK,
        image_grid_pinpoints=RESOLUTIONS,
    )

    def process(rows: Sequence[Row]) -> Inputs:
        seen, counts = pictures(*rows), [len(pictures(row)) for row in rows]
        cut = [row if count == 1 else only_whole(row) for row, count in zip(rows, counts, strict=True)]
        inputs = tokens(cut, lambda picture: [IMAGE] * NUM_VISION[picture])
        if not seen:
            return inputs
        tiles = tiled(seen, [NUM_TILES[picture] for picture in pictures(*cut)])
        return inputs | tiles | {"batch_num_images": torch.tensor(counts)}

    return replica(built(LlavaOnevisionForConditionalGeneration, config, attention), process, SQUARE, WIDE)


def mistral3(attention: str) -> Replica:
    """Pictures of any size; 2 × 2 patches are a vision token, and each row of them ends with a mark."""
    config = Mistral3Config(
        vision_config=PixtralVisionConfig(image_size=40, initializer_range=0.2, **VISION),
        text_config=text_config(MistralConfig, sliding_window=None, head_dim=8),
        image_token_index=IMAGE,
    )

    def spell(picture: Picture) -> list[int]:
        rows = [*[IMAGE] * (picture.width // 8), BREAK] * (picture.height // 8)
        return [*rows[:-1], STOP]

    def process(rows: Sequence[Row]) -> Inputs:
        inputs, seen = tokens(rows, spell), pictures(*rows)
        if not seen:
            return inputs
        height, width = (max(edges) for edges in zip(*seen, strict=True))
        pixels = noise(len(seen), 3, height, width)
        for image, picture in zip(pixels, seen, strict=True):
            image[:, picture.height :] = 0
            image[:, :, picture.width :] = 0
        return inputs | {"pixel_values": pixels, "image_sizes": torch.tensor(seen)}

    return replica(
        built(Mistral3ForConditionalGeneration, config, attention), process, Picture(24, 32), Picture(40, 16)
    )


def only_whole(row: Row) -> Row:
    return [WHOLE if isinstance(item, Picture) else item for item in row]


def tiled(seen: Sequence[Picture], counts: Sequence[int]) -> Inputs:
    return {"pixel_values": tiles_of_noise(counts, 3, TILE, TILE), "image_sizes": torch.tensor(seen)}


BUILDERS: dict[str, Callable[[str], Replica]] = {
    builder.__name__: builder for builder in (llava, llava_mistral, llava_next, llava_onevision, mistral3)
}
