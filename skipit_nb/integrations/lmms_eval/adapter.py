"""`--model skipit`: a class that lmms-eval drives. The only module that imports lmms-eval while it is read."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from lmms_eval.api.instance import GenerationResult, TokenCounts
from lmms_eval.api.model import lmms

from skipit_nb.integrations.lmms_eval.answering import Answering
from skipit_nb.integrations.lmms_eval.arguments import batch_argument, skip_argument, text_argument
from skipit_nb.integrations.lmms_eval.asked import Asked, read_chat, read_simple, visuals
from skipit_nb.progress import shown
from skipit_nb.session import Session
from skipit_nb.skipset import SkipSet

MAX_NEW_TOKENS = 1024
"""Longest answer where a task names none, as in lmms-eval's wrapper of LLaVA."""


class SkipIt(lmms):
    """A model under a skip set, as lmms-eval's chat models are.

    Args:
        pretrained: What `Session.open` takes: "tiny" is the model in the box.
        skip: The skip set, see `skip_argument`.
        batch_size: Questions a batch, the same for both arms.
        device: As in `Session.open`; with several processes each takes the card of its local rank.
        dtype: As in `Session.open`.
        revision: As in `Session.open`.
        attn_implementation: As in `Session.open`.
        max_new_tokens: Longest answer where the task names none.
        session: In Python: an open session, instead of `pretrained`. It stays yours.
    """

    is_simple = False

    def __init__(
        self,
        pretrained: str = "tiny",
        skip: object = None,
        *,
        batch_size: object = 1,
        device: str | None = None,
        dtype: str | None = None,
        revision: object = None,
        attn_implementation: str | None = None,
        max_new_tokens: int = MAX_NEW_TOKENS,
        session: Session | None = None,
    ) -> None:
        super().__init__()
        self._session = session or Session.open(
            pretrained,
            device=_own_card(device),
            dtype=dtype,
            revision=text_argument("revision", revision),
            attn_implementation=attn_implementation,
        )
        skipset = SkipSet.of(skip_argument(skip), num_layers=self._session.num_layers)
        self._answering = Answering(self._session, skipset, batch_argument(batch_size))
        self._max_new_tokens = max_new_tokens

    @property
    def skipset(self) -> SkipSet:
        """What is skipped. It cannot be changed: lmms-eval's cache would serve the answers of the old one."""
        return self._answering.skipset

    @property
    def device(self) -> torch.device:
        """Where inputs go."""
        return torch.device(self._session.model.device)

    def __repr__(self) -> str:
        """All that decides an answer: lmms-eval makes the key of its cache of this."""
        made = self._session.provenance
        facts = (f"{made.model}@{made.revision}", made.dtype, made.attention, f"skip={str(self.skipset)!r}")
        return f"{type(self).__name__}({', '.join(facts)}, batch_size={self._answering.batch_size})"

    def clean(self) -> None:
        """Keep the model: lmms-eval would delete it after every `evaluate`."""

    def generate_until(self, requests: Sequence[Any]) -> list[GenerationResult]:
        """Answer the questions, in their order. An error is raised, never written down as an answer."""
        asked = (self._asked(request.args) for request in requests)
        made: list[GenerationResult] = []
        with shown(None if self.rank == 0 else False, "skipit") as tick:
            for written in self._answering.write(asked):
                counts = TokenCounts(input_tokens=written.num_prompt_tokens, output_tokens=written.num_new_tokens)
                made.append(GenerationResult(written.text, counts))
                tick(len(made), len(requests))
        return made

    def _asked(self, arguments: Sequence[Any]) -> Asked:
        return read_chat(arguments, self.task_dict, max_new_tokens=self._max_new_tokens)

    def loglikelihood(self, requests: Sequence[Any]) -> list[GenerationResult]:
        """Mean loss of each continuation, in nats a token, and whether it is greedy.

        lmms-eval takes the option with the LOWEST one. The pair is wrapped, since lmms-eval 0.7 unwraps every output
        and makes text of a bare pair, so that its multiple-choice tasks end in a ValueError.
        """
        return [
            GenerationResult(self._answering.loss(visuals(request.args, self.task_dict), *request.args[:2]))
            for request in requests
        ]

    def generate_until_multi_round(self, requests: Sequence[Any]) -> list[str]:
        """Several rounds of one conversation, which we do not offer."""
        raise NotImplementedError("skipit answers single questions: choose a task with output_type generate_until")


class SkipItSimple(SkipIt):
    """The same behind lmms-eval's older interface: `--force_simple`, which multiple-choice tasks need."""

    is_simple = True

    def _asked(self, arguments: Sequence[Any]) -> Asked:
        return read_simple(arguments, self.task_dict, max_new_tokens=self._max_new_tokens)


def _own_card(device: str | None) -> str | None:
    """With several processes, started by accelerate or torchrun, each process takes its own card."""
    several = int(os.environ.get("WORLD_SIZE", "1")) > 1
    if several and device in {None, "cuda"} and torch.cuda.is_available():
        return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    return device
