"""Ask a question, or run the model, under a skip set."""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager
from typing import Any

import torch

from skipit_nb.backend.evaluation.what_if import what_if
from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.selection.dropping import dropping
from skipit_nb.backend.tasks.registry import task_names
from skipit_nb.backend.tasks.sampling import as_task
from skipit_nb.backend.tasks.task import Example, Task
from skipit_nb.jobs import Tick, no_tick
from skipit_nb.results import Answer, WhatIf
from skipit_nb.session.bound import Bound, at_least
from skipit_nb.skipset import SkipSet
from skipit_nb.tokendrop import TokenDrop

ANSWER_TOKENS = 32
"""Longest free answer, unless asked for more."""


class UnknownWordsWarning(UserWarning):
    """A question has words that the model has no token for; it answers all the same."""


class Asks(Bound):
    """The model under a skip set, and the questions there are."""

    def skipping(
        self, skipset: SkipSet | str | None, *, vision: torch.Tensor | None = None
    ) -> AbstractContextManager[None]:
        """Run the model under a skip set inside a `with` block; exact, cached or not; afterwards it is as before.

        Args:
            skipset: What is skipped; None for nothing.
            vision: [batch, seq] bool, the prompt's vision rows, only for calls that give no `input_ids` to find them
                by.

        Raises:
            LayerIndexError: If the set names a layer this model does not have.
            UnsupportedSkipError: If this model cannot run the set exactly.
            PaddingError: Inside the block, if a batch that is padded on the right is asked to generate.
        """
        return self._open.skipping(self._bound(skipset), vision=vision)

    def dropping(self, drop: TokenDrop) -> AbstractContextManager[None]:
        """Run the model with vision tokens dropped inside a `with` block, as FastV and PyramidDrop do.

        Which tokens fall is chosen anew for every prompt, by the attention they get; the others keep their positions.
        Exact in prefill and decoding, cached or not; afterwards the model is as before.

        Args:
            drop: Such as `TokenDrop.fastv(layer=2, drop=0.5)` or `TokenDrop.pyramid_drop(session.num_layers)`.

        Raises:
            LayerIndexError: If a stage begins behind the last layer.
            UnsupportedSkipError: If vision tokens cannot be absent there, or attention cannot be read; inside the
                block, if an image comes in the middle of a conversation.
            PaddingError: Inside the block, for a batch that is padded on the right.
        """
        return dropping(self._open, drop)

    def ask(
        self,
        image: Any,
        question: str,
        *,
        skipset: SkipSet | str | None = None,
        max_new_tokens: int = ANSWER_TOKENS,
    ) -> Answer:
        """Answer one question about an image, greedily, under a skip set.

        Warns (`UnknownWordsWarning`) of words the model has no token for: the model in the box knows few.

        Args:
            image: A PIL image, an array or a path; a list of them, which all go before the question; or None.
            question: What to ask.
            skipset: What is skipped; None for the full model.
            max_new_tokens: Longest answer.

        Raises:
            ImageError: If it is not an image.
            QuestionError: If the question has no text.
            PromptError: If this model's family takes another number of images.
            SettingError: If there may be no new token.
        """
        live, bound = self._open, self._bound(skipset)
        at_least("max_new_tokens", max_new_tokens, 1)
        inputs = live.inputs([image], [question])
        if unknown := live.unknown_words(question):
            warnings.warn(f"{live.name} does not know: {', '.join(unknown)}", UnknownWordsWarning, stacklevel=2)
        with memory_given_back(live.device), live.skipping(bound):
            answer = live.generate(inputs, max_new_tokens=max_new_tokens)[0]
        return Answer(answer.text, answer.probability, bound, answer.num_tokens)

    def what_if(
        self,
        image: Any,
        question: str,
        skipset: SkipSet | str | None,
        *,
        max_new_tokens: int = ANSWER_TOKENS,
        progress: Tick | None = None,
    ) -> WhatIf:
        """Answer one question under a skip set and under the full model, and say how far the next token has moved.

        One question shows what a set does, never how good it is: `compare` judges it.

        Args:
            image: As `ask` takes it.
            question: What to ask.
            skipset: What is skipped; None for nothing.
            max_new_tokens: Longest answer.
            progress: Called with the steps done of all; a job that was cancelled stops there.

        Raises:
            LayerIndexError: If the set names a layer this model does not have.
            UnsupportedSkipError: If this model cannot run the set exactly.
            ImageError: If it is not an image.
            QuestionError: If the question has no text.
            PromptError: If this model's family takes another number of images.
            SettingError: If there may be no new token.
        """
        live, bound, tick = self._open, self._bound(skipset), progress or no_tick
        at_least("max_new_tokens", max_new_tokens, 1)
        with memory_given_back(live.device):
            return what_if(live, image, question, bound, max_new_tokens=max_new_tokens, tick=tick)

    def tasks(self) -> tuple[str, ...]:
        """Names of the tasks in the box."""
        return task_names()

    def examples(
        self, task: str | Task, *, limit: int | None = None, seed: int = 0, split: str | None = None
    ) -> tuple[Example, ...]:
        """Questions of a task: whole images in seeded order until at least `limit` questions; None for all.

        The split is the one that is reported (of a task in the box its test), unless another is named.

        Raises:
            UnknownTaskError: If there is no such task.
            LimitError: If the limit is below 1.
        """
        return as_task(task, split).sample(limit, seed)

    def example(self, task: str | Task, key: str) -> Example:
        """One question by its document key."""
        return as_task(task).example(key)
