"""Images and questions made into a model's tensors by its own processor, whatever prompt its family expects.

Shapes:
    batch  questions
    seq    positions of the longest prompt; shorter ones are padded on the left
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from transformers import ProcessorMixin

from skipit_nb.backend.live.answer_tokens import AnswerTokens, gap_in, usual_gap
from skipit_nb.backend.live.images import as_images
from skipit_nb.backend.live.tokenizing import tokenizing
from skipit_nb.errors import PromptError, QuestionError

Pictures = list[Image.Image]
"""The images of one question."""

_REFUSALS = (ValueError, TypeError, AttributeError, IndexError, KeyError)
"""What processors raise for a prompt they cannot make; they check little, and each in its own way."""
_ANSWER = "yes"
"""Any answer, to see what a template puts before it."""
_LAST = 8
"""Tokens that show how a prompt ends."""


class Prompts:
    """One processor, and what its family's prompts look like.

    Args:
        processor: The model's.
        image_token_ids: The token ids of image positions.
        need_images: Whether the model answers no question without an image.
    """

    def __init__(self, processor: ProcessorMixin, image_token_ids: Sequence[int], *, need_images: bool = False) -> None:
        self._processor = processor
        self._need_images = need_images
        self._token = str(getattr(processor, "image_token", None) or "<image>")
        self._image_token_ids = torch.tensor(image_token_ids)
        self._mark: str | None = None

    def tensors(self, images: Sequence[Any], questions: Sequence[str]) -> dict[str, Tensor]:
        """Make one left-padded batch, on the CPU and in the processor's own number formats.

        Args:
            images: For each question an image, a list of images that all go before it, or None.
            questions: One text an entry.

        Returns:
            `input_ids` and `attention_mask` [batch, seq], and whatever else this family needs.

        Raises:
            ImageError: If something is not an image.
            QuestionError: If a question has no text.
            PromptError: If this family has no prompt for so many images.
        """
        pictures = [as_images(given) for given in images]
        texts = [self._text(own, question) for own, question in zip(pictures, questions, strict=True)]
        batch = self._processed(texts, pictures)
        self._check(batch["input_ids"], pictures)
        return _padded_on_the_left(batch)

    def answer_ids(self, answer: str) -> tuple[int, ...]:
        """The tokens of an answer as the model itself would write them behind a prompt: the rule of `AnswerTokens`.

        What stands between the two is what the chat template puts there; without one, a space, unless the prompt ends
        in white space.
        """
        return self._answer_tokens.of(answer)

    @cached_property
    def _answer_tokens(self) -> AnswerTokens:
        end = self._end()
        gap = self._templates_gap() if self._template else None
        return AnswerTokens(self._processor.tokenizer, end, usual_gap(end) if gap is None else gap)

    def _end(self) -> str:
        """How a prompt ends; without a template the processor may write something behind the question."""
        text = self._text([], "?")
        if self._template is not None:
            return text
        try:
            ids = self.tensors([Image.new("RGB", (64, 64))], ["?"])["input_ids"][0]
        except PromptError:
            return text
        return str(self._processor.tokenizer.decode(ids[-_LAST:], clean_up_tokenization_spaces=False))

    def _templates_gap(self) -> str | None:
        from jinja2 import TemplateError  # transformers wants it only where there is a template

        answered = [*self._chat([], "?"), {"role": "assistant", "content": [{"type": "text", "text": _ANSWER}]}]
        try:
            said = self._processor.apply_chat_template(answered, chat_template=self._template)
        except (*_REFUSALS, TemplateError):  # a template for questions alone
            return None
        return gap_in(self._text([], "?"), str(said), _ANSWER)

    def _text(self, pictures: Pictures, question: str) -> str:
        if not isinstance(question, str) or not question.strip():
            raise QuestionError(question)
        if self._token in question:
            raise self._refusal([pictures], f"the question itself holds {self._token}, which stands for an image")
        if self._template is None:
            return self._mark_for(pictures, question) * len(pictures) + question
        chat = self._chat(pictures, question)
        return str(self._processor.apply_chat_template(chat, chat_template=self._template, add_generation_prompt=True))

    def _chat(self, pictures: Pictures, question: str) -> list[dict[str, Any]]:
        content = [*({"type": "image"} for _ in pictures), {"type": "text", "text": question}]
        return [{"role": "user", "content": content}]

    @cached_property
    def _template(self) -> str | None:
        """The chat template: the processor's, or its tokenizer's if that one knows of images."""
        own = getattr(self._processor, "chat_template", None)
        if isinstance(own, dict):
            own = own.get("default")
        its = getattr(self._processor.tokenizer, "chat_template", None)
        return own or (its if isinstance(its, str) and "image" in its else None)

    def _mark_for(self, pictures: Pictures, question: str) -> str:
        """What stands for an image in a prompt without a chat template; found out on the first image.

        Most families want their image token. Some put it in themselves; of those, some want it all the same, and
        others would then see one image token too many.
        """
        if self._mark is None and pictures:
            bare, marked = (self._ids_of(text, pictures[:1]) for text in (question, self._token + question))
            if self._is_vision(bare).any():
                self._mark = self._token if torch.equal(bare, marked) else ""
            else:
                self._mark = f"{self._token}\n"
        return self._mark or ""

    def _ids_of(self, text: str, pictures: Pictures) -> Tensor:
        try:
            return self._processed([text], [pictures])["input_ids"]
        except PromptError:
            return torch.empty(0)

    def _is_vision(self, input_ids: Tensor) -> Tensor:
        return torch.isin(input_ids, self._image_token_ids)

    def _processed(self, texts: list[str], pictures: list[Pictures]) -> dict[str, Tensor]:
        # A template may begin the text with the token that the tokenizer would begin it with once more.
        begin = getattr(self._processor.tokenizer, "bos_token", None)
        options = {"add_special_tokens": False} if self._template and begin and texts[0].startswith(begin) else {}
        try:
            with tokenizing:
                batch = self._processor(
                    text=texts,
                    images=pictures if any(pictures) else None,
                    return_tensors="pt",
                    padding=len(texts) > 1,
                    **options,
                )
        except _REFUSALS as error:
            why = textwrap.shorten(str(error) or type(error).__name__, 300).rstrip(".")
            raise self._refusal(pictures, why) from error
        # Labels are for training; with them a model computes a loss.
        return {name: value for name, value in batch.items() if isinstance(value, Tensor) and name != "labels"}

    def _check(self, input_ids: Tensor, pictures: list[Pictures]) -> None:
        """A question has image tokens if, and only if, it has images; and those of all of them."""
        if self._need_images and not all(pictures):
            raise self._refusal(pictures, "the model answers no question without an image")
        has_tokens = self._is_vision(input_ids).any(1).tolist()
        if has_tokens != [bool(own) for own in pictures]:
            raise self._refusal(pictures, "image tokens stand where there is no image, or none where there is one")
        if self._mark == "" and max(map(len, pictures)) > 1:
            raise self._refusal(pictures, "its prompt has room for one image")

    def _refusal(self, pictures: list[Pictures], why: str) -> PromptError:
        return PromptError(type(self._processor).__name__, [len(own) for own in pictures], why)


def _padded_on_the_left(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Move padding from wherever the processor put it to the left, in every tensor with one entry a position.

    There every token keeps its distance to the last one, so that a batch answers as its questions do one by one. Not
    every processor can be asked for it: some put the padding between image and text, and one has a second text, for
    another network, whose padding belongs on the right.
    """
    mask = batch["attention_mask"].int()
    if (mask.diff(dim=1) >= 0).all():
        return batch
    order = mask.argsort(dim=1, stable=True)
    of_other_texts = tuple(name.removesuffix("input_ids") for name in batch if name.endswith("_input_ids"))

    def moved(value: Tensor) -> Tensor:
        index = order.reshape(*order.shape, *[1] * (value.dim() - 2))
        return value.gather(1, index.expand_as(value))

    return {
        name: value if value.shape[:2] != order.shape or name.startswith(of_other_texts) else moved(value)
        for name, value in batch.items()
    }
