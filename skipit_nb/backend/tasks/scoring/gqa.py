"""GQA's rule."""

from __future__ import annotations

from skipit_nb.backend.tasks.example import Example
from skipit_nb.backend.tasks.scoring.score import Score


def gqa(answer_text: str, example: Example) -> Score:
    """Score 1 if the answer, in lower case and without a full stop at its end, is the right one.

    Nothing else is forgiven: "yes!" is wrong, and so is GQA's `fullAnswer`, which another harness accepts.

    Source:
        The evaluation that LLaVA reports; Hudson and Manning 2019, "GQA". arXiv:1902.09506
    """
    answer = _read(answer_text)
    return Score(value=float(answer == _read(example.answer)), parsed=bool(answer), rule="gqa exact match")


def _read(text: str) -> str:
    return text.strip().rstrip(".").strip().lower()
