"""A live model under one skip set, as a harness asks it: batches of questions, and the loss of a continuation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice

import torch

from skipit_nb.backend.live.memory import memory_given_back
from skipit_nb.backend.trie.logits import last_logits
from skipit_nb.backend.trie.scores import with_answers
from skipit_nb.errors import SettingError
from skipit_nb.integrations.lmms_eval.asked import Asked
from skipit_nb.session import Session
from skipit_nb.skipset import SkipSet


@dataclass(frozen=True, slots=True)
class Written:
    """What the model wrote."""

    text: str
    num_prompt_tokens: int
    num_new_tokens: int


@dataclass(frozen=True, slots=True)
class Answering:
    """A session's model under one skip set."""

    session: Session
    skipset: SkipSet
    batch_size: int

    def write(self, questions: Iterable[Asked]) -> Iterator[Written]:
        """Answer questions greedily, in their order, as `session.compare` does.

        Neighbours whose answers end alike share a batch. Questions are taken, and their images opened, batch by batch.
        """
        for (length, until), run in groupby(questions, key=lambda asked: (asked.max_new_tokens, asked.until)):
            while batch := list(islice(run, self.batch_size)):
                yield from self._batch(batch, length, until)

    def _batch(self, batch: Sequence[Asked], max_new_tokens: int, until: Sequence[str]) -> list[Written]:
        live = self.session._open
        inputs = live.inputs([list(asked.images) or None for asked in batch], [asked.text for asked in batch])
        lengths = inputs["attention_mask"].sum(1).tolist()
        with memory_given_back(live.device), self.session.skipping(self.skipset):
            answers = live.generate(inputs, max_new_tokens=max_new_tokens, until=until)
        return [
            Written(answer.text, length, answer.num_tokens) for answer, length in zip(answers, lengths, strict=True)
        ]

    @torch.inference_mode()
    def loss(self, images: Sequence[object], text: str, continuation: str) -> tuple[float, bool]:
        """How unlikely a continuation is: the mean of -ln p over its tokens, 0 is certain; and if greedy writes it.

        Raises:
            SettingError: If the continuation is empty, or the model reads prompt and continuation in both directions.
        """
        live = self.session._open
        if not continuation.strip():
            raise SettingError("a continuation", continuation, "some text")
        if live.anatomy.reads_both_ways:
            raise SettingError("output_type", "loglikelihood", "generate_until: this model reads its prompt both ways")
        answer = live.answer_ids(continuation.strip())
        inputs = with_answers(live.inputs([list(images) or None], [text]), [answer])
        with memory_given_back(live.device), self.session.skipping(self.skipset):
            logits = last_logits(live, inputs, len(answer) + 1)[0, :-1].float()
        wanted = torch.tensor(answer, device=logits.device)
        losses = -logits.log_softmax(-1).gather(1, wanted[:, None])
        return float(losses.mean()), bool((logits.argmax(-1) == wanted).all())
