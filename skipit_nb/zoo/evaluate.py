"""How often a model is right, packed and in batches; and what it would get without looking."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.tasks import Example
from skipit_nb.zoo.corpus import Corpus, pixel_values
from skipit_nb.zoo.packing import hidden_states, image_prefix, pack, vision_tokens

_IMAGES_A_BATCH = 20
_BLANK = 235  # a pale ground, as in both tasks


def accuracy(model: LlavaForConditionalGeneration, corpus: Corpus, *, blank: bool = False) -> list[bool]:
    """Say for each question whether the model's first token is the right answer.

    Args:
        model: The model.
        corpus: Images and questions.
        blank: Show an empty pale image instead of each image: what is left is not seen but guessed.

    Returns:
        Right or wrong, in the order of the corpus.
    """
    images = torch.full_like(corpus.images, _BLANK) if blank else corpus.images
    return [
        right
        for first in range(0, len(corpus), _IMAGES_A_BATCH)
        for right in _are_right(model, corpus, images, range(first, min(first + _IMAGES_A_BATCH, len(corpus))))
    ]


def by_kind(examples: Sequence[Example], right: Sequence[bool]) -> dict[str, dict[str, float]]:
    """Give the share of right answers and the number of questions, for each type of question."""
    kinds: dict[str, list[bool]] = defaultdict(list)
    for example, is_right in zip(examples, right, strict=True):
        kinds[example.kind].append(is_right)
    return {kind: {"accuracy": share(kinds[kind]), "n": len(kinds[kind])} for kind in sorted(kinds)}


def blind(train: Iterable[Example], test: Iterable[Example]) -> list[bool]:
    """Say which test questions are right by the most frequent answer to the same words in training."""
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for example in train:
        answers[example.question][example.answer] += 1
    # On a tie the answer first in the alphabet, so that the baseline is the same on every machine.
    guess = {question: min(counts, key=lambda a: (-counts[a], a)) for question, counts in answers.items()}
    return [guess.get(example.question) == example.answer for example in test]


def share(right: Sequence[bool]) -> float:
    """Give the share of True, from 0 to 1."""
    return sum(right) / len(right)


@torch.inference_mode()
def _are_right(model: LlavaForConditionalGeneration, corpus: Corpus, images: Tensor, batch_images: range) -> list[bool]:
    batch = pack([image_prefix()] * len(batch_images), [corpus.items[image] for image in batch_images])
    batch = batch.to(model.device)
    pixels = pixel_values(images[batch_images.start : batch_images.stop]).to(model.device)
    hidden = hidden_states(model, batch, vision_tokens(model, pixels))
    said = model.lm_head(hidden[batch.answer_rows, batch.answer_columns]).argmax(dim=-1)
    result: list[bool] = (said == batch.answers).tolist()
    return result
