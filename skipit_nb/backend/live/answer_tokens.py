"""The tokens of an answer behind a prompt, as the model itself would write them.

A prompt's tokens stand as they are: a model goes on from them, and does not read them anew. So an answer's tokens are
those of prompt and answer together, less the prompt's. Where a tokenizer would merge the end of the one with the
beginning of the other, no model can write that behind this prompt; then they are those of the answer alone.
"""

from __future__ import annotations

from typing import Any

from skipit_nb.backend.live.tokenizing import tokenizing


class AnswerTokens:
    """How one tokenizer writes answers behind one family's prompts.

    Args:
        tokenizer: The model's.
        end: How a prompt ends, as text.
        gap: What stands between a prompt and its answer: a space, or nothing.
    """

    def __init__(self, tokenizer: Any, end: str, gap: str) -> None:
        self._tokenizer, self._end, self._gap = tokenizer, end, gap
        self._before = self._ids(end)
        self._known: dict[str, tuple[int, ...]] = {}

    def of(self, answer: str) -> tuple[int, ...]:
        """The tokens of an answer."""
        if answer not in self._known:
            self._known[answer] = tuple(self._behind(answer))
        return self._known[answer]

    def _behind(self, answer: str) -> list[int]:
        before, together = self._before, self._ids(f"{self._end}{self._gap}{answer}")
        if together[: len(before)] == before and len(together) > len(before):
            return together[len(before) :]
        # Some tokenizers put a space before any text, others do not: the one that spells the same is right.
        alone = [self._ids(f"{self._gap}{answer}"), self._ids(answer)]
        spelled = self._text(together)
        return next((ids for ids in alone if self._text([*before, *ids]) == spelled), alone[-1])

    def _ids(self, text: str) -> list[int]:
        with tokenizing:
            return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _text(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))


def usual_gap(end: str) -> str:
    """A space, unless the prompt ends in white space."""
    return "" if not end or end[-1].isspace() else " "


def gap_in(prompt: str, answered: str, answer: str) -> str | None:
    """The white space that a chat template puts between a prompt and its answer; None if it does not show."""
    if not answered.startswith(prompt):
        return None
    between, found, _ = answered[len(prompt) :].partition(answer)
    return between if found and not between.strip() else None
