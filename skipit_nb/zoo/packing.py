"""Several questions about one image in one sequence, each as if it were alone.

    <s> <image> x 64 | question 1 <answer> word | question 2 <answer> word | ...

Each question sees the prefix and itself, not its neighbours, and its positions start right after the
prefix. So its logits are those of a prompt of its own, and the image is computed once.

Shapes:
    row       sequences of the batch
    seq       tokens of the longest sequence
    question  all questions of the batch
    d_model   width of the decoder
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import LlavaForConditionalGeneration

from skipit_nb.zoo.architecture import NUM_VISION_TOKENS, token_id
from skipit_nb.zoo.corpus import Item
from skipit_nb.zoo.vocabulary import ANSWER, BEGIN, IMAGE, PAD

_PADDING = -1


@dataclass(frozen=True)
class Prefix:
    """What all questions of a sequence see: the image, or some of its patches."""

    ids: tuple[int, ...]
    """Token ids."""
    positions: tuple[int, ...]
    """Position of each token, between 0 and 64."""


@dataclass(frozen=True)
class Packed:
    """A batch of packed sequences."""

    input_ids: Tensor
    """Token ids, row x seq."""
    position_ids: Tensor
    """Positions, row x seq."""
    segments: Tensor
    """0 for the prefix, 1, 2, ... for the questions, -1 for padding; row x seq."""
    answer_rows: Tensor
    """Row of each question's ``<answer>`` token."""
    answer_columns: Tensor
    """Column of each question's ``<answer>`` token; the answer itself stands one further."""
    answers: Tensor
    """Id of each question's answer."""

    @property
    def attention_mask(self) -> Tensor:
        """What each token sees, row x 1 x seq x seq: the prefix, its own question so far, itself."""
        mine, theirs = self.segments[:, :, None], self.segments[:, None, :]
        length = self.segments.shape[1]
        before = torch.ones(length, length, dtype=torch.bool, device=self.segments.device).tril()
        seen = before & ((theirs == 0) | (theirs == mine)) & (theirs != _PADDING)
        # Padding sees itself: a row of nothing would be NaN.
        return (seen | torch.eye(length, dtype=torch.bool, device=seen.device))[:, None]

    def to(self, device: torch.device) -> Packed:
        """Move the batch to a device."""
        return Packed(**{name: tensor.to(device) for name, tensor in vars(self).items()})


def image_prefix(patches: Sequence[int] = range(NUM_VISION_TOKENS)) -> Prefix:
    """Give the prefix of an image: ``<s>`` and an image token for each patch, at the patch's own position."""
    ids = (token_id(BEGIN), *[token_id(IMAGE)] * len(patches))
    return Prefix(ids, (0, *(1 + patch for patch in patches)))


def pack(prefixes: Sequence[Prefix], items: Sequence[Sequence[Item]]) -> Packed:
    """Lay the questions of each row behind its prefix.

    Args:
        prefixes: One a row.
        items: The questions of each row.

    Returns:
        The batch; rows are padded on the right.
    """
    rows = [_lay_out(prefix, row) for prefix, row in zip(prefixes, items, strict=True)]
    length = max(len(ids) for ids, _, _ in rows)
    filled = torch.tensor(
        [
            [
                ids + [token_id(PAD)] * (length - len(ids)),
                positions + [0] * (length - len(ids)),
                segments + [_PADDING] * (length - len(ids)),
            ]
            for ids, positions, segments in rows
        ]
    )
    input_ids, position_ids, segments = filled.unbind(1)
    answer_rows, answer_columns = (input_ids == token_id(ANSWER)).nonzero(as_tuple=True)
    answers = input_ids[answer_rows, answer_columns + 1]
    return Packed(input_ids, position_ids, segments, answer_rows, answer_columns, answers)


def hidden_states(model: LlavaForConditionalGeneration, batch: Packed, vision: Tensor) -> Tensor:
    """Give the decoder's output for a packed batch.

    Args:
        model: The model.
        batch: The packed batch.
        vision: A vector for each image token, row by row: row x 64 x d_model, or token x d_model.

    Returns:
        The normed output of the last layer, row x seq x d_model.
    """
    embeds = model.get_input_embeddings()(batch.input_ids)
    is_vision = batch.input_ids == token_id(IMAGE)
    embeds = embeds.masked_scatter(is_vision[..., None], vision.to(embeds.dtype))
    output = model.model.language_model(
        inputs_embeds=embeds,
        attention_mask=batch.attention_mask,
        position_ids=batch.position_ids,
        use_cache=False,
    )
    hidden: Tensor = output.last_hidden_state
    return hidden


def vision_tokens(model: LlavaForConditionalGeneration, pixels: Tensor) -> Tensor:
    """Give the projected vision tokens of images, row x 64 x d_model."""
    return torch.stack(list(model.get_image_features(pixel_values=pixels).pooler_output))


def _lay_out(prefix: Prefix, items: Sequence[Item]) -> tuple[list[int], list[int], list[int]]:
    ids, positions, segments = list(prefix.ids), list(prefix.positions), [0] * len(prefix.ids)
    for number, item in enumerate(items, start=1):
        words = [*item.question, token_id(ANSWER), item.answer]
        ids += words
        positions += range(1 + NUM_VISION_TOKENS, 1 + NUM_VISION_TOKENS + len(words))
        segments += [number] * len(words)
    return ids, positions, segments
