"""The stages of smol's recipe, each a loss over batches and the weights that it may change.

1. align  the projector learns to say in the language model's words what the tower sees over each patch
2. name   the decoder's low-rank updates learn to name what is there; many empty patches are left out
3. read   the same with yes/no questions too
4. all    the same with every patch, tower and projector following at a tenth of the rate

Naming comes first because a model that is asked yes/no questions first learns to answer them without looking.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from skipit_nb.zoo.classroom import Classroom, Dealer, StagePlan
from skipit_nb.zoo.losses import answers_cross_entropy
from skipit_nb.zoo.optimizing import optimize
from skipit_nb.zoo.packing import hidden_states, vision_tokens
from skipit_nb.zoo.stages import align_loss, answer_loss


def run_stage(room: Classroom, plan: StagePlan, updates: nn.ModuleList) -> None:
    """Run one stage to its end.

    Args:
        room: The model, its updates in place.
        plan: The stage: align, name, read or all.
        updates: The decoder's low-rank updates.
    """
    dealer = Dealer(room, plan)
    tower, projector = room.model.model.vision_tower, room.model.model.multi_modal_projector
    if plan.name == "align":
        optimize(room, plan, [projector], lambda: align_loss(dealer))
    elif plan.name in {"name", "read"}:
        optimize(room, plan, [updates], lambda: _few_patches_loss(dealer, yes_no=plan.name == "read"))
    else:
        optimize(room, plan, [updates], lambda: answer_loss(dealer), slowly=[tower, projector])


def _few_patches_loss(dealer: Dealer, *, yes_no: bool) -> Tensor:
    model, batch = dealer.room.model, dealer.deal()
    shown = dealer.some_patches(batch.scenes)
    packed = dealer.ask(batch, shown, yes_no=yes_no)
    with torch.no_grad():
        vision = vision_tokens(model, batch.pixels)[shown]
    return answers_cross_entropy(model, packed, hidden_states(model, packed, vision))
