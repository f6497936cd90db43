"""How often a model is right, packed and in batches; and what it would get without looking."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import torch
from transformers import LlavaForConditionalGeneration

from skipit_nb.backend.tasks import Example
from skipit_nb.zoo.corpus import Corpus, pixel_values
from skipit_nb.zoo.dialect import Dialect
from skipit_nb.zoo.packing import hidden_states, image_prefix, pack, vision_tokens

_IMAGES_A_BATCH = 20
_QUESTIONS_A_ROW = 10
_BLANK = 235  # a pale ground, as in both tasks


def accuracy(model: LlavaForConditionalGeneration, dialect: Dialect, corpus: Corpus) -> list[bool]:
    """Say for each question whether the model says every token of the right answer.

    Args:
        model: The model.
        dialect: How its prompts are made of token ids.
        corpus: Images and questions.

    Returns:
        Right or wrong, in the order of the corpus.
    """
    firsts = range(0, len(corpus), _IMAGES_A_BATCH)
    batches = [range(first, min(first + _IMAGES_A_BATCH, len(corpus))) for first in firsts]
    return [right for batch in batches for right in _are_right(model, dialect, corpus, batch)]


def blank_accuracy(model: LlavaForConditionalGeneration, dialect: Dialect, corpus: Corpus) -> list[bool]:
    """Say the same where an empty pale image is shown instead of each image: what is left is not seen but guessed."""
    distinct = {(item.question, item.answer): item for row in corpus.items for item in row}
    items = tuple(distinct.values())
    rows = tuple(items[first : first + _QUESTIONS_A_ROW] for first in range(0, len(items), _QUESTIONS_A_ROW))
    images = torch.full((len(rows), *corpus.images.shape[1:]), _BLANK, dtype=corpus.images.dtype)
    right = dict(zip(distinct, accuracy(model, dialect, Corpus(corpus.name, images, rows)), strict=True))
    return [right[item.question, item.answer] for row in corpus.items for item in row]


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
def _are_right(model: LlavaForConditionalGeneration, dialect: Dialect, corpus: Corpus, chosen: range) -> list[bool]:
    batch = pack(dialect, [image_prefix(dialect)] * len(chosen), [corpus.items[image] for image in chosen])
    batch = batch.to(model.device)
    pixels = pixel_values(corpus.images[chosen.start : chosen.stop]).to(model.device)
    hidden = hidden_states(model, batch, vision_tokens(model, pixels))
    return batch.are_right(model.lm_head(hidden[batch.answer_places]).argmax(dim=-1))
