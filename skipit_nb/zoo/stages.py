"""The four stages of the recipe, each a loss over batches and the weights that it may change.

1. vision    the tower learns to see: what is over each patch
2. language  the decoder learns to answer questions about symbolic images: a vector for what is over each patch
3. align     the projector learns to turn what the tower sees into these vectors; tower and decoder rest
4. all       everything learns on questions about images
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.optim.lr_scheduler import LambdaLR
from transformers import LlavaForConditionalGeneration

from skipit_nb.zoo.architecture import token_id
from skipit_nb.zoo.corpus import Item, pixel_values
from skipit_nb.zoo.lessons import Lesson, draw_items
from skipit_nb.zoo.packing import Packed, hidden_states, image_prefix, pack, vision_tokens
from skipit_nb.zoo.scenes import SymbolReader, Symbols
from skipit_nb.zoo.vocabulary import END

_END_WEIGHT = 0.1
_LANGUAGE_WEIGHT = 0.3
_WEIGHT_DECAY = 0.05
_WARM_UP = 0.05
_LAST_RATE = 0.01


@dataclass(frozen=True)
class StagePlan:
    """How long and how fast a stage learns."""

    name: str
    """vision, language, align or all."""
    num_steps: int
    """Optimizer steps."""
    num_images: int
    """Images a step and task."""
    learning_rate: float
    """Highest rate; cosine down to 1 % after a short warm-up."""
    num_questions: int = 6
    """Questions an image; the stages vision and align ask none."""


@dataclass(frozen=True)
class StageProgress:
    """Where the training is."""

    stage: str
    """Name of the stage."""
    step: int
    """Steps done in this stage."""
    num_steps: int
    """Steps of this stage."""
    loss: float
    """Loss of this step, in nats."""


Progress = Callable[[StageProgress], None]


@dataclass
class Classroom:
    """The model, the lessons, and the symbols that decoder and projector agree upon: all that a stage needs."""

    model: LlavaForConditionalGeneration
    lessons: Sequence[Lesson]
    symbols: Symbols
    seed: int
    progress: Progress

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = self.model.device
        return device


@dataclass(frozen=True)
class Batch:
    """Images drawn from all lessons in equal parts."""

    pixels: Tensor
    """As the model takes them, image x 3 x 64 x 64."""
    scenes: Tensor
    """What is to be seen, image x patch x facet."""
    items: Sequence[Sequence[Item]]
    """All questions about each image."""


class Dealer:
    """Deals batches and questions; each stage has one of its own, seeded by the stage's name."""

    def __init__(self, room: Classroom, plan: StagePlan) -> None:
        self.room, self.plan = room, plan
        self.rng = random.Random(f"{room.seed}/{plan.name}")  # noqa: S311  seeded training, not a secret
        self.generator = torch.Generator().manual_seed(self.rng.getrandbits(32))

    def deal(self, *, told: bool = False) -> Batch:
        """Draw images of each lesson; with `told`, only those of which the whole scene is known."""
        pixels, scenes, items = [], [], []
        for lesson in self.room.lessons:
            among = lesson.told if told else torch.arange(len(lesson.corpus))
            drawn = among[torch.randint(len(among), (self.plan.num_images,), generator=self.generator)]
            picture, scene = lesson.look(drawn, self.generator)
            pixels.append(picture)
            scenes.append(scene)
            items += [lesson.corpus.items[image] for image in drawn.tolist()]
        device = self.room.device
        return Batch(pixel_values(torch.cat(pixels)).to(device), torch.cat(scenes).to(device), items)

    def ask(self, batch: Batch, shown: Tensor | None = None) -> Packed:
        """Draw questions about each image and pack them; `shown` (row x 64) leaves out the other patches."""
        rows = [draw_items(items, self.plan.num_questions, self.rng) for items in batch.items]
        if shown is None:
            prefixes = [image_prefix()] * len(rows)
        else:
            prefixes = [image_prefix(row.nonzero()[:, 0].tolist()) for row in shown.cpu()]
        return pack(prefixes, rows).to(self.room.device)

    def some_patches(self, scenes: Tensor) -> Tensor:
        """Choose all patches that show something and some of the empty ones, image x patch.

        Among few patches a decoder learns sooner to compare what it sees with what it is asked.
        """
        full = (scenes != 0).any(dim=-1)
        share = torch.rand(len(scenes), 1, generator=self.generator) ** 3
        return full | (torch.rand(full.shape, generator=self.generator) < share).to(full.device)


def run_stage(room: Classroom, plan: StagePlan) -> None:
    """Run one stage to its end."""
    model, dealer = room.model, Dealer(room, plan)
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    if plan.name == "vision":
        torch.manual_seed(room.seed)
        reader = SymbolReader(model.config.vision_config.hidden_size).to(room.device)
        _optimize(room, plan, [tower, reader], lambda: _vision_loss(dealer, reader))
    elif plan.name == "language":
        _optimize(room, plan, [model.model.language_model, room.symbols], lambda: _language_loss(dealer))
    elif plan.name == "align":
        # The projector alone: its first steps are wild, and a tower that followed them forgot the digits.
        _optimize(room, plan, [projector], lambda: _align_loss(dealer))
    else:
        _optimize(room, plan, [model], lambda: _answer_loss(dealer))


def _vision_loss(dealer: Dealer, reader: SymbolReader) -> Tensor:
    batch = dealer.deal()
    tower = dealer.room.model.model.vision_tower
    features = tower(batch.pixels, output_hidden_states=True).hidden_states[-1][:, 1:]
    loss: Tensor = reader(features, batch.scenes)
    return loss


def _language_loss(dealer: Dealer) -> Tensor:
    model, batch = dealer.room.model, dealer.deal(told=True)
    shown = dealer.some_patches(batch.scenes)
    packed = dealer.ask(batch, shown)
    symbols = dealer.room.symbols(batch.scenes, model.get_input_embeddings().weight)
    hidden = hidden_states(model, packed, symbols[shown])
    return _answers_cross_entropy(model, packed, hidden) + _LANGUAGE_WEIGHT * _next_word(model, packed, hidden)


def _align_loss(dealer: Dealer) -> Tensor:
    batch = dealer.deal(told=True)
    with torch.no_grad():
        wanted = dealer.room.symbols(batch.scenes, dealer.room.model.get_input_embeddings().weight)
    said = vision_tokens(dealer.room.model, batch.pixels)
    # In units of the symbols' own spread: 1 for a projector that always says the mean symbol.
    loss: Tensor = mse_loss(said, wanted) / wanted.var(dim=(0, 1)).mean()
    return loss


def _answer_loss(dealer: Dealer) -> Tensor:
    model, batch = dealer.room.model, dealer.deal()
    packed = dealer.ask(batch)
    return _answers_cross_entropy(model, packed, hidden_states(model, packed, vision_tokens(model, batch.pixels)))


def _answers_cross_entropy(model: LlavaForConditionalGeneration, batch: Packed, hidden: Tensor) -> Tensor:
    asked = hidden[batch.answer_rows, batch.answer_columns]
    told = hidden[batch.answer_rows, batch.answer_columns + 1]
    ends = torch.full_like(batch.answers, token_id(END))
    return cross_entropy(model.lm_head(asked), batch.answers) + _END_WEIGHT * cross_entropy(model.lm_head(told), ends)


def _next_word(model: LlavaForConditionalGeneration, batch: Packed, hidden: Tensor) -> Tensor:
    # Words within a question; the image before it foretells none of them.
    same = (batch.segments[:, 1:] == batch.segments[:, :-1]) & (batch.segments[:, 1:] > 0)
    return cross_entropy(model.lm_head(hidden[:, :-1][same]), batch.input_ids[:, 1:][same])


def _optimize(room: Classroom, plan: StagePlan, modules: Iterable[nn.Module], loss_of: Callable[[], Tensor]) -> None:
    weights = {id(weight): weight for module in modules for weight in module.parameters()}
    for weight in room.model.parameters():
        weight.requires_grad_(id(weight) in weights)
    optimizer = torch.optim.AdamW(
        list(weights.values()), lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=_WEIGHT_DECAY
    )
    schedule = LambdaLR(optimizer, lambda step: _rate(step, plan.num_steps))
    room.model.train()
    for step in range(1, plan.num_steps + 1):
        loss = loss_of()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(weights.values(), 1.0)
        optimizer.step()
        schedule.step()
        room.progress(StageProgress(plan.name, step, plan.num_steps, loss.item()))
    room.model.requires_grad_(requires_grad=True).eval()


def _rate(step: int, num_steps: int) -> float:
    warm_up = max(1, round(_WARM_UP * num_steps))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, num_steps - warm_up)
    return _LAST_RATE + (1 - _LAST_RATE) * (1 + math.cos(math.pi * min(1.0, done))) / 2
