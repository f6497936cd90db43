"""The bound model: its lock, its shape, and questions turned into tensors and answers."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from skipit_nb.backend.live.anatomy import Anatomy, anatomy_of
from skipit_nb.backend.live.placement import places_of, running_device
from skipit_nb.backend.live.prompts import Prompts
from skipit_nb.backend.live.skipping import skipping
from skipit_nb.backend.live.tokenizing import tokenizing
from skipit_nb.backend.live.until import cut
from skipit_nb.cost import ModelShape
from skipit_nb.errors import MissingProcessorError
from skipit_nb.jobs import FairLock
from skipit_nb.results import Provenance
from skipit_nb.skipset import SkipSet

Inputs = dict[str, Tensor]
"""Keyword arguments of the model: input_ids [batch, seq], attention_mask [batch, seq], pixel_values, …"""


@dataclass(frozen=True, slots=True)
class Generated:
    """One generated answer."""

    text: str
    probability: float
    """Product over the generated tokens of each one's probability given those before."""
    num_tokens: int
    """Generated tokens, the end-of-sequence token included."""
    first: Tensor = field(repr=False, compare=False)
    """[vocab] log-probabilities of the first token, float32."""


class LiveModel:
    """A Hugging Face model and processor, plain and unchanged, with what skipping and measuring need to know."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin | None, *, name: str, revision: str) -> None:
        self.model = model
        self.name = name
        self.revision = revision
        self.anatomy: Anatomy = anatomy_of(model)
        self.lock = FairLock()
        self._processor = processor
        self._texts: dict[tuple[int, ...], str] = {}

    @property
    def processor(self) -> ProcessorMixin:
        """The processor.

        Raises:
            MissingProcessorError: If the model was bound without one.
        """
        if self._processor is None:
            raise MissingProcessorError
        return self._processor

    @property
    def shape(self) -> ModelShape:
        """The decoder's numbers."""
        return self.anatomy.shape

    @contextlib.contextmanager
    def skipping(self, skipset: SkipSet, *, vision: Tensor | None = None) -> Iterator[None]:
        """Hold the model and run it under a bound skip set; afterwards it is as before."""
        with self.lock, skipping(self.model, self.anatomy, skipset, vision=vision):
            yield

    @property
    def device(self) -> torch.device:
        """Where inputs go: the device on which the token embeddings run, also if their weights wait elsewhere."""
        return running_device(self.model.get_input_embeddings())

    def inputs(self, images: Sequence[Any], questions: Sequence[str]) -> Inputs:
        """Turn questions about images into one left-padded batch on the model's device.

        Args:
            images: For each question an image, a list of images that all go before it, or None.
            questions: One text an entry.

        Raises:
            ImageError: If something is not an image.
            QuestionError: If a question has no text.
            PromptError: If this family has no prompt for so many images.
        """
        batch = self._prompts.tensors(images, questions)
        place, dtype = self.device, self.model.dtype
        return {name: value.to(place, dtype if value.is_floating_point() else None) for name, value in batch.items()}

    @cached_property
    def _prompts(self) -> Prompts:
        pixels = inspect.signature(type(self.model).forward).parameters.get("pixel_values")
        need_images = pixels is not None and pixels.default is pixels.empty
        return Prompts(self.processor, self.anatomy.image_token_ids, need_images=need_images)

    def answer_ids(self, answer: str) -> tuple[int, ...]:
        """The tokens of an answer as they would follow a prompt."""
        return self._prompts.answer_ids(answer)

    def text_of(self, ids: tuple[int, ...]) -> str:
        """What tokens say, special ones left out."""
        if ids not in self._texts:
            self._texts[ids] = str(self.processor.tokenizer.decode(ids, skip_special_tokens=True)).strip()
        return self._texts[ids]

    def unknown_words(self, question: str) -> tuple[str, ...]:
        """The words of a question that the model has no token for; a large model's tokenizer knows them all."""
        tokenizer = self.processor.tokenizer
        if getattr(tokenizer, "unk_token_id", None) is None or not tokenizer.is_fast:
            return ()
        with tokenizing:
            found = tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)
        spans = zip(found["input_ids"], found["offset_mapping"], strict=True)
        return tuple(question[start:end] for token, (start, end) in spans if token == tokenizer.unk_token_id)

    @torch.inference_mode()
    def generate(
        self, inputs: Inputs, *, max_new_tokens: int, min_new_tokens: int | None = None, until: Sequence[str] = ()
    ) -> list[Generated]:
        """Answer a batch greedily, each cut before any of `until`. Call it with the lock held, or inside `skipping`."""
        out = self.model.generate(
            **inputs,
            max_new_tokens=max_new_tokens,
            min_new_tokens=min_new_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            return_dict_in_generate=True,
            output_logits=True,
        )
        new = out.sequences[:, inputs["input_ids"].shape[1] :]
        every = torch.stack(out.logits, dim=1).float().log_softmax(-1)
        logs, first = every.gather(2, new[..., None])[..., 0], every[:, 0].clone()
        is_answer = self._until_end(new)
        sums = (logs * is_answer).sum(1).exp().tolist()
        texts = self.processor.batch_decode(new, skip_special_tokens=True)
        return [
            Generated(cut(text, until).strip(), probability, int(length), begins)
            for text, probability, length, begins in zip(texts, sums, is_answer.sum(1).tolist(), first, strict=True)
        ]

    def _until_end(self, new: Tensor) -> Tensor:
        """Which generated tokens count: all up to and including the first end-of-sequence token."""
        end = self.model.generation_config.eos_token_id
        ends = torch.tensor(end if isinstance(end, list) else [end if end is not None else -1], device=new.device)
        is_end = torch.isin(new, ends).long()
        return is_end.cumsum(1) - is_end == 0

    def provenance(self, *, task: str = "", samples: Sequence[str] = (), seed: int = 0) -> Provenance:
        """What a reader must know to believe a number of this model."""
        device = self.device
        card = f" {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""
        elsewhere = "".join(f" + {place}" for place in places_of(self.model) if place not in (str(device), device.type))
        return Provenance(
            model=self.name,
            revision=self.revision,
            num_layers=self.shape.num_layers,
            dtype=str(self.model.dtype).removeprefix("torch."),
            device=f"{device}{card}{elsewhere}",
            attention=str(self.anatomy.decoder.config._attn_implementation),  # type: ignore[union-attr]
            versions=tuple((name, version(name)) for name in ("skipit-nb", "torch", "transformers")),
            task=task,
            samples=tuple(samples),
            seed=seed,
        )
