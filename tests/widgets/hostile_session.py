# ruff: noqa: ARG002 - a fake takes what the real one takes
"""A session whose model, tasks, questions and answers say what `tests/payloads.py` lists."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from skipit_nb.jobs import Tick
from skipit_nb.results import Answer, Comparison, PairedAnswer, Proposal, Provenance, TokenDistances, WhatIf
from skipit_nb.skipset import SkipSet
from tests.payloads import EVERY, PAYLOADS
from tests.widgets.asked_session import AskedSession
from tests.widgets.fake_session import FakeExample, examples_of

WORDS = tuple(PAYLOADS.values())
TASK = f"shapes {EVERY}"


class HostileSession(AskedSession):
    """Each question holds one payload after the other; what there is only one of holds all."""

    name = EVERY

    def tasks(self) -> tuple[str, ...]:
        return (TASK, "counts")

    def examples(self, task: str, *, limit: int | None = None, seed: int = 0) -> Sequence[FakeExample]:
        made = [_hostile(number, one) for number, one in enumerate(examples_of("shapes"))]
        return made if limit is None else made[: max(limit, len(WORDS))]

    def ask(self, image: Any, question: str, *, skipset: SkipSet | str | None = None) -> Answer:
        return replace(super().ask(image, question, skipset=skipset), text=EVERY)

    def look(self, image: Any, question: str) -> TokenDistances:
        seen = super().look(image, " ".join(["word"] * len(WORDS)))
        return replace(seen, tokens=(*seen.tokens[: -len(WORDS)], *WORDS))

    def what_if(
        self, image: Any, question: str, skipset: SkipSet | str | None, *, progress: Tick | None = None
    ) -> WhatIf:
        said = super().what_if(image, question, skipset, progress=progress)
        return replace(said, question=question, answer=EVERY, full_answer=f"not {EVERY}")

    def methods(self) -> dict[str, str]:
        return {EVERY: EVERY} | super().methods()

    def propose(self, method: str, examples: Any, **knobs: Any) -> Proposal:
        return replace(super().propose("novel", "counts", **knobs), method=method, unit=EVERY)

    def compare(self, task: str, *arms: Any, **knobs: Any) -> Comparison:
        found = super().compare(task, *arms, **knobs)
        verdict = replace(found.verdict, sentence=f"{found.verdict.sentence} {EVERY}")
        return replace(found, verdict=verdict, metrics=tuple(replace(one, method=EVERY) for one in found.metrics))

    def _paired(self, example: FakeExample, a: SkipSet, b: SkipSet) -> PairedAnswer:
        paired = super()._paired(example, a, b)
        return replace(paired, a=f"A {example.answer}", b=f"B {example.answer}", score_b=0.0)

    def _provenance(self, task: str, samples: tuple[str, ...], seed: int) -> Provenance:
        return replace(super()._provenance(task, samples, seed), model=EVERY, dtype=EVERY, device=EVERY)


def _hostile(number: int, example: FakeExample) -> FakeExample:
    words = WORDS[number % len(WORDS)]
    return replace(
        example,
        key=f"{number} {words}",
        question=f"question {number} {words}",
        answer=f"answer {number} {words}",
        kind=words,
    )
