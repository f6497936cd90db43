"""Questions scored from one prefill under many skip sets: likelihood of the answer, KL, agreement, greedy answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from skipit_nb.backend.live.finite import refuse_nan_logits
from skipit_nb.backend.live.model import Inputs, LiveModel
from skipit_nb.backend.tasks.task import Example
from skipit_nb.backend.trie.logits import ECHO, FULL, Work, logits_of
from skipit_nb.skipset import SkipSet

Run = Callable[[Inputs, int, Work], Iterator[tuple[tuple[int, ...], Tensor]]]
"""Runs a batch under the full model and other arms, and gives the last so many rows' logits as `logits_of` does."""


@dataclass(frozen=True, slots=True)
class Prefilled:
    """One question under the full model (first) and under every skip set, from one prefill."""

    texts: tuple[str, ...]
    """The greedy answer of each arm, one token longer than the right answer so that its end shows, given that its
    tokens before were right. Equal to what `generate` writes wherever that is right."""
    log_likelihoods: tuple[float, ...]
    """Natural log of the probability each arm gives the right answer, summed over its tokens; nan where a family
    reads its prompt in both directions and the answer has more than one token."""
    kls: tuple[float, ...]
    """KL(full ‖ arm) in nats, of the next token after the prompt."""
    reverse_kls: tuple[float, ...]
    """KL(arm ‖ full) of the same, in nats."""
    agrees: tuple[bool, ...]
    """Whether the arm's likeliest next token is the full model's."""
    noise: float | None
    """KL(full ‖ full computed in another batch), in half precision; None in float32."""
    work: Work
    """What the question's batch took."""


def prefill_batch(
    live: LiveModel, batch: Sequence[Example], *, skipsets: Sequence[SkipSet], memory: int | None = None
) -> list[Prefilled]:
    """Score one batch under the full model and every skip set.

    Raises:
        UnsupportedSkipError: If the model cannot run one of the sets.
        MemoryBudgetError: If not even one branch fits into `memory` bytes.
    """
    return score_batch(
        live,
        batch,
        lambda inputs, rows, work: logits_of(live, inputs, skipsets, rows=rows, memory=memory, work=work),
    )


@torch.inference_mode()
def score_batch(live: LiveModel, batch: Sequence[Example], run: Run) -> list[Prefilled]:
    """Score one batch under the full model and every other arm that `run` gives, in the order of their numbers.

    Raises:
        NotFiniteError: If a layer of the full model gives NaN or infinity; the error names it.
    """
    prompts = live.inputs([example.image for example in batch], [example.question for example in batch])
    answers = [live.answer_ids(example.answer) for example in batch]
    leaks = live.anatomy.reads_both_ways
    asked = [answer[:1] if leaks else answer for answer in answers]
    inputs = prompts if leaks else with_answers(prompts, asked)
    arms, work = _arms(live, inputs, run, asked, rows=max(map(len, asked)) + (not leaks))
    ordered, echo = [arms[FULL], *(arms[number] for number in sorted(arms) if number >= 0)], arms.get(ECHO)
    return [
        Prefilled(
            texts=tuple(live.text_of(arm.greedy[i]) for arm in ordered),
            log_likelihoods=tuple(arm.log_likelihoods[i] if own == answers[i] else math.nan for arm in ordered),
            kls=tuple(arm.kls[i] for arm in ordered),
            reverse_kls=tuple(arm.reverse_kls[i] for arm in ordered),
            agrees=tuple(arm.greedy[i][0] == arms[FULL].greedy[i][0] for arm in ordered),
            noise=None if echo is None else echo.kls[i],
            work=work,
        )
        for i, own in enumerate(asked)
    ]


@dataclass(frozen=True, slots=True)
class _Arm:
    """One arm on a batch; lists have one entry per question."""

    greedy: list[tuple[int, ...]]
    log_likelihoods: list[float]
    kls: list[float]
    reverse_kls: list[float]

    @classmethod
    def of(cls, logs: Tensor, reference: Tensor, answers: Sequence[tuple[int, ...]]) -> _Arm:
        """Read log-probabilities [batch, row, vocab] against those of the full model's next token [batch, vocab]."""
        rows = logs.shape[1]
        lengths = torch.tensor([len(answer) for answer in answers])
        wanted = torch.tensor([(answer + (0,) * rows)[:rows] for answer in answers])
        is_answer = (torch.arange(rows) < lengths[:, None]).to(logs.device)
        given = logs.gather(2, wanted.to(logs.device)[..., None])[..., 0].where(is_answer, 0.0)
        best = logs.argmax(-1).tolist()
        return cls(
            [tuple(row[: length + 1]) for row, length in zip(best, lengths.tolist(), strict=True)],
            given.sum(1).tolist(),
            kl_of(reference, logs[:, 0]),
            kl_of(logs[:, 0], reference),
        )


def kl_of(p: Tensor, q: Tensor) -> list[float]:
    """KL(p ‖ q) in nats of log-probabilities [batch, vocab]."""
    kls: list[float] = functional.kl_div(q, p, log_target=True, reduction="none").sum(-1).clamp(min=0).tolist()
    return kls


def _arms(
    live: LiveModel, inputs: Inputs, run: Run, answers: Sequence[tuple[int, ...]], *, rows: int
) -> tuple[dict[int, _Arm], Work]:
    """Every arm on a batch, by its number."""
    arms: dict[int, _Arm] = {}
    work, reference = Work(), torch.empty(0)
    with live.lock:
        for numbers, logits in run(inputs, rows, work):
            logs = logits.log_softmax(-1)
            if numbers == (FULL,):
                refuse_nan_logits(live, inputs, logits[0])
                reference = logs[0, :, 0]
            arms |= {number: _Arm.of(one, reference, answers) for number, one in zip(numbers, logs, strict=True)}
    return arms, work


def with_answers(inputs: Inputs, answers: Sequence[tuple[int, ...]]) -> Inputs:
    """The prompts with each answer behind them, so that one pass sees every token of it coming, and its end.

    Shorter answers are filled up on the right, where nothing that counts can see it.
    """
    ids, longest = inputs["input_ids"], max(map(len, answers))
    behind = torch.tensor([(answer + answer[-1:] * longest)[:longest] for answer in answers], device=ids.device)
    filled = {"input_ids": behind, "attention_mask": torch.ones_like(behind)}
    return {
        name: torch.cat([value, filled.get(name, torch.zeros_like(behind)).to(value.dtype)], dim=1)
        if value.shape == ids.shape and not value.is_floating_point()
        else value
        for name, value in inputs.items()
    }
