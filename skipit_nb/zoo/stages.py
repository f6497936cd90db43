"""The four stages of the recipe, each a loss over batches and the weights that it may change.

1. vision    the tower learns to see: what is over each patch
2. language  the decoder learns to answer questions about symbolic images: a vector for what is over each patch
3. align     the projector learns to turn what the tower sees into these vectors; tower and decoder rest
4. all       everything learns on questions about images
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from skipit_nb.zoo.classroom import Classroom, Dealer, StagePlan
from skipit_nb.zoo.losses import answers_cross_entropy, next_word
from skipit_nb.zoo.optimizing import optimize
from skipit_nb.zoo.packing import hidden_states, vision_tokens
from skipit_nb.zoo.scenes import SymbolReader

_LANGUAGE_WEIGHT = 0.3


def run_stage(room: Classroom, plan: StagePlan) -> None:
    """Run one stage to its end."""
    model, dealer = room.model, Dealer(room, plan)
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    if plan.name == "vision":
        torch.manual_seed(room.seed)
        reader = SymbolReader(model.config.vision_config.hidden_size).to(room.device)
        optimize(room, plan, [tower, reader], lambda: _vision_loss(dealer, reader))
    elif plan.name == "language":
        optimize(room, plan, [model.model.language_model, room.symbols], lambda: _language_loss(dealer))
    elif plan.name == "align":
        # The projector alone: its first steps are wild, and a tower that followed them forgot the digits.
        optimize(room, plan, [projector], lambda: align_loss(dealer))
    else:
        optimize(room, plan, [model], lambda: answer_loss(dealer))


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
    return answers_cross_entropy(model, packed, hidden) + _LANGUAGE_WEIGHT * next_word(model, packed, hidden)


def align_loss(dealer: Dealer) -> Tensor:
    """Give how far the projected vision tokens are from the symbols: 1 for a projector that says the mean symbol."""
    batch = dealer.deal(told=True)
    with torch.no_grad():
        wanted = dealer.room.symbols(batch.scenes, dealer.room.model.get_input_embeddings().weight)
    said = vision_tokens(dealer.room.model, batch.pixels)
    # In units of the symbols' own spread.
    loss: Tensor = mse_loss(said, wanted) / wanted.var(dim=(0, 1)).mean()
    return loss


def answer_loss(dealer: Dealer) -> Tensor:
    """Give the loss of the answers to questions about images."""
    model, batch = dealer.room.model, dealer.deal()
    packed = dealer.ask(batch)
    return answers_cross_entropy(model, packed, hidden_states(model, packed, vision_tokens(model, batch.pixels)))
