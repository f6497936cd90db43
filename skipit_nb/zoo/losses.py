"""What a decoder is told it got wrong, in nats."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from transformers import LlavaForConditionalGeneration

from skipit_nb.zoo.packing import Packed

_END_WEIGHT = 0.1


def answers_cross_entropy(model: LlavaForConditionalGeneration, batch: Packed, hidden: Tensor) -> Tensor:
    """Give the cross-entropy of the answers, and a tenth of that of ending them.

    Args:
        model: The model.
        batch: The packed questions with their answers.
        hidden: The decoder's output, row x seq x d_model.
    """
    answers = batch.targets[batch.answer_places]
    ends = torch.full_like(batch.end_places[0], batch.end)
    asked, told = hidden[batch.answer_places], hidden[batch.end_places]
    return _entropy(model, asked, answers) + _END_WEIGHT * _entropy(model, told, ends)


def next_word(model: LlavaForConditionalGeneration, batch: Packed, hidden: Tensor) -> Tensor:
    """Give the cross-entropy of the words within the questions; the image before them foretells none of them."""
    same = (batch.segments[:, 1:] == batch.segments[:, :-1]) & (batch.segments[:, 1:] > 0)
    return _entropy(model, hidden[:, :-1][same], batch.input_ids[:, 1:][same])


def _entropy(model: LlavaForConditionalGeneration, hidden: Tensor, wanted: Tensor) -> Tensor:
    return cross_entropy(model.lm_head(hidden).float(), wanted)
