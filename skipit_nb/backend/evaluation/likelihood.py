"""How likely each choice is as the answer: true log-probabilities, from one prefill a question.

A prompt is read once. Its last logits give every choice of one token, and the first token of all others. What follows
is read from copies of the prompt's cache, one choice of each question at a time, the longest first; so the memory is
that of two caches, however many choices there are.

A choice is scored as the beginning of an answer: no end of the answer stands behind it, as in other harnesses. So of
two choices of which one begins the other, the longer is never the likelier by the sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest

import torch
from torch import Tensor

from skipit_nb.backend.evaluation.choices import Choices
from skipit_nb.backend.evaluation.prefix import Prefix
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example

Ids = tuple[int, ...]
"""The tokens of one choice, at least one."""


def likelihoods_of_choices(live: LiveModel, inputs: Inputs, batch: Sequence[Example]) -> tuple[list[str], Tensor]:
    """What a model under the skip set at work thinks of the choices of each question, as `Choices` writes it down.

    Returns:
        A text per question, and the log-probabilities [batch, vocab] of the first token of the answers.
    """
    choices = [Choices.of(example) for example in batch]
    found, first = log_likelihoods(live, inputs, [[live.answer_ids(text) for text in own.texts] for own in choices])
    return [own.written(values) for own, values in zip(choices, found, strict=True)], first


@torch.inference_mode()
def log_likelihoods(
    live: LiveModel, inputs: Inputs, choices: Sequence[Sequence[Ids]]
) -> tuple[list[tuple[float, ...]], Tensor]:
    """The natural log of the probability that each choice follows its prompt: 0 is certain, lower is less likely.

        log P(choice) = Σ over its tokens of log P(token | prompt, the choice's tokens before)

    It is what running prompt and choice from scratch gives, and what `generate` sees on its way to the choice. Call it
    inside `skipping`.

    Args:
        live: The model.
        inputs: The prompts.
        choices: For each prompt the tokens of its choices.

    Returns:
        For each prompt one number a choice, in nats; and the log-probabilities [batch, vocab] of the first token.
    """
    prefix = Prefix.of(live, inputs)
    found = [{own: float(logs[own[0]]) for own in some} for logs, some in zip(prefix.first, choices, strict=True)]
    for turn in _turns(choices):
        logs = prefix.after(live, _filled(turn).to(prefix.first.device))
        for row, own in enumerate(turn):
            if own:
                found[row][own] += float(logs[row, range(len(own) - 1), own[1:]].sum())
    return [tuple(known[own] for own in some) for known, some in zip(found, choices, strict=True)], prefix.first


def _turns(choices: Sequence[Sequence[Ids]]) -> Iterator[tuple[Ids, ...]]:
    """The choices of more than one token, one of each prompt at a time; () for a prompt that has no more."""
    longer = [sorted({own for own in some if len(own) > 1}, key=lambda own: (-len(own), own)) for some in choices]
    return zip_longest(*longer, fillvalue=())


def _filled(turn: Sequence[Ids]) -> Tensor:
    """All tokens but each choice's last [batch, token]; filled up on the right, where nothing that counts sees it."""
    longest = max(turn, key=len)
    return torch.tensor([(own + longest[len(own) :])[:-1] for own in turn])
